#include "providers/files_ops.h"

#include <gtest/gtest.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "providers/files.h"
#include "providers/test_tree.h"

namespace alos::providers {
namespace {

using abi::Existing;
using abi::Leaf;
using base::Code;
using base::Digest;
using ports::Missing;
using ports::Preimage;
using ports::Sight;
namespace fs = std::filesystem;

const std::string kTemp = temp_name("7.1:12");

base::Path path(const std::string& text) { return *base::Path::parse(text); }

abi::FsWrite write_call(const PinnedPath& place, std::string content,
                        Existing existing = Existing::any, std::optional<Digest> expected = {}) {
  return {place.path, std::move(content), existing, expected};
}

// ---- read and stat ----

TEST(FilesRead, GivesPartsAndTheWhole) {
  TestTree tree;
  tree.put("f", "0123456789");
  struct Row {
    std::optional<std::uint64_t> offset, bytes_max;
    const char* content;
  };
  const Row rows[] = {
      {{}, {}, "0123456789"}, {3, {}, "3456789"}, {{}, 4, "0123"}, {8, 4, "89"},
      {10, {}, ""},           {99, 1, ""},        {{}, 0, ""},     {{}, ~0ULL, "0123456789"},
      {~0ULL, ~0ULL, ""}};
  for (const Row& row : rows) {
    const auto place = tree.pin("/workspace/f");
    const auto reply = read_file(*place, {place->path, row.offset, row.bytes_max});
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->content.data, row.content);
    EXPECT_EQ(reply->file_bytes, 10U);
    EXPECT_EQ(reply->digest, Digest::of(row.content));
  }
}

TEST(FilesRead, TooLargeIsReadInParts) {
  TestTree tree;
  tree.put("big", "x");
  fs::resize_file(tree.host("big"), abi::kFileBytesMax + 1);
  const auto place = tree.pin("/workspace/big");
  const auto whole = read_file(*place, {place->path, {}, {}});
  ASSERT_FALSE(whole);
  EXPECT_EQ(whole.error().code, Code::invalid);
  EXPECT_NE(whole.error().details.find("bytes_max"), std::string::npos);
  EXPECT_EQ(read_file(*place, {place->path, 1, {}})->content.data.size(), abi::kFileBytesMax);
  EXPECT_EQ(read_file(*place, {place->path, {}, ~0ULL})->content.data.size(), abi::kFileBytesMax);
}

TEST(FilesRead, RefusesDirectoriesAndSaysWhatTheHostRefuses) {
  TestTree tree;
  tree.put("d/f", "x");
  for (const char* name : {"/workspace", "/workspace/d", "/"})
    EXPECT_EQ(read_file(*tree.pin(name), {}).error().code, Code::invalid) << name;
  fs::permissions(tree.host("d/f"), fs::perms::none);
  fs::permissions(tree.beside(""), fs::perms(0755));
  const auto as_nobody = [&](auto act) {  // as somebody who is not root; this thread alone
    ::setfsuid(65534);
    const auto result = act();
    ::setfsuid(::geteuid());
    return result ? Code::internal : result.error().code;
  };
  const auto place = tree.pin("/workspace/d/f");
  EXPECT_EQ(as_nobody([&] { return read_file(*place, {}); }), Code::denied);
  fs::permissions(tree.host("d"), fs::perms::none);
  EXPECT_EQ(as_nobody([&] { return tree.pin("/workspace/d/f"); }), Code::denied);
  fs::permissions(tree.host(""), fs::perms::none);
  EXPECT_EQ(as_nobody([&] { return tree.pin("/workspace/d/f"); }), Code::denied);
  fs::permissions(tree.beside(""), fs::perms::none);
  EXPECT_EQ(as_nobody([&] { return tree.pin("/workspace"); }), Code::denied);
  for (const char* name : {"", "root", "root/d"})
    fs::permissions(tree.beside(name), fs::perms::owner_all);
}

TEST(FilesStat, TellsKindSizeAndRealPlace) {
  TestTree tree;
  tree.put("d/f", "12345");
  tree.link("l", "d/f");
  const auto file = stat_file(*tree.pin("/workspace/l"));
  EXPECT_EQ(file->kind, abi::FileKind::file);
  EXPECT_EQ(file->bytes, 5U);
  EXPECT_EQ(file->real.text(), "/workspace/d/f");
  EXPECT_GT(file->modified.unix_us, 1'700'000'000'000'000);
  for (const char* name : {"/", "/workspace", "/workspace/d"})
    EXPECT_EQ(stat_file(*tree.pin(name))->kind, abi::FileKind::directory) << name;
}

// ---- write ----

struct WriteRow {
  const char* name;
  const char* before;  // null: missing
  Existing existing;
  const char* expected;
  std::optional<Code> code;  // none: written
};

TEST(FilesWrite, HonoursWhatTheCallAssumes) {
  const WriteRow rows[] = {
      {"any, new", nullptr, Existing::any, nullptr, {}},
      {"any, there", "old", Existing::any, nullptr, {}},
      {"must, there", "old", Existing::must, nullptr, {}},
      {"must, new", nullptr, Existing::must, nullptr, Code::not_found},
      {"must not, new", nullptr, Existing::must_not, nullptr, {}},
      {"must not, there", "old", Existing::must_not, nullptr, Code::exists},
      {"expected", "old", Existing::any, "old", {}},
      {"expected other", "old", Existing::any, "other", Code::conflict},
      {"expected, missing", nullptr, Existing::any, "old", Code::not_found},
  };
  for (const WriteRow& row : rows) {
    SCOPED_TRACE(row.name);
    TestTree tree;
    if (row.before != nullptr) tree.put("f", row.before);
    const auto place = tree.pin("/workspace/f", Missing::leaf);
    const auto expected =
        row.expected != nullptr ? std::optional(Digest::of(row.expected)) : std::nullopt;
    const auto outcome =
        write_file(*place, write_call(*place, "new", row.existing, expected), kTemp);
    if (row.code) {
      ASSERT_NE(outcome.not_started(), nullptr);
      EXPECT_EQ(outcome.error().code, *row.code);
      EXPECT_EQ(tree.get("f"), row.before != nullptr ? row.before : "");
    } else {
      ASSERT_NE(outcome.done(), nullptr) << outcome.error().what;
      EXPECT_EQ(outcome.done()->bytes, 3U);
      EXPECT_EQ(outcome.done()->created, row.before == nullptr);
      EXPECT_EQ(tree.get("f"), "new");
    }
    EXPECT_EQ(tree.temps(), 0U);
  }
}

TEST(FilesWrite, KeepsTheModeAndGivesNewFilesTheUsualOne) {
  TestTree tree;
  tree.put("script", "old");
  ASSERT_EQ(::chmod(tree.host("script").c_str(), 04751), 0);
  const mode_t mask = ::umask(022);
  for (const char* name : {"/workspace/script", "/workspace/new"}) {
    const auto place = tree.pin(name, Missing::leaf);
    ASSERT_NE(write_file(*place, write_call(*place, "x"), kTemp).done(), nullptr);
  }
  ::umask(mask);
  struct stat host{};
  ::stat(tree.host("script").c_str(), &host);
  EXPECT_EQ(host.st_mode & 07777, 0751U);  // without set-user-id
  ::stat(tree.host("new").c_str(), &host);
  EXPECT_EQ(host.st_mode & 07777, 0644U);
}

TEST(FilesWrite, ThroughALinkReplacesTheFileAndKeepsTheLink) {
  TestTree tree;
  tree.put("d/f", "old");
  tree.link("l", "d/f");
  const auto place = tree.pin("/workspace/l", Missing::leaf);
  ASSERT_NE(write_file(*place, write_call(*place, "new"), kTemp).done(), nullptr);
  EXPECT_TRUE(fs::is_symlink(tree.host("l")));
  EXPECT_EQ(tree.get("d/f"), "new");
}

TEST(FilesWrite, ChangesSinceThePinAreConflicts) {
  struct Row {
    const char* name;
    bool there;
    void (*meanwhile)(const TestTree&);
  };
  const Row rows[] = {
      {"changed in place", true, [](const TestTree& t) { t.put("f", "longer than before"); }},
      {"replaced", true,
       [](const TestTree& t) {
         t.put("g", "old");
         fs::rename(t.host("g"), t.host("f"));
       }},
      {"removed", true, [](const TestTree& t) { fs::remove(t.host("f")); }},
      {"appeared", false, [](const TestTree& t) { t.put("f", "theirs"); }},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    TestTree tree;
    if (row.there) tree.put("f", "old");
    const auto place = tree.pin("/workspace/f", Missing::leaf);
    row.meanwhile(tree);
    const std::string theirs = tree.get("f");
    const auto outcome = write_file(*place, write_call(*place, "new"), kTemp);
    ASSERT_NE(outcome.not_started(), nullptr);
    EXPECT_EQ(outcome.error().code, Code::conflict);
    EXPECT_EQ(tree.get("f"), theirs);
    EXPECT_EQ(tree.temps(), 0U);
  }
}

TEST(FilesWrite, AStaleTempIsReplacedEvenWhenItIsALinkOut) {
  TestTree tree;
  tree.link(kTemp, "../secret");
  const auto place = tree.pin("/workspace/f", Missing::leaf);
  ASSERT_NE(write_file(*place, write_call(*place, "new"), kTemp).done(), nullptr);
  EXPECT_EQ(tree.get("f"), "new");
  EXPECT_TRUE(tree.secrets_whole());
  EXPECT_EQ(tree.temps(), 0U);
}

TEST(FilesWrite, NoRoomLeavesTheOldContentAndNoTemp) {
  TestTree tree;
  tree.put("f", "old");
  const auto place = tree.pin("/workspace/f", Missing::leaf);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto outcome = write_file(*place, write_call(*place, std::string(100'000, 'x')), kTemp);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_NE(outcome.not_started(), nullptr);
  EXPECT_EQ(outcome.error().code, Code::exhausted);
  EXPECT_EQ(tree.get("f"), "old");
  EXPECT_EQ(tree.temps(), 0U);
}

TEST(FilesWrite, RefusesDirectoriesAndTooMuch) {
  TestTree tree;
  tree.put("d/f", "");
  for (const char* name : {"/workspace", "/workspace/d"}) {
    const auto place = tree.pin(name, Missing::leaf);
    EXPECT_EQ(write_file(*place, write_call(*place, "x"), kTemp).error().code, Code::invalid)
        << name;
  }
  const auto place = tree.pin("/workspace/big", Missing::leaf);
  EXPECT_EQ(write_file(*place, write_call(*place, std::string(abi::kFileBytesMax + 1, 'x')), kTemp)
                .error()
                .code,
            Code::invalid);
  EXPECT_FALSE(fs::exists(tree.host("big")));
}

TEST(FilesWrite, ReadersSeeOneWholeContentWhileWritersRace) {
  TestTree tree;
  const auto content = [](int i) { return std::string(5000, static_cast<char>('a' + i)); };
  tree.put("f", content(0));
  std::atomic<int> running{3}, written{0};
  std::vector<std::thread> writers;
  for (int w = 0; w < 3; ++w)
    writers.emplace_back([&, w] {
      for (int i = 0; i < 60; ++i) {
        const auto place = tree.pin("/workspace/f", Missing::leaf);
        if (!place) continue;
        const auto outcome = write_file(*place, write_call(*place, content(w)),
                                        temp_name("writer" + std::to_string(w)));
        EXPECT_EQ(outcome.unknown(), nullptr);
        if (outcome.done() != nullptr) {
          ++written;
        } else {
          EXPECT_EQ(outcome.error().code, Code::conflict) << outcome.error().what;
        }
      }
      --running;
    });
  while (running > 0) {
    const auto place = tree.pin("/workspace/f");
    ASSERT_TRUE(place) << place.error().what;
    const auto read = read_file(*place, {});
    ASSERT_TRUE(read) << read.error().what;  // a reader is never refused for a writer's sake
    EXPECT_TRUE(read->content.data == content(0) || read->content.data == content(1) ||
                read->content.data == content(2));
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_GT(written, 0);
  EXPECT_EQ(tree.temps(), 0U);
}

// ---- mkdir, move, remove ----

TEST(FilesMkdir, MakesOneOrAll) {
  TestTree tree;
  tree.put("file", "x");
  struct Row {
    const char* path;
    bool parents;
    std::optional<Code> code;
    bool created;
  };
  const Row rows[] = {{"/workspace/a", false, {}, true},
                      {"/workspace/a", false, Code::exists, false},
                      {"/workspace/a", true, {}, false},
                      {"/workspace/p/q/r", true, {}, true},
                      {"/workspace/p/q/s/t", true, {}, true},
                      {"/workspace/file", true, Code::exists, false},
                      {"/workspace/file", false, Code::exists, false},
                      {"/workspace", true, {}, false}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.path);
    const auto place = tree.pin(row.path, row.parents ? Missing::parents : Missing::leaf);
    ASSERT_TRUE(place) << place.error().what;
    const auto outcome = make_directory(*place, {place->path, row.parents});
    ASSERT_EQ(outcome.done() != nullptr, !row.code.has_value());
    if (row.code) {
      EXPECT_EQ(outcome.error().code, *row.code);
    } else {
      EXPECT_EQ(outcome.done()->created, row.created);
    }
  }
  EXPECT_TRUE(fs::is_directory(tree.host("p/q/s/t")));
}

TEST(FilesMkdir, UndoesWhatItMadeWhenItCannotFinish) {
  TestTree tree;
  tree.put("x", "");
  auto place = tree.pin("/workspace/p/q/r", Missing::parents);
  ASSERT_TRUE(place);
  place->missing[2] = std::string(300, 'n');  // a name no file system takes
  const auto outcome = make_directory(*place, {place->path, true});
  ASSERT_NE(outcome.not_started(), nullptr);
  EXPECT_FALSE(fs::exists(tree.host("p")));
}

TEST(FilesMove, MovesOneFileAndNothingElse) {
  TestTree tree;
  tree.put("a", "a");
  tree.put("b", "b");
  tree.put("d/x", "x");
  tree.link("l", "a");
  tree.put("other/x", "");
  const abi::Roots roots = {{"workspace", tree.host("").parent_path().string()},
                            {"second", tree.host("other").string()}};
  struct Row {
    const char* from;
    const char* to;
    std::optional<Code> code;
  };
  const Row rows[] = {{"/workspace/a", "/workspace/b", Code::exists},
                      {"/workspace/d", "/workspace/e", Code::invalid},
                      {"/workspace/l", "/workspace/e", Code::invalid},
                      {"/workspace/a", "/second/a", Code::invalid},
                      {"/workspace/a", "/workspace/a", Code::exists},
                      {"/workspace/a", "/workspace/d/a", {}},
                      {"/workspace/a", "/workspace/z", Code::not_found},
                      {"/workspace/b", "/workspace/c", {}}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.from + std::string(" ") + row.to);
    const auto from = pin_path({path(row.from), Leaf::keep, Missing::leaf}, roots);
    const auto to = pin_path({path(row.to), Leaf::keep, Missing::leaf}, roots);
    ASSERT_TRUE(from && to);
    const auto outcome = move_file(*from, *to);
    ASSERT_EQ(outcome.done() != nullptr, !row.code.has_value());
    if (row.code) {
      EXPECT_EQ(outcome.error().code, *row.code);
    }
  }
  EXPECT_EQ(tree.get("d/a"), "a");
  EXPECT_EQ(tree.get("c"), "b");
}

TEST(FilesRemove, RemovesFilesLinksAndEmptyDirectories) {
  TestTree tree;
  tree.put("f", "x");
  tree.put("full/x", "");
  tree.link("l", "../secret");
  tree.link("to_full", "full");
  fs::create_directory(tree.host("empty"));
  struct Row {
    const char* path;
    std::optional<Code> code;
  };
  const Row rows[] = {{"/workspace/f", {}},         {"/workspace/f", Code::not_found},
                      {"/workspace/l", {}},         {"/workspace/to_full", {}},
                      {"/workspace/empty", {}},     {"/workspace/full", Code::invalid},
                      {"/workspace", Code::invalid}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.path);
    const auto place = tree.pin(row.path, Missing::leaf, Leaf::keep);
    ASSERT_TRUE(place);
    const auto outcome = remove_file(*place);
    ASSERT_EQ(outcome.done() != nullptr, !row.code.has_value());
    if (row.code) {
      EXPECT_EQ(outcome.error().code, *row.code);
    }
  }
  EXPECT_TRUE(tree.secrets_whole());
  EXPECT_TRUE(fs::exists(tree.host("full/x")));
}

// ---- preimage and look ----

TEST(FilesPreimage, HasTheDigestAlwaysAndTheContentWhenSmall) {
  TestTree tree;
  const std::string large(700'001, 'q');
  tree.put("large", large);
  std::string content = "stale";
  const auto place = tree.pin("/workspace/large", Missing::leaf);
  EXPECT_EQ(*preimage_of(*place, large.size(), content), (Preimage{true, Digest::of(large)}));
  EXPECT_EQ(content, large);
  EXPECT_EQ(*preimage_of(*place, large.size() - 1, content), (Preimage{true, Digest::of(large)}));
  EXPECT_EQ(content, "");
  EXPECT_EQ(*preimage_of(*tree.pin("/workspace/none", Missing::leaf), 10, content),
            (Preimage{false, {}}));
  EXPECT_EQ(*preimage_of(*tree.pin("/workspace"), 10, content), (Preimage{true, {}}));
}

std::optional<Preimage> image(const char* content) {
  return content == nullptr ? Preimage{false, {}} : Preimage{true, Digest::of(content)};
}

TEST(FilesLook, RecognisesAWrite) {
  struct Row {
    const char* before;
    const char* now;
    Sight sight;
  };
  const Row rows[] = {{"old", "new", Sight::done},          {nullptr, "new", Sight::done},
                      {"old", "old", Sight::not_done},      {nullptr, nullptr, Sight::not_done},
                      {"old", nullptr, Sight::conflict},    {"old", "theirs", Sight::conflict},
                      {nullptr, "theirs", Sight::conflict}, {"new", "new", Sight::done}};
  for (const Row& row : rows) {
    TestTree tree;
    if (row.now != nullptr) tree.put("f", row.now);
    tree.put(kTemp, "half of it");
    const auto place = tree.pin("/workspace/f", Missing::leaf);
    const auto seen = look_at_write(*place, write_call(*place, "new"), image(row.before), kTemp);
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->sight, row.sight);
    EXPECT_EQ(seen->what.empty(), row.sight != Sight::conflict) << seen->what;
    if (row.sight == Sight::done) {
      EXPECT_EQ(seen->reply.created, row.before == nullptr);
      EXPECT_EQ(seen->reply.bytes, 3U);
    }
    EXPECT_EQ(tree.temps(), 0U);
  }
}

TEST(FilesLook, RecognisesTheOthers) {
  TestTree tree;
  tree.put("a", "a");
  fs::create_directory(tree.host("d"));
  const auto at = [&](const char* name) { return *tree.pin(name, Missing::leaf, Leaf::keep); };
  const auto there = at("/workspace/a"), none = at("/workspace/none"),
             directory = at("/workspace/d");

  EXPECT_EQ(look_at_remove(none, image("a"))->sight, Sight::done);
  EXPECT_EQ(look_at_remove(there, image("a"))->sight, Sight::not_done);
  EXPECT_EQ(look_at_remove(there, image("other"))->sight, Sight::conflict);
  EXPECT_EQ(look_at_remove(directory, Preimage{true, {}})->sight, Sight::not_done);
  EXPECT_EQ(look_at_remove(directory, image("a"))->sight, Sight::conflict);

  EXPECT_EQ(look_at_mkdir(none, image(nullptr))->sight, Sight::not_done);
  EXPECT_EQ(look_at_mkdir(directory, image(nullptr))->sight, Sight::done);
  EXPECT_TRUE(look_at_mkdir(directory, image(nullptr))->reply.created);
  EXPECT_EQ(look_at_mkdir(directory, Preimage{true, {}})->sight, Sight::not_done);
  EXPECT_EQ(look_at_mkdir(there, image(nullptr))->sight, Sight::conflict);

  EXPECT_EQ(look_at_move(none, there, image("a"))->sight, Sight::done);
  EXPECT_EQ(look_at_move(there, none, image("a"))->sight, Sight::not_done);
  EXPECT_EQ(look_at_move(none, there, image("other"))->sight, Sight::conflict);
  EXPECT_EQ(look_at_move(there, none, image("other"))->sight, Sight::conflict);
  EXPECT_EQ(look_at_move(none, none, image("a"))->sight, Sight::conflict);
  EXPECT_EQ(look_at_move(there, there, image("a"))->sight, Sight::conflict);
}

TEST(Files, PinsThroughThePort) {
  TestTree tree;
  tree.put("d/a", "a");
  tree.link("l", "d");
  const auto files = make_files();
  const auto pin = files->pin({{path("/workspace/l/a"), Leaf::keep, Missing::refuse},
                               {path("/workspace/l/b"), Leaf::keep, Missing::leaf}},
                              tree.roots());
  ASSERT_TRUE(pin);
  EXPECT_EQ((*pin)->real_paths(),
            (std::vector<base::Path>{path("/workspace/d/a"), path("/workspace/d/b")}));
  std::string content;
  EXPECT_EQ(*files->preimage(**pin, 0, 10, content), (Preimage{true, Digest::of("a")}));
  EXPECT_EQ(content, "a");
  EXPECT_FALSE(files->preimage(**pin, 1, 10, content)->existed);
  EXPECT_FALSE(files->pin({{path("/workspace/none"), Leaf::keep, Missing::refuse}}, tree.roots()));
}

}  // namespace
}  // namespace alos::providers
