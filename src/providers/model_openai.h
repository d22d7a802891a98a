// Models behind an OpenAI-compatible server: model.generate as one chat completion.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "providers/chat_client.h"

namespace alos::providers {

class OpenAiModel {
 public:
  struct Server {
    std::string provider;  // "openai": the prefix of its models
    std::string base_url;
    std::string url_name;
    std::string key;
    std::string key_name;
  };

  // `options` and `blobs` outlive it.
  OpenAiModel(Server server, const ModelOptions& options, ports::Blobs& blobs);

  // Errors: `invalid` (no name, bad URL or key), `denied` (OpenAI itself without a key),
  // `unavailable` (no libcurl).
  base::Result<void> check(const std::string& name);

  // Calls `done` at once when the request cannot be made, else from the network thread.
  void ask(const std::string& name, const abi::ModelGenerate& call, ChatClient::Done done);

 private:
  base::Result<ChatClient*> client();
  base::Result<ChatEndpoint> endpoint(const std::string& name) const;
  base::Result<ChatRequest> request(const std::string& name, const abi::ModelGenerate& call);

  const Server server_;
  const ModelOptions& options_;
  ports::Blobs& blobs_;
  std::mutex mutex_;
  std::unique_ptr<ChatClient>
      client_;  // under mutex_; opened by the first question, then the same for ever
};

}  // namespace alos::providers
