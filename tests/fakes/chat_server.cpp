#include "fakes/chat_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"
#include "base/json.h"

namespace alos::fakes {
namespace {

constexpr std::size_t kRequestBytesMax = 64U << 20;

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool receive_some(int fd, std::string& buffer) {
  char piece[1U << 16];
  const ssize_t got = ::recv(fd, piece, sizeof(piece), 0);
  if (got <= 0 || buffer.size() > kRequestBytesMax) return false;
  buffer.append(piece, static_cast<std::size_t>(got));
  return true;
}

Heard parse_head(std::string_view head) {
  Heard heard;
  const std::size_t line = head.find("\r\n");
  const std::string_view first = head.substr(0, line);
  heard.method = first.substr(0, first.find(' '));
  const std::string_view rest = first.substr(std::min(first.size(), heard.method.size() + 1));
  heard.target = rest.substr(0, rest.find(' '));
  for (std::size_t at = line; at != std::string_view::npos && at + 2 < head.size();) {
    const std::size_t end = head.find("\r\n", at + 2);
    const std::string_view row =
        head.substr(at + 2, end == std::string_view::npos ? end : end - at - 2);
    if (const std::size_t colon = row.find(':'); colon != std::string_view::npos) {
      std::string name(row.substr(0, colon));
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      const std::size_t value = row.find_first_not_of(' ', colon + 1);
      heard.headers[name] = value == std::string_view::npos ? "" : row.substr(value);
    }
    at = end;
  }
  return heard;
}

// Reads one request; what came after it stays in `buffer`.
bool receive_request(int fd, std::string& buffer, Heard& heard) {
  std::size_t head_end = 0;
  while ((head_end = buffer.find("\r\n\r\n")) == std::string::npos)
    if (!receive_some(fd, buffer)) return false;
  heard = parse_head(std::string_view(buffer).substr(0, head_end));
  const std::size_t length = base::parse_unsigned(heard.headers["content-length"]).value_or(0);
  while (buffer.size() < head_end + 4 + length)
    if (!receive_some(fd, buffer)) return false;
  heard.body = buffer.substr(head_end + 4, length);
  buffer.erase(0, head_end + 4 + length);
  return true;
}

// False: close the connection.
bool send_answer(int fd, const Served& served) {
  if (served.drop) return false;
  std::string head = fmt::format("HTTP/1.1 {} Said\r\n", served.status);
  for (const auto& [name, value] : served.headers) head += fmt::format("{}: {}\r\n", name, value);
  const bool cut = served.end != Served::End::whole;
  if (served.pieces.empty()) {
    head += fmt::format("Content-Length: {}\r\n\r\n", served.body.size() + (cut ? 10 : 0));
    if (!send_all(fd, head + served.body)) return false;
  } else {
    if (!send_all(fd, head + "Transfer-Encoding: chunked\r\n\r\n")) return false;
    for (const std::string& piece : served.pieces)
      if (!piece.empty() && !send_all(fd, fmt::format("{:x}\r\n{}\r\n", piece.size(), piece)))
        return false;
    if (!cut && !send_all(fd, "0\r\n\r\n")) return false;
  }
  std::string ignored;
  if (served.end == Served::End::hold) receive_some(fd, ignored);  // until one side closes
  return !cut;
}

}  // namespace

ChatServer::ChatServer(Answer answer, int port)
    : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  CHECK(listener_ >= 0);
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  socklen_t size = sizeof(address);
  CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  CHECK(::listen(listener_, 512) == 0);
  CHECK(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

ChatServer::ChatServer(std::vector<Served> script)
    : ChatServer([script = std::move(script)](const Heard&, std::size_t nth) {
        return nth < script.size() ? script[nth]
                                   : json_body(R"({"error":{"message":"no more"}})", 500);
      }) {}

ChatServer::~ChatServer() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    for (const Connection& connection : connections_)
      if (!connection.over) ::shutdown(connection.fd, SHUT_RDWR);
  }
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  reap(true);
  ::close(listener_);
}

std::string ChatServer::base_url() const { return fmt::format("http://127.0.0.1:{}/v1", port_); }

std::vector<Heard> ChatServer::heard() const {
  const std::lock_guard lock(mutex_);
  return heard_;
}

std::size_t ChatServer::open_at_once() const {
  const std::lock_guard lock(mutex_);
  return open_max_;
}

void ChatServer::accept_all() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    reap(false);
    const std::lock_guard lock(mutex_);
    if (stop_) {
      ::close(fd);
      return;
    }
    open_max_ = std::max(open_max_, ++open_);
    Connection& connection = connections_.emplace_back(Connection{fd, {}, false});
    connection.thread = std::thread([this, &connection] { serve(connection); });
  }
}

