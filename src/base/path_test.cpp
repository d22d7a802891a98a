// A Path that leads up, or holds what no file name may, cannot be made.
#include "base/path.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <vector>

namespace alos::base::test {
namespace {

Path path(std::string_view text) {
  auto parsed = Path::parse(text);
  EXPECT_TRUE(parsed.has_value()) << text << ": " << parsed.error().what;
  return parsed ? *parsed : Path();
}

TEST(Path, ParsesFromAWorkingDirectory) {
  struct Row {
    std::string_view text, cwd, whole;
  };
  const std::vector<Row> rows{{"/workspace/a.cc", "/other", "/workspace/a.cc"},
                              {"a.cc", "/workspace/src", "/workspace/src/a.cc"},
                              {"a.cc", "/", "/a.cc"},
                              {"./a.cc", "/workspace", "/workspace/a.cc"},
                              {".", "/workspace", "/workspace"},
                              {"/", "/workspace", "/"},
                              {"//workspace///src/", "/", "/workspace/src"},
                              {"/workspace/./src/.", "/", "/workspace/src"},
                              {"...", "/workspace", "/workspace/..."},
                              {"..a/b..", "/workspace", "/workspace/..a/b.."},
                              {"my file", "/workspace", "/workspace/my file"},
                              {"gr\xc3\xbcn", "/workspace", "/workspace/gr\xc3\xbcn"},
                              {"back\\slash", "/workspace", "/workspace/back\\slash"}};
  for (const Row& row : rows) {
    const auto parsed = Path::parse(row.text, path(row.cwd));
    ASSERT_TRUE(parsed.has_value()) << row.text << ": " << parsed.error().what;
    EXPECT_EQ(parsed->text(), row.whole) << row.text << " in " << row.cwd;
  }
}

TEST(Path, RefusesWhatIsNone) {
  const std::string name_of_255(255, 'n');
  struct Row {
    std::string text;
    std::string_view why;
  };
  const std::vector<Row> rows{{"", "is empty"},
                              {"..", "`..`"},
                              {"/workspace/../etc/passwd", "`..`"},
                              {"a/..", "`..`"},
                              {"a//../b", "`..`"},
                              {std::string("a\0b", 3), "NUL"},
                              {"a\xff", "UTF-8"},
                              {"\xc0\xae\xc0\xae/etc", "UTF-8"},  // overlong `..`
                              {name_of_255 + "n", "256 bytes"},
                              {std::string(4097, '/'), "4097 bytes"}};
  for (const Row& row : rows) {
    const auto parsed = Path::parse(row.text);
    ASSERT_FALSE(parsed.has_value()) << row.text;
    EXPECT_EQ(parsed.error().code, Code::invalid);
    EXPECT_NE(parsed.error().what.find(row.why), std::string::npos) << parsed.error().what;
    EXPECT_FALSE(parsed.error().details.empty()) << "no way out: " << parsed.error().what;
  }
  EXPECT_TRUE(Path::parse(name_of_255).has_value());
}

TEST(Path, IsBoundedTogetherWithItsWorkingDirectory) {
  std::string deep;
  while (deep.size() + 201 < kPathBytesMax) deep += '/' + std::string(200, 'd');
  const Path cwd = path(deep);
  EXPECT_TRUE(Path::parse("x", cwd).has_value());
  const auto over = Path::parse(std::string(200, 'x'), cwd);
  ASSERT_FALSE(over.has_value());
  EXPECT_EQ(over.error().code, Code::invalid);
}

TEST(Path, HasParts) {
  struct Row {
    std::string_view text, root, below, name, parent;
  };
  const std::vector<Row> rows{{"/", "", "", "", "/"},
                              {"/workspace", "workspace", "", "workspace", "/"},
                              {"/workspace/a", "workspace", "a", "a", "/workspace"},
                              {"/workspace/a/b.c", "workspace", "a/b.c", "b.c", "/workspace/a"}};
  for (const Row& row : rows) {
    const Path one = path(row.text);
    EXPECT_EQ(one.root(), row.root) << row.text;
    EXPECT_EQ(one.below(), row.below) << row.text;
    EXPECT_EQ(one.name(), row.name) << row.text;
    EXPECT_EQ(one.parent().text(), row.parent) << row.text;
    EXPECT_EQ(one.is_top(), row.text == "/");
  }
}

TEST(Path, ChildIsOneNameBeneath) {
  const Path top = path("/workspace");
  EXPECT_EQ(top.child("a")->text(), "/workspace/a");
  EXPECT_EQ(Path().child("a")->text(), "/a");
  for (const std::string_view bad :
       {std::string_view("a/b"), std::string_view("/a"), std::string_view(".."),
        std::string_view(""), std::string_view("a\0b", 3)}) {
    const auto child = top.child(bad);
    ASSERT_FALSE(child.has_value()) << bad;
    EXPECT_EQ(child.error().code, Code::invalid);
  }
}

TEST(Path, IsWithinBySegments) {
  struct Row {
    std::string_view text, ancestor;
    bool within;
  };
  const std::vector<Row> rows{{"/w/src/a", "/w/src", true},
                              {"/w/src", "/w/src", true},
                              {"/w/src2", "/w/src", false},
                              {"/w/src2/a", "/w/src", false},
                              {"/w", "/w/src", false},
                              {"/w/sr", "/w/src", false},
                              {"/w", "/", true},
                              {"/", "/", true},
                              {"/", "/w", false}};
  for (const Row& row : rows)
    EXPECT_EQ(path(row.text).is_within(path(row.ancestor)), row.within)
        << row.text << " in " << row.ancestor;
}

RC_GTEST_PROP(Path, WhateverIsParsedHasNoWayUpAndParsesToItself,
              (const std::vector<std::uint8_t>& picks)) {
  static constexpr std::array<std::string_view, 9> kPieces{"/", "/", ".",        "..", "a",
                                                           "b", " ", "\xc3\xbc", "\n"};
  std::string text;
  for (const std::uint8_t pick : picks) text += kPieces[pick % kPieces.size()];
  const auto parsed = Path::parse(text, path("/root/dir"));
  if (!parsed) return;
  const std::string whole = parsed->text() + '/';
  RC_ASSERT(whole.find("/../") == std::string::npos && whole.find("/./") == std::string::npos);
  RC_ASSERT(parsed->is_top() || whole.find("//") == std::string::npos);
  RC_ASSERT(Path::parse(parsed->text()).value() == *parsed);
  if (text.front() != '/') RC_ASSERT(parsed->is_within(path("/root/dir")));
}

}  // namespace
}  // namespace alos::base::test
