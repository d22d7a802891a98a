// The model providers: which of them answers is the prefix of the model's name.
//
//   script:PATH    replies read from a file of JSON lines (model_script.h)
//   openai/NAME    any server that speaks OpenAI's chat completions (model_openai.h)
//   ollama/NAME    the same wire, an Ollama on this machine unless told otherwise
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "ports/hands.h"

namespace alos::providers {

// What the runtime hands in: nothing here is read from the environment by a provider.
struct ModelOptions {
  std::string openai_base_url = "https://api.openai.com/v1";  // OPENAI_BASE_URL
  std::string openai_api_key;  // OPENAI_API_KEY; empty: no Authorization header
  std::string ollama_base_url = "http://127.0.0.1:11434/v1";  // OLLAMA_BASE_URL
  std::string proxy;  // URL of an HTTP proxy; empty: none, whatever the environment says

  std::string ca_file;  // PEM file of the authorities to trust; empty: the system's

  // An attempt that failed in a way that may pass is made again, up to both of these.
  std::uint32_t tries_max = 6;
  std::chrono::milliseconds total_max =
      std::chrono::minutes(10);  // from the first try to the start of the last
  // Waits double from base to max; a server's Retry-After goes before them.
  std::chrono::milliseconds backoff_base{500};
  std::chrono::milliseconds backoff_max{30'000};

  std::chrono::milliseconds connect_timeout{15'000};
  std::chrono::milliseconds idle_timeout =
      std::chrono::minutes(5);  // without a byte in either direction
  std::size_t reply_bytes_max = 64U << 20;
  std::size_t in_flight_max = 256;  // requests on the network at once; the rest queue
};

// Starts no thread and loads no network library until a model is asked that needs them. Destruction
// stops the thread; what is still in flight completes as NotStarted or Failed with `cancelled`.
// `blobs` outlives it.
std::unique_ptr<ports::Models> make_models(ModelOptions options, ports::Blobs& blobs);

}  // namespace alos::providers
