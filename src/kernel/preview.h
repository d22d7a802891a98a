// Preview: what a call would do, in words, for the person who is asked.
#pragma once

#include <optional>
#include <string>

#include "abi/calls.h"

namespace alos::kernel {

inline constexpr std::size_t kShownBytesMax = 256 * 1024;  // of a file whose change is shown

// `before`: the content that the call would replace, where there is one.
std::string preview_of(const abi::FsWrite& call, const std::optional<std::string>& before);
std::string preview_of(const abi::FsMove& call, const std::optional<std::string>& before);
template <typename C>
std::string preview_of(const C&, const std::optional<std::string>&) {
  return {};
}

}  // namespace alos::kernel
