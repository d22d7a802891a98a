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
std::string preview_of(const abi::FsMove& call);
std::string preview_of(const abi::FsRemove& call);
std::string preview_of(const abi::FsMkdir& call);
std::string preview_of(const abi::ProcChdir& call);
std::string preview_of(const abi::ProcSpawn& call);
std::string preview_of(const abi::MemPut& call);
std::string preview_of(const abi::MemAppend& call);
std::string preview_of(const abi::HumanAsk& call);
std::string preview_of(const abi::HumanTell& call);
std::string preview_of(const abi::CapRequest& call);
// Of a call without words of its own: its name, and its arguments, one a line.
std::string preview_of(std::string_view name, std::string_view arguments);

template <abi::Call C>
std::string preview_of(const C& call, const Before&) {
  if constexpr (requires { preview_of(call); })
    return preview_of(call);
  else
    return preview_of(C::kName, base::to_json(call));
}

}  // namespace alos::kernel
