// fake_openai: an OpenAI-compatible server on 127.0.0.1 whose replies come from a script of the
// scripted model.
//
//   fake_openai SCRIPT.jsonl [PORT]      prints the base URL, then serves until it is killed
//
// The turn is the number of assistant messages in the request; the process is the model's name when
// the script has lines for it, else `root`. A line with `error` is answered with the fitting HTTP
// status.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "base/json.h"
#include "fakes/chat_server.h"
#include "providers/model_script.h"

namespace {

namespace base = alos::base;
namespace fakes = alos::fakes;
namespace providers = alos::providers;

fakes::Served failure(int status, const std::string& message) {
  std::string body = "{\"error\":{\"message\":";
  base::append_json_string(body, message);
  return fakes::json_body(body + "}}", status);
}

int status_of(base::Code code) {
  switch (code) {
    case base::Code::denied: return 401;
    case base::Code::not_found: return 404;
    case base::Code::invalid: return 400;
    case base::Code::exhausted: return 429;
    default: return 503;
  }
}

fakes::Served answer(const providers::Script& script, const fakes::Heard& heard) {
  if (heard.method != "POST" || !heard.target.ends_with("/chat/completions"))
    return failure(404, "no such page: " + heard.target);
  const auto request = base::Document::parse(heard.body, base::Source::outside);
  const auto messages = request ? request->root().field("messages") : std::nullopt;
  if (!messages || messages->kind() != "array") return failure(400, "the request has no messages");
  std::uint32_t turn = 0;
  for (std::size_t i = 0; i < messages->size(); ++i) {
    const auto role = messages->at(i).field("role");
    turn += role && role->string() == "assistant" ? 1 : 0;
  }
  const auto model = request->root().field("model");
  const std::string name(model ? model->string().value_or("") : "");
  const auto line = script.line(script.has_process(name) ? name : "root", turn);
  if (!line) return failure(400, line.error().what);
  if ((*line)->error) return failure(status_of((*line)->error->code), (*line)->error->what);
  const auto stream = request->root().field("stream");
  const bool streamed = stream && stream->boolean().value_or(false);
  auto served = streamed ? fakes::events(fakes::streamed_reply((*line)->reply))
                         : fakes::json_body(fakes::whole_reply((*line)->reply));
  served.delay = (*line)->delay;
  return served;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fputs("usage: fake_openai SCRIPT.jsonl [PORT]\n", stderr);
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  if (!file) {
    fmt::print(stderr, "fake_openai: {} cannot be read\n", argv[1]);
    return 3;
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto script = providers::Script::parse(text, argv[1]);
  if (!script) {
    fmt::print(stderr, "fake_openai: {}\n", script.error().what);
    return 5;
  }
  const auto port = argc == 3 ? base::parse_unsigned(argv[2]).value_or(0) : 0;
  const fakes::ChatServer server(
      [&](const fakes::Heard& heard, std::size_t) { return answer(*script, heard); },
      static_cast<int>(port));
  fmt::print("{}\n", server.base_url());
  std::fflush(stdout);
  for (;;) ::pause();
}
