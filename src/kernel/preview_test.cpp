#include "kernel/preview.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace alos::kernel {
namespace {

abi::FsWrite write(std::string content) {
  return {.path = *base::Path::parse("/workspace/a"), .content = base::Text(std::move(content))};
}

const Before kNothing{Before::Is::nothing, {}};

Before file(std::string content) { return {Before::Is::file, std::move(content)}; }

std::string numbered(int from, int to) {
  std::string out;
  for (int i = from; i <= to; ++i) out += fmt::format("line {}\n", i);
  return out;
}

struct Row {
  std::optional<std::string> before;
  std::string after;
  const char* shown;
};

TEST(Preview, ShowsAWriteAsADiff) {
  for (const Row& row : {
           Row{std::nullopt, "", "create with 0 bytes:\n"},
           Row{std::nullopt, "a\nb\n", "create with 4 bytes:\n+a\n+b\n"},
           Row{"a\n", "a\n", "replace 2 bytes with 2 bytes: the same\n"},
           Row{"", "a\n", "replace 0 bytes with 2 bytes:\n@@ -0,0 +1,1 @@\n+a\n"},
           Row{"a\n", "", "replace 2 bytes with 0 bytes:\n@@ -1,1 +0,0 @@\n-a\n"},
           Row{"a\nb\nc\n", "a\nx\nc\n",
               "replace 6 bytes with 6 bytes:\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"},
           Row{"a\nb", "a\nb\n", "replace 3 bytes with 4 bytes; the last line now ends:\n"},
           // One change among many: three lines around it.
           Row{numbered(1, 9), numbered(1, 4) + "new\n" + numbered(5, 9),
               "replace 63 bytes with 67 bytes:\n@@ -2,6 +2,7 @@\n line 2\n line 3\n line 4\n+new\n"
               " line 5\n line 6\n line 7\n"},
           // Two changes with six lines between share a hunk; with seven they do not.
           Row{"x\n" + numbered(1, 6) + "x\n", "y\n" + numbered(1, 6) + "y\n",
               "replace 46 bytes with 46 bytes:\n@@ -1,8 +1,8 @@\n-x\n+y\n line 1\n line 2\n line "
               "3\n"
               " line 4\n line 5\n line 6\n-x\n+y\n"},
           Row{"x\n" + numbered(1, 7) + "x\n", "y\n" + numbered(1, 7) + "y\n",
               "replace 53 bytes with 53 bytes:\n@@ -1,4 +1,4 @@\n-x\n+y\n line 1\n line 2\n line "
               "3\n"
               "@@ -6,4 +6,4 @@\n line 5\n line 6\n line 7\n-x\n+y\n"},
           Row{std::string("a\0b", 3), "a", "replace 3 bytes with 1 bytes, not text\n"},
           Row{"a", "\xff\xfe", "replace 1 bytes with 2 bytes, not text\n"},
           Row{std::nullopt, "\xff", "create with 1 bytes that are not text\n"},
           Row{"a\n", "\x1b[2J\xe2\x80\xae\n",
               "replace 2 bytes with 8 bytes:\n@@ -1,1 +1,1 @@\n-a\n+\\u{001B}[2J\\u{202E}\n"},
       })
    EXPECT_EQ(preview_of(write(row.after), row.before ? file(*row.before) : kNothing), row.shown);
}

TEST(Preview, IsBoundedAndCountsWhatItLeavesOut) {
  const std::string many = preview_of(write(numbered(1, 500)), kNothing);
  EXPECT_LE(std::count(many.begin(), many.end(), '\n'), 61);
  EXPECT_NE(many.find("… 441 more lines\n"), std::string::npos) << many;
  const std::string wide = preview_of(write(std::string(100'000, 'x')), kNothing);
  EXPECT_LE(wide.size(), 1000U);
  EXPECT_NE(wide.find("x… (100000 bytes) … xx"), std::string::npos) << wide;
  // The end of a long line is shown, from a whole character on.
  const std::string end =
      preview_of(write(std::string(999, 'x') + "é" + std::string(79, ';')), kNothing);
  EXPECT_TRUE(end.ends_with(" (1080 bytes) … " + std::string(79, ';') + "\n")) << end;
  // More than the work allows: all old lines, then all new ones.
  const std::string other = preview_of(write(numbered(5000, 9000)), file(numbered(1, 4000)));
  EXPECT_NE(other.find("@@ -1,4000 +1,4001 @@\n-line 1\n"), std::string::npos) << other;
}

TEST(Preview, SaysWhetherAFileMustBeNew) {
  abi::FsWrite call = write("a\n");
  call.existing = abi::Existing::must_not;
  EXPECT_EQ(preview_of(call, {}), "create with 2 bytes:\n+a\n");
  EXPECT_EQ(preview_of(write("a\n"), {}), "create or replace with 2 bytes:\n+a\n");
  EXPECT_EQ(preview_of(write("a\n"), {Before::Is::file, {}}),
            "replace a file too large to compare with 2 bytes:\n+a\n");
}

struct Told {
  std::string shown;
  std::string expected;
};

TEST(Preview, SaysInWordsWhatACallDoes) {
  const base::Path a = *base::Path::parse("/workspace/a"), b = *base::Path::parse("/workspace/b");
  abi::ProcSpawn spawn{"base", base::Text("Tidy.\nhanded on: no grant"), "kid\x1b", {}, {}};
  const std::string bare = preview_of(spawn, {});
  spawn.grants = {*abi::Grant::from_text("write fs:/workspace/docs/**")};
  spawn.budget.emplace().tool_calls = 3;
  for (const Told& row : {
           Told{preview_of(abi::FsMove{a, b}, {}), "move /workspace/a to /workspace/b\n"},
           Told{preview_of(abi::FsRemove{a}, {}),
                "delete /workspace/a (a file, a link or an empty directory)\n"},
           Told{preview_of(abi::FsMkdir{a, false}, {}), "make the directory /workspace/a\n"},
           Told{preview_of(abi::FsMkdir{a, true}, {}),
                "make the directory /workspace/a, and those above it that are missing\n"},
           Told{preview_of(abi::ProcChdir{a}, {}), "set the working directory to /workspace/a\n"},
           Told{bare,
                "start a process\n image: base\n name: kid\\u{001B}\n handed on: no grant\n"
                " budget: what the caller has left\n goal:\n>Tidy.\n>handed on: no grant\n"},
           Told{preview_of(spawn, {}),
                "start a process\n image: base\n name: kid\\u{001B}\n"
                " handed on: write fs:/workspace/docs/**\n budget: tool_calls 3 tool calls\n"
                " goal:\n>Tidy.\n>handed on: no grant\n"},
           Told{preview_of(abi::MemPut{"2.1", "plan", "note", base::Json::trusted("[1]"), 4}, {}),
                "put the object, 3 bytes:\n object: 2.1/plan\n type: note\n"
                " only over version: 4\n value:\n>[1]\n"},
           Told{preview_of(abi::MemAppend{{}, "plan", base::Json::trusted("1")}, {}),
                "add to the object\n object: plan\n item:\n>1\n"},
           Told{preview_of(abi::HumanTell{"ada", "Done.\xe2\x80\xae"}, {}),
                "tell a person\n whom: ada\n text:\n>Done.\\u{202E}\n"},
           Told{preview_of(abi::HumanAsk{.question = "Which?", .choices = {"left"}}, {}),
                "ask a person\n whom: owner\n question:\n>Which?\n choice: left\n"},
           Told{preview_of(abi::CapRequest{spawn.grants, "to tidy"}, {}),
                "ask the owner for more authority\n wanted: write fs:/workspace/docs/**\n"
                " reason:\n>to tidy\n"},
           Told{preview_of(abi::FsStat{a}, {}), "fs.stat with\n path: \"/workspace/a\"\n"},
           Told{preview_of(abi::TimeSleep{2000}, {}), "time.sleep with\n milliseconds: 2000\n"},
       })
    EXPECT_EQ(row.shown, row.expected);
}

// So much that it is cut: what matters is said before what an agent may make long.
TEST(Preview, ALongGoalHidesNoGrant) {
  const abi::ProcSpawn spawn{"base",
                             base::Text(numbered(1, 900)),
                             std::string(9000, 'n'),
                             {*abi::Grant::from_text("write fs:/workspace/**")},
                             {}};
  const std::string shown = preview_of(spawn, {});
  EXPECT_NE(shown.find(" handed on: write fs:/workspace/**\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find(" more lines\n"), std::string::npos) << shown;
  EXPECT_LT(shown.size(), 8000U);
  EXPECT_LT(preview_of("x", "{\"a\":\"" + std::string(9000, 'n') + "\"}").size(), 1000U);
  EXPECT_EQ(preview_of("x", "no JSON"), "x with\n no JSON\n");
}

}  // namespace
}  // namespace alos::kernel
