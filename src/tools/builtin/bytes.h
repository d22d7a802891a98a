// Plain work on bytes that tools need: cutting text between characters, replacing, Base64 (RFC
// 4648).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace alos::tools {

// What of `bytes` is whole UTF-8 characters, when either end may be inside one.
enum class Edge : std::uint8_t { whole, cut };
struct Window {
  std::string_view text;    // a part of `bytes`
  std::size_t skipped = 0;  // bytes before it
};
Window whole_characters(std::string_view bytes, Edge front, Edge back);

struct Replaced {
  std::string text;
  std::uint64_t count = 0;  // places, from the left, without overlap
};
Replaced replace_all(std::string_view text, std::string_view old_text,
                     std::string_view new_text);  // old_text: not empty

std::string to_base64(std::string_view bytes);
base::Result<std::string> from_base64(
    std::string_view text);  // padded, no white space; else `invalid`

}  // namespace alos::tools
