#include "runtime/environment.h"

#include <cstdlib>

namespace alos::runtime {
namespace {

void take(std::string& option, const char* name) {
  const char* value = std::getenv(name);
  if (value != nullptr && *value != '\0') option = value;
}

}  // namespace

providers::ModelOptions model_options_from_environment() {
  providers::ModelOptions options;
  take(options.openai_api_key, "OPENAI_API_KEY");
  take(options.openai_base_url, "OPENAI_BASE_URL");
  take(options.ollama_base_url, "OLLAMA_BASE_URL");
  take(options.proxy, "HTTPS_PROXY");
  return options;
}

}  // namespace alos::runtime
