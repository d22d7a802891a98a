#include "surface/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "base/text.h"

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;

std::optional<std::string> Arguments::one(std::string_view name) const {
  const auto found = options.find(name);
  if (found == options.end() || found->second.empty()) return std::nullopt;
  return found->second.back();
}

std::vector<std::string> Arguments::all(std::string_view name) const {
  const auto found = options.find(name);
  return found == options.end() ? std::vector<std::string>{} : found->second;
}

namespace {

constexpr std::size_t kWordsMax = 3;  // of any command

// Where the command's one or two words stand among the common options that may come before them.
struct Place {
  std::size_t first = 0;
  std::size_t count = 0;
};

Place command_place(const std::vector<std::string>& words) {
  std::size_t at = 0;
  while (at < words.size() && words[at].starts_with('-')) at += words[at] == "--store" ? 2 : 1;
  if (at >= words.size()) return {};
  if (at + 1 < words.size() && find_command(words[at] + ' ' + words[at + 1]) != nullptr)
    return {at, 2};
  return {at, 1};
}

std::string usage_hint(const CommandSpec& command) {
  return fmt::format("alos {} --help shows how", command.name);
}

Result<const CommandSpec*> command_at(const std::vector<std::string>& words, Place place) {
  const std::string& word = words[place.first];
  const std::string name = place.count == 2 ? word + ' ' + words[place.first + 1] : word;
  if (const CommandSpec* command = find_command(name)) return command;
  std::vector<std::string_view> known;
  std::string family;
  for (const CommandSpec& command : commands()) {
    known.push_back(command.name);
    if (command.name.starts_with(word + ' '))
      family += fmt::format("{}alos {}", family.empty() ? "" : ", ", command.name);
  }
  if (!family.empty())
    return fail(Code::invalid, fmt::format("`{}` needs a second word", base::printable(word)),
                family);
  const std::string_view near = base::nearest(word, known);
  return fail(Code::invalid,
              fmt::format("no command `{}`{}", base::printable(base::shortened(word, 60)),
                          near.empty() ? "" : fmt::format("; did you mean `{}`?", near)),
              "alos --help lists them; a goal is given as alos run \"GOAL\"");
}

// What CLI11 fills, for one command.
struct Target {
  std::vector<std::string> words;
  std::map<std::string, std::vector<std::string>, std::less<>> values;
  std::map<std::string, bool, std::less<>> flags;
};

void declare(CLI::App& app, const OptionSpec& option, Target& target) {
  const std::string name(option.name);
  const std::string spelled =
      (option.letter != 0 ? fmt::format("-{},", option.letter) : std::string()) + "--" + name;
  if (option.value.empty()) {
    app.add_flag(spelled, target.flags[name]);
  } else {
    app.add_option(spelled, target.values[name])
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
}

Result<void> check_words(const CommandSpec& command, const std::vector<std::string>& words) {
  std::size_t required = 0;
  for (const WordSpec& word : command.words)
    required += word.presence == Presence::required ? 1 : 0;
  if (words.size() < required)
    return fail(Code::invalid,
                fmt::format("`{}` needs {}", command.name, command.words[words.size()].name),
                usage_hint(command));
  if (words.size() > command.words.size())
    return fail(Code::invalid,
                fmt::format("`{}` does not know what to do with `{}`", command.name,
                            base::printable(base::shortened(words[command.words.size()], 80))),
                command.name == "run" ? "a goal of several words is one argument: quote it"
                                      : usage_hint(command));
  return {};
}

base::Unexpected bad_option(const CommandSpec& command, const std::vector<std::string>& rest,
                            const std::string& what) {
  std::vector<std::string> names;
  for (const auto& option : command.options) names.push_back("--" + std::string(option.name));
  for (const auto& option : common_options()) names.push_back("--" + std::string(option.name));
  const std::vector<std::string_view> known(names.begin(), names.end());
  for (const std::string& word : rest) {
    const std::string name = word.substr(0, word.find('='));
    if (!name.starts_with("--") || std::find(names.begin(), names.end(), name) != names.end())
      continue;
    const std::string_view near = base::nearest(name, known);
    return fail(Code::invalid,
                fmt::format("`{}` has no option {}{}", command.name,
                            base::printable(base::shortened(name, 60)),
                            near.empty() ? "" : fmt::format("; did you mean {}?", near)),
                usage_hint(command));
  }
  return fail(Code::invalid, fmt::format("`{}`: {}", command.name, base::printable(what)),
              usage_hint(command));
}

Result<void> parse_with_cli11(const CommandSpec& command, std::vector<std::string> rest,
                              Target& target) {
  CLI::App app;
  app.set_help_flag();
  for (const OptionSpec& option : command.options) declare(app, option, target);
  for (const OptionSpec& option : common_options()) declare(app, option, target);
  // One option a word, and one for the word too many: of a list CLI11 would take "[a,b]" apart.
  std::array<std::string, kWordsMax + 1> words;
  for (std::size_t i = 0; i < words.size(); ++i) app.add_option(fmt::format("word{}", i), words[i]);
  const std::vector<std::string> given = rest;
  std::reverse(rest.begin(), rest.end());  // as CLI11 wants a vector
  try {
    app.parse(std::move(rest));
  } catch (const CLI::Error& error) {
    return bad_option(command, given, error.what());
  }
  for (std::size_t i = 0; i < words.size(); ++i)
    if (app.get_option(fmt::format("word{}", i))->count() > 0)
      target.words.push_back(std::move(words[i]));
  return {};
}

std::string synopsis(const CommandSpec& command) {
  std::string out = fmt::format("alos {}", command.name);
  for (const WordSpec& word : command.words)
    out += word.presence == Presence::required ? fmt::format(" {}", word.name)
                                               : fmt::format(" [{}]", word.name);
  return command.options.empty() ? out : out + " [OPTIONS]";
}

std::string option_line(const OptionSpec& option) {
  const std::string left =
      fmt::format("{}--{}{}{}", option.letter != 0 ? fmt::format("-{}, ", option.letter) : "",
                  option.name, option.value.empty() ? "" : " ", option.value);
  return fmt::format("  {:<30} {}\n", left, option.help);
}

}  // namespace

Result<Parsed> parse_arguments(const std::vector<std::string>& words) {
  const Place place = command_place(words);
  Parsed parsed;
  if (place.count == 0) {
    for (const std::string& word : words)
      if (word == "--version")
        return parsed.command = find_command("version"), parsed;
      else if (word != "--help" && word != "-h" && word != "--json" && !word.starts_with("--store"))
        return fail(Code::invalid,
                    fmt::format("no option {}", base::printable(base::shortened(word, 60))),
                    "alos --help");
    return parsed;
  }
  if (words[place.first] == "help") {
    if (place.first + 1 >= words.size()) return parsed;
    std::vector<std::string> rest(words.begin() + static_cast<std::ptrdiff_t>(place.first) + 1,
                                  words.end());
    rest.emplace_back("--help");
    return parse_arguments(rest);
  }
  parsed.command = TRY(command_at(words, place));
  std::vector<std::string> rest = words;
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(place.first),
             rest.begin() + static_cast<std::ptrdiff_t>(place.first + place.count));
  Target target;
  TRY(parse_with_cli11(*parsed.command, std::move(rest), target));
  parsed.arguments.words = std::move(target.words);
  for (auto& [name, values] : target.values)
    if (!values.empty()) parsed.arguments.options[name] = std::move(values);
  for (const auto& [name, given] : target.flags)
    if (given) parsed.arguments.options[name] = {};
  if (!parsed.arguments.has("help")) TRY(check_words(*parsed.command, parsed.arguments.words));
  return parsed;
}

