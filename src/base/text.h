// Text: what may be shown to a person or put in JSON, and how near two words are.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace alos::base {

bool is_utf8(std::string_view bytes);

// The text made safe for a terminal and a reader: control characters, bidirectional overrides,
// zero-width and other invisible characters become \u{XXXX}; bytes that are no UTF-8 become \xNN.
// Newlines and tabs become \n and \t unless `keep_lines`.
enum class Lines : unsigned char { escape, keep };
std::string printable(std::string_view text, Lines lines = Lines::escape);

// At most `bytes_max` bytes of it, cut between characters, with … when cut.
std::string shortened(std::string_view text, std::size_t bytes_max);

// The text as one word of a POSIX shell that means itself: 'it'\''s'.
std::string shell_quoted(std::string_view text);

// 300, 64K, 10MB; the units are powers of 1024. Errors: `invalid`.
Result<std::uint64_t> parse_bytes(std::string_view text);

// The nearest of `known` to `word` by edit distance; empty when none is near enough to suggest.
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

}  // namespace alos::base