void ChatServer::serve(Connection& connection) {
  std::string buffer;
  while (answer_one(connection.fd, buffer)) {
  }
  const std::lock_guard lock(mutex_);
  ::close(connection.fd);
  connection.over = true;
  --open_;
}

bool ChatServer::answer_one(int fd, std::string& buffer) {
  Heard heard;
  if (!receive_request(fd, buffer, heard)) return false;
  std::size_t nth = 0;
  {
    const std::lock_guard lock(mutex_);
    nth = heard_.size();
    heard_.push_back(heard);
  }
  const Served served = answer_(heard, nth);
  if (served.delay.count() > 0) {
    pollfd gone{fd, POLLRDHUP, 0};
    ::poll(&gone, 1, static_cast<int>(served.delay.count()));
  }
  return send_answer(fd, served);
}

// Joins the threads of connections that are over; of all, when no new ones come.
void ChatServer::reap(bool all) {
  std::list<Connection> ended;
  {
    const std::lock_guard lock(mutex_);
    for (auto it = connections_.begin(); it != connections_.end();) {
      const auto next = std::next(it);
      if (all || it->over) ended.splice(ended.end(), connections_, it);
      it = next;
    }
  }
  for (Connection& connection : ended) connection.thread.join();
}

Served json_body(std::string body, int status) {
  return {
      .status = status, .headers = {{"Content-Type", "application/json"}}, .body = std::move(body)};
}

Served events(std::vector<std::string> pieces) {
  return {.headers = {{"Content-Type", "text/event-stream"}}, .pieces = std::move(pieces)};
}

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out;
}

// Pieces of about `bytes` bytes, whole characters each.
std::vector<std::string> cut_text(const std::string& text, std::size_t bytes) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(at + bytes, text.size());
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    out.push_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

std::string usage_of(const abi::ModelGenerate::Reply& reply) {
  return fmt::format(R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{}}})",
                     reply.input_tokens, reply.output_tokens,
                     reply.input_tokens + reply.output_tokens);
}

std::string chunk(std::string_view delta, std::string_view finish) {
  return fmt::format(
      "data: "
      "{{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"choices\":[{{\"index\":0,"
      "\"delta\":{},\"finish_reason\":{}}}]}}\n\n",
      delta, finish.empty() ? "null" : quoted(finish));
}

}  // namespace

std::string whole_reply(const abi::ModelGenerate::Reply& reply) {
  std::string calls;
  for (const abi::ToolRequest& call : reply.tool_calls)
    calls += fmt::format(
        R"({}{{"id":{},"type":"function","function":{{"name":{},"arguments":{}}}}})",
        calls.empty() ? "" : ",", quoted(call.id), quoted(call.name), quoted(call.arguments.data));
  if (!calls.empty()) calls = ",\"tool_calls\":[" + calls + "]";
  const std::string content =
      reply.text.data.empty() && !calls.empty() ? "null" : quoted(reply.text.data);
  return fmt::format(
      R"({{"id":"chatcmpl-1","object":"chat.completion","choices":[{{"index":0,"message":{{"role":"assistant","content":{}{}}},"finish_reason":{}}}],"usage":{}}})",
      content, calls, quoted(reply.finish), usage_of(reply));
}

std::vector<std::string> streamed_reply(const abi::ModelGenerate::Reply& reply) {
  std::vector<std::string> out{chunk(R"({"role":"assistant","content":""})", {})};
  for (const std::string& piece : cut_text(reply.text.data, 7))
    out.push_back(chunk(fmt::format("{{\"content\":{}}}", quoted(piece)), {}));
  for (std::size_t i = 0; i < reply.tool_calls.size(); ++i) {
    const abi::ToolRequest& call = reply.tool_calls[i];
    out.push_back(chunk(
        fmt::format(
            R"({{"tool_calls":[{{"index":{},"id":{},"type":"function","function":{{"name":{},"arguments":""}}}}]}})",
            i, quoted(call.id), quoted(call.name)),
        {}));
    for (const std::string& piece : cut_text(call.arguments.data, 9))
      out.push_back(
          chunk(fmt::format(R"({{"tool_calls":[{{"index":{},"function":{{"arguments":{}}}}}]}})", i,
                            quoted(piece)),
                {}));
  }
  out.push_back(chunk("{}", reply.finish));
  out.push_back(fmt::format("data: {{\"choices\":[],\"usage\":{}}}\n\n", usage_of(reply)));
  out.push_back("data: [DONE]\n\n");
  return out;
}

}  // namespace alos::fakes