std::string help_text() {
  std::string out =
      "alos: run LLM agents as processes, with explicit authority, durable to the last step\n\n"
      "  alos COMMAND [ARGUMENTS] [--store DIR] [--json] [--help]\n\n";
  for (const CommandSpec& command : commands())
    out += fmt::format("  {:<14} {}\n", command.name, command.summary);
  return out +
         "\nBegin with:  alos demo\n"
         "Exit codes: 0, or 1 denied, 2 parked, 3 not_found, 4 exists, 5 invalid, 6 conflict, 7 "
         "exhausted, 8 timeout,\n"
         "  9 cancelled, 10 unavailable, 11 outcome_unknown, 12 nondeterministic, 13 corrupt, 14 "
         "internal\n";
}

std::string help_text(const CommandSpec& command) {
  std::string out =
      fmt::format("{}: {}\n\n  {}\n\n", command.name, command.summary, synopsis(command));
  for (const OptionSpec& option : command.options) out += option_line(option);
  for (const OptionSpec& option : common_options()) out += option_line(option);
  out += "\nExamples:\n";
  std::string_view rest = command.examples;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    out += fmt::format("  {}\n", rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  return out;
}

Result<std::string> completion_script(std::string_view shell) {
  if (shell != "bash")
    return fail(Code::invalid, fmt::format("no completion for `{}`", base::printable(shell)),
                "there is one for bash: source <(alos completion bash)");
  std::string names;
  std::string cases;
  std::map<std::string, std::string> seconds;
  for (const CommandSpec& command : commands()) {
    const std::size_t space = command.name.find(' ');
    const std::string first(command.name.substr(0, space));
    if (space != std::string_view::npos) {
      if (seconds[first].empty()) names += first + ' ';
      seconds[first] += std::string(command.name.substr(space + 1)) + ' ';
      continue;
    }
    names += first + ' ';
    std::string options;
    for (const OptionSpec& option : command.options) options += fmt::format("--{} ", option.name);
    cases += fmt::format("    {}) words=\"{}--store --json --help\" ;;\n", first, options);
  }
  for (const auto& [first, second] : seconds)
    cases += fmt::format("    {}) words=\"{}--store --json --help\" ;;\n", first, second);
  return fmt::format(
      "_alos() {{\n  local word=\"${{COMP_WORDS[COMP_CWORD]}}\" words=\"{}\"\n"
      "  case \"${{COMP_WORDS[1]}}\" in\n{}  esac\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"{}\"; fi\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}}\ncomplete -o default -F _alos "
      "alos\n",
      names, cases, names);
}

}  // namespace alos::surface
