#include "tools/builtin/builtin.h"

#include <fmt/format.h>

namespace alos::tools {

base::Unexpected bad_arguments(std::string_view tool, base::Error error, std::string_view takes) {
  if (!error.details.empty()) error.details += "; ";
  error.details += fmt::format("{} takes {{{}}}", tool, takes);
  return base::fail(error.code, fmt::format("arguments of {}: {}", tool, error.what),
                    std::move(error.details));
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

base::Result<std::string> bytes_of(base::Payload payload) {
  if (!payload.blob) return std::move(payload.data);
  return base::fail(base::Code::internal,
                    "a syscall answered with a reference instead of the bytes");
}

}  // namespace alos::tools
