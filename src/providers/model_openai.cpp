#include "providers/model_openai.h"

#include <fmt/format.h>

#include "base/text.h"

namespace alos::providers {
namespace {

using base::Code;
using base::fail;
using base::Result;

constexpr std::string_view kOpenAiHost = "api.openai.com";

}  // namespace

OpenAiModel::OpenAiModel(Server server, const ModelOptions& options, ports::Blobs& blobs)
    : server_(std::move(server)), options_(options), blobs_(blobs) {}

Result<void> OpenAiModel::check(const std::string& name) {
  TRY(endpoint(name));
  TRY(client());
  return {};
}

void OpenAiModel::ask(const std::string& name, const abi::ModelGenerate& call,
                      ChatClient::Done done) {
  auto asked = request(name, call);
  if (!asked) return done(ports::NotStarted{std::move(asked).error()});
  const auto client = this->client();
  if (!client) return done(ports::NotStarted{client.error()});
  (*client)->ask(std::move(*asked), std::move(done));
}

Result<ChatEndpoint> OpenAiModel::endpoint(const std::string& name) const {
  if (name.empty())
    return fail(Code::invalid, fmt::format("model {}/ has no name", server_.provider),
                fmt::format("write {}/NAME", server_.provider));
  auto endpoint =
      TRY(make_endpoint(server_.base_url, server_.key, server_.key_name, server_.url_name));
  if (endpoint.host == kOpenAiHost && endpoint.key.empty())
    return fail(Code::denied,
                fmt::format("model {}/{} needs {}", server_.provider, base::printable(name),
                            server_.key_name),
                fmt::format("set {}, or {} to a server that needs no key", server_.key_name,
                            server_.url_name));
  return endpoint;
}

Result<ChatRequest> OpenAiModel::request(const std::string& name, const abi::ModelGenerate& call) {
  ChatRequest out;
  out.model = base::printable(base::shortened(call.model, 200));
  out.endpoint = TRY(endpoint(name));
  out.turn = call.turn;
  if (!call.conversation)
    return fail(Code::internal,
                fmt::format("model {}: the call carries no conversation", out.model));
  ChatShape shape{name, call.output_tokens_max};
  if (out.endpoint.host == kOpenAiHost) shape.limit = OutputLimit::max_completion_tokens;
  out.body = TRY(chat_request_body(shape, *call.conversation, blobs_));
  return out;
}

Result<ChatClient*> OpenAiModel::client() {
  const std::lock_guard lock(mutex_);
  if (!client_) client_ = TRY(ChatClient::open(options_));
  return client_.get();
}

}  // namespace alos::providers
