// Preview: what a call would do, in words, for the person who is asked.
#pragma once

#include <optional>
#include <string>

#include "abi/calls.h"

namespace alos::kernel {

inline constexpr std::size_t kShownBytesMax = 256 * 1024;  // of a file whose change is shown

// What is at the place that a call would change.
struct Before {
  enum class Is : std::uint8_t { unknown, nothing, file } is = Is::unknown;
  std::optional<std::string> content;  // of a file that is not too large to be shown
};

std::string preview_of(const abi::FsWrite& call, const Before& before);
std::string preview_of(const abi::FsMove& call, const Before& before);
template <typename C>
std::string preview_of(const C&, const Before&) {
  return {};
}

}  // namespace alos::kernel
