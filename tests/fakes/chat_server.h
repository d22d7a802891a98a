// A small HTTP/1.1 server on 127.0.0.1 that answers as it is told: what a model server may do, good
// and bad.
//
// One thread accepts, one serves each connection; sockets block. For tests and for `fake_openai`.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "abi/model.h"

namespace alos::fakes {

struct Heard {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

struct Served {
  enum class End : unsigned char {
    whole,  // as HTTP wants it
    cut,    // close in the middle: less than Content-Length says, or no last chunk
    hold,   // keep the connection open and send no more until the server stops
  };
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;                 // when there are no pieces
  std::vector<std::string> pieces;  // sent as chunks, each by its own
  End end = End::whole;
  std::chrono::milliseconds delay{0};
  bool drop = false;  // close without a byte
};

class ChatServer {
 public:
  // `nth` counts requests from 0. Called on several threads at once.
  using Answer = std::function<Served(const Heard& heard, std::size_t nth)>;
  explicit ChatServer(Answer answer, int port = 0);
  explicit ChatServer(std::vector<Served> script);  // in order; then 500 "no more"
  ~ChatServer();
  ChatServer(const ChatServer&) = delete;
  ChatServer& operator=(const ChatServer&) = delete;

  int port() const { return port_; }
  std::string base_url() const;  // with /v1
  std::vector<Heard> heard() const;
  std::size_t open_at_once() const;  // the most connections there were at one time

 private:
  struct Connection {
    int fd;
    std::thread thread;
    bool over = false;  // under mutex_
  };
  void accept_all();
  void serve(Connection& connection);
  bool answer_one(int fd, std::string& buffer);
  void reap(bool all);

  Answer answer_;
  int listener_ = -1;
  int port_ = 0;
  std::thread acceptor_;
  mutable std::mutex mutex_;
  bool stop_ = false;
  std::vector<Heard> heard_;
  std::list<Connection> connections_;
  std::size_t open_ = 0, open_max_ = 0;
};

Served json_body(std::string body, int status = 200);
Served events(std::vector<std::string> pieces);

// A reply on the wire, whole or as server-sent events with text and arguments in pieces.
std::string whole_reply(const abi::ModelGenerate::Reply& reply);
std::vector<std::string> streamed_reply(const abi::ModelGenerate::Reply& reply);

}  // namespace alos::fakes
