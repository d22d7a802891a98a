// Attackers: every way known to us to lead a path, or what is done at it, out of its root.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "providers/files_ops.h"
#include "providers/test_tree.h"

namespace alos::providers {
namespace {

using abi::Leaf;
using base::Code;
using ports::Missing;
namespace fs = std::filesystem;

void build(const TestTree& tree) {
  tree.put("a.txt", "a");
  tree.put("dir/b.txt", "b");
  tree.put("dir/deep/c.txt", "c");
  tree.link("in", "dir/b.txt");
  tree.link("dir/up_in", "../a.txt");
  tree.link("dirlink", "dir");
  tree.link("chain1", "chain2");
  tree.link("chain2", "dirlink/up_in");
  tree.link("to_dot", "dir/deep/..");
  tree.link("loop1", "loop2");
  tree.link("loop2", "loop1");
  tree.link("self/self", "self");
  tree.link("out_rel", "../secret");
  tree.link("dir/out_rel2", "../../secret");
  tree.link("out_abs", tree.beside("secret").string());
  tree.link("out_dir", "../outside");
  tree.link("out_dir_abs", tree.beside("outside").string());
  tree.link("out_chain", "dir/out_rel2");
  tree.link("in_abs", tree.host("a.txt").string());
  tree.link("proc", "/proc/self/root");
  tree.link("dangling", "dir/new.txt");
  tree.link("dangling_out", "../new.txt");
  tree.link("dangling_far", "nowhere/new.txt");
  tree.link("out_and_back", "../root/a.txt");
  fs::create_directory(tree.host("empty"));
  fs::create_hard_link(tree.beside("secret"), tree.host("hard"));
  tree.put("odd\nname", "n");
  tree.put("x (deleted)", "d");
  tree.link("to_deleted", "x (deleted)");
  tree.put("dir/\xff\xfe", "bytes");
  tree.link("to_bytes", "dir/\xff\xfe");
  ASSERT_EQ(::mkfifo(tree.host("fifo").c_str(), 0600), 0);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{AF_UNIX, {}};
  ASSERT_LT(tree.host("socket").string().size(), sizeof(address.sun_path));
  std::copy_n(tree.host("socket").c_str(), tree.host("socket").string().size(), address.sun_path);
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ::close(socket);
}

struct Row {
  const char* path;
  Missing missing;
  Leaf leaf;
  std::string real;  // where it really is, or
  Code code = Code::internal;
};

TEST(FilesPin, ResolvesToTheRealPlaceOrRefuses) {
  TestTree tree;
  build(tree);
  constexpr auto refuse = Missing::refuse, leaf = Missing::leaf, parents = Missing::parents;
  constexpr auto follow = Leaf::follow, keep = Leaf::keep;
  const Row rows[] = {
      {"/workspace", refuse, follow, "/workspace"},
      {"/workspace/a.txt", refuse, follow, "/workspace/a.txt"},
      {"/workspace/dir", refuse, follow, "/workspace/dir"},
      {"/workspace/dir/deep/c.txt", refuse, follow, "/workspace/dir/deep/c.txt"},
      {"/workspace/in", refuse, follow, "/workspace/dir/b.txt"},
      {"/workspace/in", leaf, follow, "/workspace/dir/b.txt"},
      {"/workspace/in", refuse, keep, "/workspace/in"},
      {"/workspace/dirlink/b.txt", refuse, follow, "/workspace/dir/b.txt"},
      {"/workspace/dirlink", refuse, follow, "/workspace/dir"},
      {"/workspace/dirlink/in", leaf, keep, "/workspace/dir/in"},
      {"/workspace/chain1", refuse, follow, "/workspace/a.txt"},
      {"/workspace/to_dot", refuse, follow, "/workspace/dir"},
      {"/workspace/to_dot/b.txt", refuse, follow, "/workspace/dir/b.txt"},
      {"/workspace/odd\nname", refuse, follow, "/workspace/odd\nname"},
      {"/workspace/x (deleted)", refuse, follow, "/workspace/x (deleted)"},
      {"/workspace/to_deleted", refuse, follow, "/workspace/x (deleted)"},
      {"/workspace/new.txt", leaf, follow, "/workspace/new.txt"},
      {"/workspace/dirlink/new.txt", leaf, follow, "/workspace/dir/new.txt"},
      {"/workspace/dangling", leaf, follow, "/workspace/dir/new.txt"},
      {"/workspace/dangling", leaf, keep, "/workspace/dangling"},
      {"/workspace/p/q/r", parents, follow, "/workspace/p/q/r"},
      {"/workspace/dirlink/q/r", parents, follow, "/workspace/dir/q/r"},
      {"/workspace/hard", refuse, follow, "/workspace/hard"},
      {"/workspace/hard", refuse, keep, "/workspace/hard"},
      {"/workspace/out_rel", refuse, keep, "/workspace/out_rel"},

      {"/nowhere/a.txt", refuse, follow, "", Code::not_found},
      {"/work", refuse, follow, "", Code::not_found},
      {"/workspace2/a.txt", refuse, follow, "", Code::not_found},
      {"/workspace/new.txt", refuse, follow, "", Code::not_found},
      {"/workspace/dangling", refuse, follow, "", Code::not_found},
      {"/workspace/p/q", leaf, follow, "", Code::not_found},
      {"/workspace/dangling/x", parents, follow, "", Code::not_found},
      {"/workspace/dangling_far", leaf, follow, "", Code::not_found},
      {"/workspace/a.txt/b", refuse, follow, "", Code::invalid},
      {"/workspace/a.txt/b", leaf, follow, "", Code::invalid},
      {"/workspace/a.txt/b/c", parents, follow, "", Code::invalid},
      {"/workspace/loop1", refuse, follow, "", Code::invalid},
      {"/workspace/loop1", leaf, follow, "", Code::invalid},
      {"/workspace/self/self/x", refuse, follow, "", Code::invalid},
      {"/workspace/fifo", refuse, follow, "", Code::invalid},
      {"/workspace/fifo", leaf, follow, "", Code::invalid},
      {"/workspace/socket", refuse, follow, "", Code::invalid},
      {"/workspace/to_bytes", refuse, follow, "", Code::invalid},
      {"/workspace/out_rel", refuse, follow, "", Code::denied},
      {"/workspace/out_rel", leaf, follow, "", Code::denied},
      {"/workspace/out_abs", refuse, follow, "", Code::denied},
      {"/workspace/out_abs", leaf, follow, "", Code::denied},
      {"/workspace/dir/out_rel2", leaf, follow, "", Code::denied},
      {"/workspace/out_chain", refuse, follow, "", Code::denied},
      {"/workspace/out_dir/secret", refuse, follow, "", Code::denied},
      {"/workspace/out_dir/secret", leaf, keep, "", Code::denied},
      {"/workspace/out_dir_abs/secret", leaf, follow, "", Code::denied},
      {"/workspace/out_dir/x/y", parents, follow, "", Code::denied},
      {"/workspace/out_and_back", refuse, follow, "", Code::denied},
      {"/workspace/in_abs", refuse, follow, "", Code::denied},
      {"/workspace/proc/etc/passwd", refuse, follow, "", Code::denied},
      {"/workspace/dangling_out", leaf, follow, "", Code::denied},
      {"/workspace/hard", leaf, follow, "", Code::denied},
      {"/", leaf, follow, "", Code::invalid},
      {"/", refuse, keep, "", Code::invalid},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.path) + " " + std::string(base::name_of(row.missing)) + " " +
                 std::string(base::name_of(row.leaf)));
    const auto pinned = tree.pin(row.path, row.missing, row.leaf);
    if (!row.real.empty()) {
      ASSERT_TRUE(pinned) << pinned.error().what;
      EXPECT_EQ(pinned->path.text(), row.real);
    } else {
      ASSERT_FALSE(pinned) << pinned->path.text();
      EXPECT_EQ(pinned.error().code, row.code) << pinned.error().what;
    }
  }
  EXPECT_FALSE(fs::exists(tree.beside("new.txt")));
  EXPECT_TRUE(tree.secrets_whole());
}

