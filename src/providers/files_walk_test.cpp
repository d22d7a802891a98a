#include <gtest/gtest.h>
#include <sys/stat.h>

#include "providers/files_ops.h"
#include "providers/test_tree.h"

namespace alos::providers {
namespace {

using base::Code;
namespace fs = std::filesystem;

const Shows kAll = [](const base::Path&) { return true; };

std::vector<std::string> names(const abi::FsList::Reply& reply) {
  std::vector<std::string> out;
  for (const auto& entry : reply.entries) out.push_back(entry.name);
  return out;
}

std::vector<std::string> found(const base::Result<abi::FsSearch::Reply>& reply) {
  std::vector<std::string> out;
  if (!reply) return {"error: " + reply.error().what};
  for (const auto& match : reply->matches)
    out.push_back(match.path.text() + (match.line ? ":" + std::to_string(*match.line) : ""));
  return out;
}

using Names = std::vector<std::string>;

TEST(FilesList, InByteOrderWithKindsAndOddNames) {
  TestTree tree;
  tree.put("b", "12");
  tree.put("B", "");
  tree.put(".hidden", "");
  tree.put("two\nlines", "");
  tree.put("bad\xff", "");
  tree.put(".alos-0011223344556677.tmp", "in flight");
  tree.link("l", "b");
  fs::create_directory(tree.host("d"));
  ASSERT_EQ(::mkfifo(tree.host("p").c_str(), 0600), 0);
  const auto reply = list_directory(*tree.pin("/workspace"), kAll);
  ASSERT_TRUE(reply);
  EXPECT_EQ(names(*reply), (Names{".hidden", "B", "b", "bad\\xff", "d", "l", "p", "two\nlines"}));
  using abi::FileKind;
  const FileKind kinds[] = {FileKind::file,  FileKind::file,      FileKind::file,
                            FileKind::other, FileKind::directory, FileKind::symlink,
                            FileKind::other, FileKind::file};
  for (std::size_t i = 0; i < reply->entries.size(); ++i)
    EXPECT_EQ(reply->entries[i].kind, kinds[i]) << reply->entries[i].name;
  EXPECT_EQ(reply->entries[2].bytes, 2U);
  EXPECT_FALSE(reply->truncated);
}

TEST(FilesList, HidesWhatIsNotShownAndRefusesFiles) {
  TestTree tree;
  tree.put("a", "");
  tree.put("secret.env", "");
  const auto reply = list_directory(*tree.pin("/workspace"),
                                    [](const base::Path& p) { return p.name() != "secret.env"; });
  EXPECT_EQ(names(*reply), (Names{"a"}));
  EXPECT_EQ(list_directory(*tree.pin("/workspace/a"), kAll).error().code, Code::invalid);
}

TEST(FilesList, TheFirstNamesInOrderWhenThereAreTooMany) {
  TestTree tree;
  for (int i = 0; i < 100; ++i) tree.put("n" + std::to_string(1000 + (i * 37) % 100), "");
  for (const std::uint64_t most : {1U, 7U, 33U, 50U, 99U}) {
    const auto reply = list_directory(*tree.pin("/workspace"), kAll, most);
    ASSERT_EQ(reply->entries.size(), most);
    EXPECT_TRUE(reply->truncated);
    for (std::uint64_t i = 0; i < most; ++i)
      EXPECT_EQ(reply->entries[i].name, "n" + std::to_string(1000 + i));
  }
  EXPECT_FALSE(list_directory(*tree.pin("/workspace"), kAll, 100)->truncated);
}

TEST(FilesList, TheTopHoldsTheRoots) {
  TestTree tree;
  const abi::Roots roots = {{"zoo", tree.host("").parent_path().string()},
                            {"abc", tree.beside("outside").string()}};
  const auto top = pin_path({base::Path(), abi::Leaf::follow, ports::Missing::refuse}, roots);
  ASSERT_TRUE(top);
  EXPECT_EQ(names(*list_directory(*top, kAll)), (Names{"abc", "zoo"}));
  tree.put("x.cc", "");
  EXPECT_EQ(found(search_files(*top, {{}, "**", {}, 200}, kAll)),
            (Names{"/abc/secret", "/zoo/x.cc"}));
}

TEST(FilesSearch, ByNameAndByText) {
  TestTree tree;
  tree.put("a.cc", "one\nMARK two\nthree MARK MARK\n");
  tree.put("src/b.cc", "MARK");
  tree.put("src/b.h", "nothing");
  tree.put("src/deep/c.cc", "\n\n MARK at three");
  tree.put(".hidden/d.cc", "MARK");
  tree.put("binary.cc", std::string("MARK\0x", 6));
  tree.put("latin.cc", "MARK \xe9");
  tree.put("src/.alos-0011223344556677.tmp", "MARK");
  tree.link("loop", ".");
  tree.link("out.cc", "../secret");
  ASSERT_EQ(::mkfifo(tree.host("pipe.cc").c_str(), 0600), 0);
  struct Row {
    const char* path;
    std::optional<std::string> glob, text;
    Names found;
  };
  const Row rows[] = {
      {"/workspace",
       "*.cc",
       {},
       {"/workspace/a.cc", "/workspace/binary.cc", "/workspace/latin.cc"}},
      {"/workspace",
       "**/*.cc",
       {},
       {"/workspace/.hidden/d.cc", "/workspace/a.cc", "/workspace/binary.cc", "/workspace/latin.cc",
        "/workspace/src/b.cc", "/workspace/src/deep/c.cc"}},
      {"/workspace", "src/*", {}, {"/workspace/src/b.cc", "/workspace/src/b.h"}},
      {"/workspace/src",
       "**",
       {},
       {"/workspace/src/b.cc", "/workspace/src/b.h", "/workspace/src/deep/c.cc"}},
      {"/workspace/src",
       {},
       {},
       {"/workspace/src/b.cc", "/workspace/src/b.h", "/workspace/src/deep/c.cc"}},
      {"/workspace",
       {},
       "MARK",
       {"/workspace/.hidden/d.cc:1", "/workspace/a.cc:2", "/workspace/a.cc:3",
        "/workspace/src/b.cc:1", "/workspace/src/deep/c.cc:3"}},
      {"/workspace", "src/**", "MARK", {"/workspace/src/b.cc:1", "/workspace/src/deep/c.cc:3"}},
      {"/workspace/a.cc", {}, "three", {"/workspace/a.cc:3"}},
      {"/workspace", {}, "the secret", {}},
      {"/workspace", "secret", {}, {}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.path) + " " + row.glob.value_or("-") + " " +
                 row.text.value_or("-"));
    const auto place = tree.pin(row.path);
    EXPECT_EQ(found(search_files(*place, {place->path, row.glob, row.text, 200}, kAll)), row.found);
  }
  EXPECT_EQ(search_files(*tree.pin("/workspace"), {{}, {}, "", 200}, kAll).error().code,
            Code::invalid);
}

TEST(FilesSearch, IsBoundedAndHides) {
  TestTree tree;
  for (int i = 0; i < 9; ++i)
    tree.put("f" + std::to_string(i), "hit\nhit\n" + std::string(1000, 'x') + "hit");
  const auto place = tree.pin("/workspace");
  for (const auto& [most, truncated] :
       {std::pair{17ULL, true}, {26ULL, true}, {27ULL, false}, {0ULL, true}}) {
    const auto reply = search_files(*place, {place->path, {}, "hit", most}, kAll);
    EXPECT_EQ(reply->matches.size(), most);
    EXPECT_EQ(reply->truncated, truncated);
    for (const auto& match : reply->matches) EXPECT_LE(match.text->size(), kLineBytesMax);
  }
  const Shows some = [](const base::Path& p) { return p.name() == "f3"; };
  EXPECT_EQ(found(search_files(*place, {place->path, {}, {}, 200}, some)),
            (Names{"/workspace/f3"}));
  fs::path deep = tree.host("");
  for (unsigned i = 0; i < kSearchDepthMax + 2; ++i) fs::create_directory(deep /= "d");
  EXPECT_TRUE(search_files(*place, {place->path, "nothing", {}, 200}, kAll)->truncated);
}

TEST(Glob, Matches) {
  struct Row {
    const char* glob;
    const char* path;
    bool matches;
  };
  const Row rows[] = {
      {"", "", true},
      {"", "a", false},
      {"a", "a", true},
      {"a", "b", false},
      {"a", "ab", false},
      {"a/b", "a/b", true},
      {"*", "a", true},
      {"*", "", true},
      {"*", "a/b", false},
      {"*.cc", "a.cc", true},
      {"*.cc", ".cc", true},
      {"*.cc", "a.cc.h", false},
      {"a*c", "abbbc", true},
      {"a*c", "ab/c", false},
      {"*/b", "a/b", true},
      {"*/b", "b", false},
      {"*/b", "a/c/b", false},
      {"**", "a/b/c", true},
      {"**", "", true},
      {"**/b", "b", true},
      {"**/b", "a/b", true},
      {"**/b", "a/c/b", true},
      {"**/b", "ab", false},
      {"a/**/b", "a/b", true},
      {"a/**/b", "a/x/y/b", true},
      {"a/**/b", "axb", false},
      {"a/**/b", "a/xb", false},
      {"a/**", "a/b/c", true},
      {"a/**", "a", false},
      {"a**b", "a/x/b", true},
      {"a**/b", "ab", false},
      {"a**/b", "ax/b", true},
      {"?", "a", true},
      {"?", "/", false},
      {"?", "", false},
      {"?", "\xc3\xa9", true},
      {"??", "\xc3\xa9", false},
      {"a?c",
       "a\xe2\x82\xac"
       "c",
       true},
      {"[a]", "[a]", true},
      {"[a]", "a", false},
      {"**/*.h", "src/x/y.h", true},
      {"**/*.h", "y.h", true},
      {"**/src/**", "a/src/b/c", true},
      {"**/src/**", "a/src2/b", false},
  };
  for (const Row& row : rows)
    EXPECT_EQ(glob_matches(row.glob, row.path), row.matches) << row.glob << " " << row.path;
  std::string glob, path(3000, 'a');
  for (int i = 0; i < 500; ++i) glob += "*a";  // exponential for a matcher that backtracks
  EXPECT_FALSE(glob_matches(glob + "b", path));
}

}  // namespace
}  // namespace alos::providers
