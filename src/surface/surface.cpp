#include "surface/surface.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <cstdlib>

#include "surface/commands.h"
#include "surface/dispatch.h"
#include "surface/yaml.h"

namespace alos::surface {

using base::Code;
using base::Result;

namespace {

constexpr std::string_view kVersion = "0.1.0";
constexpr unsigned kWidthMin = 60;

Style style_of_terminal(bool json) {
  Style style;
  style.format = json ? Format::json : Format::text;
  const bool terminal = ::isatty(STDOUT_FILENO) != 0 && ::isatty(STDERR_FILENO) != 0;
  const char* no_colour = std::getenv("NO_COLOR");
  const char* kind = std::getenv("TERM");
  const bool plain = (no_colour != nullptr && *no_colour != '\0') ||
                     (kind != nullptr && std::string_view(kind) == "dumb");
  style.colour = terminal && !plain && !json ? Colour::on : Colour::off;
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0)
    style.width = 160;
  else if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    style.width = std::max<unsigned>(size.ws_col, kWidthMin);
  return style;
}

std::string absolute(const std::string& dir) {
  if (dir.starts_with('/')) return dir;
  char buffer[PATH_MAX];
  return ::getcwd(buffer, sizeof(buffer)) != nullptr ? std::string(buffer) + '/' + dir : dir;
}

bool wants_json(const std::vector<std::string>& words) {
  for (const std::string& word : words)
    if (word == "--json")
      return true;
    else if (word == "--")
      return false;
  return false;
}

// `--edit @FILE`: the file is of the person who types, not of the runtime that answers.
Result<std::vector<std::string>> with_files_read(std::vector<std::string> words) {
  constexpr std::string_view kEdit = "--edit", kInOne = "--edit=@";
  constexpr std::size_t kFileBytesMax = 16U << 20;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].starts_with(kInOne))
      words[i] = "--edit=" + TRY(read_whole_file(words[i].substr(kInOne.size()), kFileBytesMax));
    else if (i > 0 && words[i - 1] == kEdit && words[i].starts_with('@'))
      words[i] = TRY(read_whole_file(words[i].substr(1), kFileBytesMax));
  }
  return words;
}

Result<int> run_words(const std::vector<std::string>& typed_words, const kernel::Opener& open,
                      Output& output) {
  const std::vector<std::string> words = TRY(with_files_read(typed_words));
  const Parsed parsed = TRY(parse_arguments(words));
  if (parsed.command == nullptr) return output.out(help_text()), 0;
  if (parsed.arguments.has("help")) return output.out(help_text(*parsed.command)), 0;
  const std::string store = parsed.arguments.one("store").value_or(default_store_dir());
  if (store.empty()) return base::fail(Code::invalid, "--store is empty", "name a directory");
  Host host{open, output, style_of_terminal(parsed.arguments.has("json")), absolute(store)};
  return dispatch(host, parsed, words);
}

}  // namespace

int run(int argc, char** argv, const kernel::Opener& open) {
  std::signal(SIGPIPE,
              SIG_IGN);  // a reader that goes away, and a file size limit, are errors like others
  std::signal(SIGXFSZ, SIG_IGN);
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  FileOutput output(STDOUT_FILENO, STDERR_FILENO);
  const auto code = run_words(words, open, output);
  if (!code) report(output, style_of_terminal(wants_json(words)), code.error());
  output.flush();
  return code ? *code : static_cast<int>(code.error().code);
}

Result<int> version(Host& host, const Arguments&) {
  host.output.out(host.style.json()
                      ? typed("version", fmt::format(R"({{"version":"{}"}})", kVersion))
                      : fmt::format("alos {}\n", kVersion));
  return 0;
}

Result<int> completion(Host& host, const Arguments& arguments) {
  host.output.out(TRY(completion_script(arguments.words[0])));
  return 0;
}

}  // namespace alos::surface
