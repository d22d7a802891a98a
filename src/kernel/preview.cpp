#include "kernel/preview.h"

#include <fmt/format.h>

#include "base/text.h"

namespace alos::kernel {
namespace {

constexpr std::size_t kPreviewBytesMax = 600;

}  // namespace

std::string preview_of(const abi::FsWrite& call, const std::optional<std::string>&) {
  const std::string_view how = call.existing == abi::Existing::must ? "change it to"
                               : call.existing == abi::Existing::must_not
                                   ? "create it with"
                                   : "create or replace it with";
  return fmt::format(
      "{} {} bytes:\n{}", how, call.content.size_bytes(),
      base::printable(base::shortened(call.content.data, kPreviewBytesMax), base::Lines::keep));
}

std::string preview_of(const abi::FsMove& call, const std::optional<std::string>&) {
  return fmt::format("move {} to {}", base::printable(call.from.text()),
                     base::printable(call.to.text()));
}

}  // namespace alos::kernel
