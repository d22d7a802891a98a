// Asks servers that speak chat completions: retries what may pass, and says what does not in words
// that name the model, the server and the way out, and never the key.
//
// Asked again: no connection, a connection cut before the reply was whole, silence, HTTP 408, 425,
// 429 and 5xx, a reply that is no JSON or has no choices. Retry-After is honoured.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "providers/chat_wire.h"
#include "providers/models.h"

namespace alos::providers {

struct ChatEndpoint {
  std::string url;       // of chat completions itself
  std::string host;      // host[:port], for errors
  std::string key;       // empty: none is sent
  std::string key_name;  // what errors call it: OPENAI_API_KEY
  std::string url_name;  // what errors call the base URL: OPENAI_BASE_URL
};

// Checks a base URL as people write it: http or https, a host, no user, query or fragment; and a
// key that can stand in a header. Errors are `invalid` and say which of the two by its name, never
// the key.
base::Result<ChatEndpoint> make_endpoint(std::string_view base_url, std::string key,
                                         std::string key_name, std::string url_name);

struct ChatRequest {
  std::string model;  // PROVIDER/NAME, for errors
  ChatEndpoint endpoint;
  std::uint32_t turn = 0;
  std::string body;  // of chat_request_body
};

class HttpPosts;

class ChatClient {
 public:
  using Done = std::function<void(ports::Outcome<abi::ModelGenerate::Reply>)>;

  // Starts the network thread. Errors: `unavailable` when libcurl cannot be loaded.
  static base::Result<std::unique_ptr<ChatClient>> open(const ModelOptions& options);
  ~ChatClient();  // what is in flight completes with `cancelled`

  // Thread-safe. `done` is called once, on the network thread: it must not block, nor destroy this
  // client.
  void ask(ChatRequest request, Done done);

 private:
  ChatClient(ModelOptions options, std::unique_ptr<HttpPosts> posts);
  const ModelOptions options_;
  std::unique_ptr<HttpPosts> posts_;
};

}  // namespace alos::providers
