#include "providers/models.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "providers/model_openai.h"
#include "providers/model_script.h"

namespace alos::providers {
namespace {

using base::Code;
using base::Result;
using Done = std::function<void(ports::Outcome<abi::ModelGenerate::Reply>)>;

constexpr std::string_view kScript = "script:";
constexpr std::string_view kOpenAi = "openai/";
constexpr std::string_view kOllama = "ollama/";
constexpr std::array<std::string_view, 3> kPrefixes{kScript, kOpenAi, kOllama};

base::Unexpected unknown_model(const std::string& model) {
  const std::string_view prefix =
      std::string_view(model).substr(0, std::min(model.find_first_of(":/"), model.size() - 1) + 1);
  const std::string_view near = model.empty() ? "" : base::nearest(prefix, kPrefixes);
  return base::fail(Code::invalid,
                    fmt::format("model `{}` is of no known provider",
                                base::printable(base::shortened(model, 80))),
                    fmt::format("{}known: script:PATH, openai/NAME, ollama/NAME",
                                near.empty() ? "" : fmt::format("did you mean {}...? ", near)));
}

class RoutedModels : public ports::Models {
 public:
  RoutedModels(ModelOptions options, ports::Blobs& blobs)
      : options_(std::move(options)),
        openai_({"openai", options_.openai_base_url, "OPENAI_BASE_URL", options_.openai_api_key,
                 "OPENAI_API_KEY"},
                options_, blobs),
        ollama_({"ollama", options_.ollama_base_url, "OLLAMA_BASE_URL", "", "a key"}, options_,
                blobs) {}

  Result<void> check(const std::string& model) override {
    if (model.starts_with(kScript)) return script_.check(model.substr(kScript.size()));
    if (model.starts_with(kOpenAi)) return openai_.check(model.substr(kOpenAi.size()));
    if (model.starts_with(kOllama)) return ollama_.check(model.substr(kOllama.size()));
    return unknown_model(model);
  }

  void start(const ports::Intent<abi::ModelGenerate>& intent, Done done) override {
    const abi::ModelGenerate& call = intent.call();
    const std::string& model = call.model;
    if (model.starts_with(kScript))
      return script_.ask(model.substr(kScript.size()), call.process, call.turn, std::move(done));
    if (model.starts_with(kOpenAi))
      return openai_.ask(model.substr(kOpenAi.size()), call, std::move(done));
    if (model.starts_with(kOllama))
      return ollama_.ask(model.substr(kOllama.size()), call, std::move(done));
    done(ports::NotStarted{unknown_model(model).error()});
  }

 private:
  const ModelOptions options_;
  ScriptedModel script_;
  OpenAiModel openai_;
  OpenAiModel ollama_;
};

}  // namespace

std::unique_ptr<ports::Models> make_models(ModelOptions options, ports::Blobs& blobs) {
  return std::make_unique<RoutedModels>(std::move(options), blobs);
}

}  // namespace alos::providers