TEST(FilesPin, SaysWhatRootsThereAre) {
  TestTree tree;
  const auto pinned = tree.pin("/nope/a");
  ASSERT_FALSE(pinned);
  EXPECT_EQ(pinned.error().what, "no root `nope`; roots: /workspace");
  const auto gone = pin_path({*base::Path::parse("/x/a"), Leaf::follow, Missing::refuse},
                             {{"x", tree.host("gone").string()}});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::not_found);
}

TEST(FilesPin, HoldsTheMissingNames) {
  TestTree tree;
  tree.put("a/b", "");
  const auto pinned = tree.pin("/workspace/a/c/d/e", Missing::parents);
  ASSERT_TRUE(pinned);
  EXPECT_EQ(pinned->missing, (std::vector<std::string>{"c", "d", "e"}));
  EXPECT_EQ(pinned->status.kind, PlaceKind::missing);
}

TEST(FilesPin, DescriptorsAreClosed) {
  TestTree tree;
  tree.put("d/a", "1");
  tree.link("l", "d/a");
  const auto count = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator{});
  };
  const auto before = count();
  for (const char* path : {"/workspace/d/a", "/workspace/l", "/workspace/d", "/workspace/none",
                           "/workspace/d/a/b", "/"}) {
    (void)tree.pin(path).has_value();
    (void)tree.pin(path, Missing::parents).has_value();
  }
  EXPECT_EQ(count(), before);
}

// Swaps between pin and act. Each row: what the attacker does, and which operation runs into it.
struct Swap {
  const char* name;
  void (*attack)(const TestTree&);
};

