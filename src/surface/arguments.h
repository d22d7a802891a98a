// Arguments: the commands there are, as one table from which parsing, help and completion are made.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace alos::surface {

struct Session;
struct Host;

// What a command was given: words by position, options by name without dashes.
struct Arguments {
  std::vector<std::string> words;
  std::map<std::string, std::vector<std::string>, std::less<>> options;

  bool has(std::string_view name) const { return options.find(name) != options.end(); }
  std::optional<std::string> one(std::string_view name) const;  // the last one given
  std::vector<std::string> all(std::string_view name) const;
};

struct OptionSpec {
  std::string_view name;   // long, without dashes
  std::string_view value;  // what it takes, for help; empty: a flag
  std::string_view help;
  char letter = 0;
};

enum class Presence : std::uint8_t { required, optional };
struct WordSpec {
  std::string_view name;
  Presence presence = Presence::required;
};

// What a command needs: nothing (host), the images alone, a look at the store, the owner's word if
// there is one and else a look, or the power to act: through the owner, or as the owner.
enum class Access : std::uint8_t { host, images, look, follow, act };

struct CommandSpec {
  std::string_view name;  // one word or two
  std::string_view summary;
  std::span<const WordSpec> words;
  std::span<const OptionSpec> options;
  std::string_view examples;  // one a line
  Access access = Access::host;
  base::Result<int> (*run)(Session&, const Arguments&) =
      nullptr;  // the exit code when it has said everything itself
  base::Result<int> (*run_host)(Host&, const Arguments&) = nullptr;
};

std::span<const CommandSpec> commands();
const CommandSpec* find_command(std::string_view name);

// Of every command: --store, --json, --help.
std::span<const OptionSpec> common_options();

struct Parsed {
  const CommandSpec* command = nullptr;  // null: help on everything
  Arguments arguments;                   // the common options too
};

// Errors are `invalid` and name the nearest command or option.
base::Result<Parsed> parse_arguments(const std::vector<std::string>& words);

std::string help_text();
std::string help_text(const CommandSpec& command);
base::Result<std::string> completion_script(std::string_view shell);  // bash

}  // namespace alos::surface
