// The built-in tools by what they are about, and what each of them is made of: a struct
//
//   struct GetTime {
//     static constexpr std::string_view kName, kDescription;
//     struct Args { ...; ALOS_FIELDS(...)  [static constexpr std::array<std::string_view, N>
//     kFieldDocs;] }; struct Reply { ...; ALOS_FIELDS(...) };     // strings and RawJson, not Text
//     and Json: all of it, however large static base::Result<Reply> run(abi::Syscalls& sys, Args
//     args); [static constexpr std::string_view kSchema;]   // where the schema of Args says too
//     little
//   };
#pragma once

#include <span>

#include "tools/tools.h"

// ALOS_FIELDS for names that C++ keeps for itself: the names as one string, then the members in the
// same order.
#define ALOS_NAMED_FIELDS(names, ...)                       \
  static constexpr std::string_view kFieldText = names;     \
  constexpr auto fields() { return std::tie(__VA_ARGS__); } \
  constexpr auto fields() const { return std::tie(__VA_ARGS__); }

namespace alos::tools {

std::vector<Tool> file_tools();
std::vector<Tool> search_tools();
std::vector<Tool> object_tools();
std::vector<Tool> human_tools();
std::vector<Tool> process_tools();
std::vector<Tool> family_tools();
// A pid, or the name of one of those below the caller, the youngest first.
base::Result<base::Pid> process_named(abi::Syscalls& sys, const std::string& text);
std::vector<Tool> message_tools();

// The error of arguments that do not fit, with the tool's name and what it takes, as in `path,
// offset?`.
base::Unexpected bad_arguments(std::string_view tool, base::Error error, std::string_view takes);

bool is_blank(std::string_view text);

// The bytes of a payload a syscall answered with.
base::Result<std::string> bytes_of(base::Payload payload);

template <base::Described T>
std::string describe_fields() {
  [[maybe_unused]] static constexpr auto kNames = base::field_names<T>();
  std::string out;
  std::size_t i = 0;
  const auto one = [&]<typename F>(const F&) {
    (out += out.empty() ? "" : ", ") += kNames[i++];
    if constexpr (base::IsOptional<F>::value) out += '?';
  };
  std::apply([&](const auto&... field) { (one(field), ...); }, T{}.fields());
  return out;
}

template <base::Described Args>
base::Result<Args> read_arguments(std::string_view tool, std::string_view text) {
  auto args = base::from_json<Args>(is_blank(text) ? "{}" : text, base::Source::outside,
                                    kArgumentsBytesMax);
  if (!args) return bad_arguments(tool, std::move(args).error(), describe_fields<Args>());
  return args;
}

template <typename T>
base::Result<abi::ToolReply> run_builtin(abi::Syscalls& sys, std::string_view arguments) {
  auto args = TRY(read_arguments<typename T::Args>(T::kName, arguments));
  const auto reply = TRY(T::run(sys, std::move(args)));
  return abi::ToolReply{base::Json::trusted(base::to_json(reply))};
}

template <typename T>
Tool make_tool() {
  std::string schema;
  if constexpr (requires { T::kSchema; })
    schema = T::kSchema;
  else
    schema = base::json_schema<typename T::Args>();
  return {
      {std::string(T::kName), std::string(T::kDescription), base::Json::trusted(std::move(schema))},
      &run_builtin<T>};
}

template <typename... T>
std::vector<Tool> make_tools() {
  return {make_tool<T>()...};
}

}  // namespace alos::tools