const Swap kSwaps[] = {
    {"file by relative link out",
     [](const TestTree& t) {
       fs::remove(t.host("d/f"));
       t.link("d/f", "../../secret");
     }},
    {"file by absolute link out",
     [](const TestTree& t) {
       fs::remove(t.host("d/f"));
       t.link("d/f", t.beside("secret").string());
     }},
    {"file renamed away, link in its place",
     [](const TestTree& t) {
       fs::rename(t.host("d/f"), t.host("d/g"));
       t.link("d/f", "../../secret");
     }},
    {"file by fifo",
     [](const TestTree& t) {
       fs::remove(t.host("d/f"));
       ::mkfifo(t.host("d/f").c_str(), 0600);
     }},
    {"file by directory",
     [](const TestTree& t) {
       fs::remove(t.host("d/f"));
       fs::create_directory(t.host("d/f"));
     }},
};

TEST(FilesSwap, AfterThePinIsAConflict) {
  for (const Swap& swap : kSwaps) {
    SCOPED_TRACE(swap.name);
    TestTree tree;
    tree.put("d/f", "inside");
    const auto to_read = tree.pin("/workspace/d/f");
    const auto to_write = tree.pin("/workspace/d/f", Missing::leaf);
    const auto to_remove = tree.pin("/workspace/d/f", Missing::refuse, Leaf::keep);
    const auto to_move = tree.pin("/workspace/d/f", Missing::refuse, Leaf::keep);
    const auto target = tree.pin("/workspace/moved", Missing::leaf, Leaf::keep);
    ASSERT_TRUE(to_read && to_write && to_remove && to_move && target);
    swap.attack(tree);
    const auto read = read_file(*to_read, {});
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::conflict) << read.error().what;
    std::string content;
    const auto image = preimage_of(*to_write, 100, content);
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error().code, Code::conflict);
    EXPECT_EQ(content, "");
    const auto written = write_file(*to_write, {to_write->path, "mine", {}, {}}, temp_name("k"));
    ASSERT_NE(written.not_started(), nullptr);
    EXPECT_EQ(written.error().code, Code::conflict);
    const auto moved = move_file(*to_move, *target);
    ASSERT_NE(moved.not_started(), nullptr);
    EXPECT_EQ(moved.error().code, Code::conflict);
    const auto removed = remove_file(*to_remove);
    ASSERT_NE(removed.not_started(), nullptr);
    EXPECT_EQ(removed.error().code, Code::conflict);
    EXPECT_TRUE(tree.secrets_whole());
    EXPECT_EQ(tree.temps(), 0U);
  }
}

TEST(FilesSwap, MissingLeafThatAppearsIsAConflict) {
  TestTree tree;
  const auto file = tree.pin("/workspace/new", Missing::leaf);
  const auto directory = tree.pin("/workspace/p/q", Missing::parents);
  tree.link("new", "../secret");
  tree.link("p", "../outside");
  EXPECT_EQ(write_file(*file, {file->path, "mine", {}, {}}, temp_name("k")).error().code,
            Code::conflict);
  EXPECT_EQ(make_directory(*directory, {directory->path, true}).error().code, Code::conflict);
  EXPECT_TRUE(tree.secrets_whole());
  EXPECT_FALSE(fs::exists(tree.beside("outside/q")));
}

TEST(FilesSwap, ParentReplacedByLinkStaysInTheOldDirectory) {
  TestTree tree;
  tree.put("d/secret", "inside");
  const auto place = tree.pin("/workspace/d/secret", Missing::leaf);
  fs::rename(tree.host("d"), tree.host("old"));
  tree.link("d", "../outside");
  EXPECT_EQ(read_file(*place, {})->content.data, "inside");
  ASSERT_NE(write_file(*place, {place->path, "mine", {}, {}}, temp_name("k")).done(), nullptr);
  EXPECT_EQ(tree.get("old/secret"), "mine");
  EXPECT_TRUE(tree.secrets_whole());
}

TEST(FilesSwap, NothingLeaksWhileSomebodyKeepsSwapping) {
  TestTree tree;
  tree.put("d/secret", "inside");
  tree.link("evil", "../outside");
  std::atomic<bool> stop{false};
  std::thread attacker([&] {  // d is by turns a directory and a link out of the root
    while (!stop) {
      fs::rename(tree.host("d"), tree.host("hidden"));
      fs::rename(tree.host("evil"), tree.host("d"));
      fs::rename(tree.host("d"), tree.host("evil"));
      fs::rename(tree.host("hidden"), tree.host("d"));
    }
  });
  int inside = 0;
  for (int i = 0; i < 3000; ++i) {
    auto place = tree.pin("/workspace/d/secret");
    if (!place) continue;
    const auto read = read_file(*place, {});
    if (!read) continue;
    EXPECT_EQ(read->content.data, "inside");
    EXPECT_TRUE(place->path.text() == "/workspace/d/secret" ||
                place->path.text() == "/workspace/hidden/secret");
    ++inside;
  }
  stop = true;
  attacker.join();
  EXPECT_GT(inside, 0);
}

}  // namespace
}  // namespace alos::providers
