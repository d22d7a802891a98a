#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/id.h"

namespace alos::base {
namespace {

struct Decoded {
  char32_t point = 0;
  std::size_t size = 0;  // 0: not UTF-8 here
};

Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {};
  char32_t point = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    point = point << 6 | (byte(i) & 0x3FU);
  }
  const char32_t least = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
  if (point < least || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return {};
  return {point, size};
}

bool is_hidden(char32_t p) {
  return p < 0x20 || (p >= 0x7F && p < 0xA0) || p == 0xAD || p == 0x34F || p == 0x61C ||
         p == 0x115F || p == 0x1160 || p == 0x17B4 || p == 0x17B5 || (p >= 0x180B && p <= 0x180F) ||
         (p >= 0x200B && p <= 0x200F) || (p >= 0x2028 && p <= 0x202E) ||
         (p >= 0x2060 && p <= 0x206F) || p == 0x3164 || (p >= 0xFE00 && p <= 0xFE0F) ||
         p == 0xFEFF || p == 0xFFA0 || (p >= 0xFFF0 && p <= 0xFFFB) ||
         (p >= 0xE0000 && p <= 0xE0FFF);
}

// How many bytes at the beginning are ASCII that shows as it is.
std::size_t leading_plain(std::string_view text) {
  return static_cast<std::size_t>(
      std::find_if(text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7E; }) -
      text.begin());
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    if (bytes.size() >= 8) {  // eight ASCII bytes at a time
      std::uint64_t word = 0;
      __builtin_memcpy(&word, bytes.data(), 8);
      if ((word & 0x8080808080808080ULL) == 0) {
        bytes.remove_prefix(8);
        continue;
      }
    }
    const std::size_t size = decode(bytes).size;
    if (size == 0) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

std::string printable(std::string_view text, Lines lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t plain = leading_plain(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const Decoded c = decode(text);
    if (c.size == 0) {
      out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(text.front()));
      text.remove_prefix(1);
      continue;
    }
    const bool line_break = c.point == '\n' || c.point == '\t';
    if (line_break && lines == Lines::escape) {
      out += c.point == '\n' ? "\\n" : "\\t";
    } else if (!line_break && is_hidden(c.point)) {
      out += fmt::format("\\u{{{:04X}}}", static_cast<std::uint32_t>(c.point));
    } else {
      out += text.substr(0, c.size);
    }
    text.remove_prefix(c.size);
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  if (bytes_max < 3) return {};
  std::size_t end = bytes_max - 3;
  while (end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  std::string_view number = text.ends_with('B') ? text.substr(0, text.size() - 1) : text;
  const unsigned shift = number.ends_with('K')   ? 10
                         : number.ends_with('M') ? 20
                         : number.ends_with('G') ? 30
                                                 : 0;
  if (shift != 0) number.remove_suffix(1);
  const auto count = parse_unsigned(number);
  const bool bare_b = shift == 0 && text.ends_with('B');
  if (!count || bare_b || *count > (std::uint64_t{1} << 50 >> shift))
    return fail(Code::invalid,
                fmt::format("`{}` is not a number of bytes", printable(shortened(text, 60))),
                "a whole number, or with K, M or G: 64K, 10MB");
  return *count << shift;
}

std::string shell_quoted(std::string_view text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/.-_:@+").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + '\'';
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string_view candidate : known) {
    const auto [shorter, longer] = std::minmax({word.size(), candidate.size()});
    if (longer - shorter >= best_distance) continue;
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j < row.size(); ++j) {
        const std::size_t substitute = diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
      }
    }
    if (row.back() < best_distance) best = candidate, best_distance = row.back();
  }
  return best;
}

}  // namespace alos::base
