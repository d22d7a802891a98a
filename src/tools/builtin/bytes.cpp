#include "tools/builtin/bytes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace alos::tools {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kTailBytesMax = 3;  // of a character that is cut

bool is_continuation(char c) { return (static_cast<std::uint8_t>(c) & 0xC0) == 0x80; }

std::size_t character_bytes(char lead) {
  const auto byte = static_cast<std::uint8_t>(lead);
  return byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
}

// Bytes at the end that begin a character and do not end it.
std::size_t cut_tail_bytes(std::string_view bytes) {
  for (std::size_t n = 1; n <= std::min(kTailBytesMax, bytes.size()); ++n) {
    const char c = bytes[bytes.size() - n];
    if (!is_continuation(c)) return character_bytes(c) > n ? n : 0;
  }
  return 0;
}

constexpr std::array<std::int8_t, 256> digit_values() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kDigits.size(); ++i)
    values[static_cast<std::uint8_t>(kDigits[i])] = static_cast<std::int8_t>(i);
  return values;
}

}  // namespace

Window whole_characters(std::string_view bytes, Edge front, Edge back) {
  std::size_t skipped = 0;
  if (front == Edge::cut)
    while (skipped < std::min(kTailBytesMax, bytes.size()) && is_continuation(bytes[skipped]))
      ++skipped;
  bytes.remove_prefix(skipped);
  if (back == Edge::cut) bytes.remove_suffix(cut_tail_bytes(bytes));
  return {bytes, skipped};
}

Replaced replace_all(std::string_view text, std::string_view old_text, std::string_view new_text) {
  Replaced out;
  std::size_t at = 0;
  for (std::size_t found = text.find(old_text); found != std::string_view::npos;
       found = text.find(old_text, at)) {
    (out.text += text.substr(at, found - at)) += new_text;
    at = found + old_text.size();
    ++out.count;
  }
  out.text += text.substr(at);
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (j < group.size() ? static_cast<std::uint8_t>(group[j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      out += j <= group.size() ? kDigits[bits >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

base::Result<std::string> from_base64(std::string_view text) {
  static constexpr auto kValues = digit_values();
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const std::string_view digits = text.substr(0, text.size() - padding);
  if (text.size() % 4 != 0)
    return base::fail(base::Code::invalid,
                      fmt::format("Base64 of {} characters; it comes in fours", text.size()));
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int value = kValues[static_cast<std::uint8_t>(digits[i])];
    if (value < 0)
      return base::fail(base::Code::invalid, fmt::format("character {} is not Base64", i));
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if (i % 4 == 0) continue;
    out += static_cast<char>(bits >> (6 - 2 * (i % 4)) & 0xFF);
  }
  return out;
}

}  // namespace alos::tools
