// Preview: what a call would do, in words, for the person who is asked.
#pragma once

#include <string>

#include "abi/calls.h"

namespace alos::kernel {

std::string preview_of(const abi::FsWrite& call);
std::string preview_of(const abi::FsMove& call);
template <typename C>
std::string preview_of(const C&) {
  return {};
}

}  // namespace alos::kernel
