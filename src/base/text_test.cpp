// What may be shown, and which word was meant.
#include "base/text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <vector>

namespace alos::base::test {
namespace {

TEST(Text, KnowsUtf8) {
  struct Row {
    std::string_view bytes;
    bool good;
  };
  const std::vector<Row> rows{
      {"", true},
      {"plain ASCII, longer than one word of eight", true},
      {"gr\xc3\xbc\xc3\x9f", true},
      {"\xe2\x82\xac", true},
      {"\xf0\x9f\x98\x80", true},
      {"\xf4\x8f\xbf\xbf", true},   // U+10FFFF
      {"\xf4\x90\x80\x80", false},  // above it
      {"\xf5\x80\x80\x80", false},
      {"\x80", false},          // a tail without a lead
      {"12345678\xff", false},  // after a whole word of ASCII
      {"\xc3", false},          // cut
      {"\xe2\x82", false},
      {"\xc0\xaf", false},  // overlong
      {"\xe0\x80\xaf", false},
      {"\xf0\x80\x80\xaf", false},
      {"\xed\xa0\x80", false},            // a surrogate
      {"\xed\x9f\xbf", true},             // the last before them
      {std::string_view("\0", 1), true},  // NUL is a character
  };
  for (const Row& row : rows) EXPECT_EQ(is_utf8(row.bytes), row.good) << printable(row.bytes);
}

TEST(Text, ShowsNothingThatHidesOrActs) {
  struct Row {
    std::string_view text, shown, kept;  // kept: with Lines::keep
  };
  const std::vector<Row> rows{
      {"plain", "plain", "plain"},
      {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
       "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
       "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
      {"a\nb\tc", "a\\nb\\tc", "a\nb\tc"},
      {"a\rb", "a\\u{000D}b", "a\\u{000D}b"},       // overwrites the line
      {"\x1b[2J", "\\u{001B}[2J", "\\u{001B}[2J"},  // clears the screen
      {"\x07", "\\u{0007}", "\\u{0007}"},
      {"\x7f", "\\u{007F}", "\\u{007F}"},
      {"\xc2\x9b"
       "31m",
       "\\u{009B}31m", "\\u{009B}31m"},  // CSI in one character
      {"\xe2\x80\xae"
       "gpj",
       "\\u{202E}gpj", "\\u{202E}gpj"},            // right-to-left override
      {"\xe2\x81\xa6", "\\u{2066}", "\\u{2066}"},  // isolate
      {"a\xe2\x80\x8b"
       "b",
       "a\\u{200B}b", "a\\u{200B}b"},  // zero width
      {"a\xe2\x80\x8d"
       "b",
       "a\\u{200D}b", "a\\u{200D}b"},
      {"\xef\xbb\xbf", "\\u{FEFF}", "\\u{FEFF}"},
      {"\xc2\xad", "\\u{00AD}", "\\u{00AD}"},            // soft hyphen
      {"\xe3\x85\xa4", "\\u{3164}", "\\u{3164}"},        // Hangul filler
      {"\xe2\x80\xa8", "\\u{2028}", "\\u{2028}"},        // line separator
      {"\xef\xb8\x8f", "\\u{FE0F}", "\\u{FE0F}"},        // variation selector
      {"\xf3\xa0\x81\x81", "\\u{E0041}", "\\u{E0041}"},  // a tag character
      {"a\xff\xfe"
       "b",
       "a\\xff\\xfeb", "a\\xff\\xfeb"},
      {"\xe2\x82", "\\xe2\\x82", "\\xe2\\x82"},
      {std::string_view("a\0b", 3), "a\\u{0000}b", "a\\u{0000}b"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(printable(row.text), row.shown);
    EXPECT_EQ(printable(row.text, Lines::keep), row.kept);
  }
}

RC_GTEST_PROP(Text, WhatIsPrintableIsUtf8WithoutControls, (const std::string& bytes)) {
  const std::string shown = printable(bytes);
  RC_ASSERT(is_utf8(shown));
  for (const char c : shown) RC_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  RC_ASSERT(printable(shown) == shown);
}

RC_GTEST_PROP(Text, ShortenedFitsAndStaysUtf8,
              (const std::vector<std::uint16_t>& picks, std::uint8_t bytes_max)) {
  static constexpr std::array<std::string_view, 4> kCharacters{"a", "\xc3\xbc", "\xe2\x82\xac",
                                                               "\xf0\x9f\x98\x80"};
  std::string text;
  for (const std::uint16_t pick : picks) text += kCharacters[pick % kCharacters.size()];
  const std::string cut = shortened(text, bytes_max);
  RC_ASSERT(cut.size() <= bytes_max);
  RC_ASSERT(is_utf8(cut));
  RC_ASSERT((cut == text) == (text.size() <= bytes_max));
}

TEST(Text, ShortenedMarksTheCut) {
  EXPECT_EQ(shortened("hello", 5), "hello");
  EXPECT_EQ(shortened("hello!", 5), "he\xe2\x80\xa6");
  EXPECT_EQ(shortened("\xe2\x82\xac\xe2\x82\xac", 5), "\xe2\x80\xa6");  // half a character is none
  EXPECT_EQ(shortened("hello", 2), "");  // no room to say that it is cut
}

TEST(Text, IsOneWordOfAShell) {
  EXPECT_EQ(shell_quoted(""), "''");
  EXPECT_EQ(shell_quoted("a b"), "'a b'");
  EXPECT_EQ(shell_quoted("it's $HOME"), "'it'\\''s $HOME'");
}

TEST(Text, SuggestsTheNearestWordOrNone) {
  static constexpr std::array<std::string_view, 5> kWords{"read", "write", "list", "execute",
                                                          "workspace"};
  struct Row {
    std::string_view word, meant;
  };
  const std::vector<Row> rows{
      {"raed", "read"},      {"rite", "write"},          {"lst", "list"},
      {"excute", "execute"}, {"workspcae", "workspace"}, {"read", "read"},
      {"banana", ""},        {"wwwwwwww", ""},           {"completely different", ""}};
  for (const Row& row : rows) EXPECT_EQ(nearest(row.word, kWords), row.meant) << row.word;
  EXPECT_EQ(nearest("read", {}), "");
}

}  // namespace
}  // namespace alos::base::test
