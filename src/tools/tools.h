// Tools: the libc of models. A tool is a name, a JSON Schema and a plain function over syscalls; it
// holds no authority and no state of its own.
//
// A tool may run many times for one call (see abi/syscalls.h), so it does nothing but syscalls and
// plain computation, and returns every error unchanged, `parked` above all. Payloads that syscalls
// answer with are at hand.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "abi/program.h"
#include "abi/tool_text.h"

namespace alos::tools {

inline constexpr std::size_t kArgumentsBytesMax = 3U << 19;     // of one call's JSON: 1.5 MB
inline constexpr std::uint64_t kReadBytesDefault = 256U << 10;  // read_file without a limit

struct Tool {
  abi::ToolSpec spec;
  // Empty arguments stand for {}. Arguments that do not fit are `invalid` and say which field, and
  // what the tool takes.
  std::function<base::Result<abi::ToolReply>(abi::Syscalls&, std::string_view arguments_json)> run;
};

// An immutable set of tools with distinct names.
class ToolSet {
 public:
  explicit ToolSet(std::vector<Tool> tools);

  const Tool* find(
      std::string_view name) const;  // nullptr: no such tool; valid as long as this set
  const std::vector<Tool>& all() const { return tools_; }  // in byte order of their names

 private:
  std::vector<Tool> tools_;
};

ToolSet builtin_tools();

using abi::text_of;

}  // namespace alos::tools
