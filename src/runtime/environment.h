// Environment: the one place where variables of the host's environment are read.
#pragma once

#include "providers/models.h"

namespace alos::runtime {

// OPENAI_API_KEY, OPENAI_BASE_URL, OLLAMA_BASE_URL, HTTPS_PROXY; what is not set keeps its default.
providers::ModelOptions model_options_from_environment();

}  // namespace alos::runtime
