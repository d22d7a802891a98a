// What only a store on a disk can get wrong: owners, versions, damage, a full disk, a killed
// writer.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "store/store.h"
#include "store/test_journal.h"

namespace alos::store::test {
namespace {

using base::Code;
using base::Digest;

std::unique_ptr<Store> open_ok(const std::string& dir, OpenMode mode = OpenMode::write) {
  auto opened = open_sqlite_store(dir, mode);
  EXPECT_TRUE(opened.has_value()) << opened.error().what;
  CHECK(opened.has_value());
  return std::move(*opened);
}

base::Error open_error(const std::string& dir, OpenMode mode) {
  const auto opened = open_sqlite_store(dir, mode);
  EXPECT_FALSE(opened.has_value());
  return opened ? base::Error{} : opened.error();
}

std::string run_sql(const std::string& dir, const std::string& sql) {
  sqlite3* db = nullptr;
  sqlite3_open((dir + "/store.db").c_str(), &db);
  char* message = nullptr;
  std::string result =
      sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &message) == SQLITE_OK ? "" : message;
  sqlite3_free(message);
  sqlite3_close(db);
  return result;
}

// Two segments, a blob and a snapshot of job 7.
struct Sample {
  TempDir dir;
  Blob blob =
      blob_of("some text that compresses, some text that compresses, some text that compresses");
  Blob raw = blob_of("short");

  Sample() {
    const auto store = open_ok(path());
    TestJournal journal(7);
    Commit commit{
        .segments = {journal.next(
            {R"({"job":7,"seq":1,"kind":"job.created","body":{"goal":"a goal"}})", "two"})},
        .blobs = {blob, raw}};
    commit.segments.push_back(journal.next("three"));
    commit.snapshots = {{.job = {7},
                         .seq = 3,
                         .head = journal.head(),
                         .state = "state state state state state state state"}};
    CHECK(store->commit(*store->own(), commit).has_value());
  }
  std::string path() const { return dir.path("store"); }
  std::size_t findings() const {
    const auto found = open_ok(path(), OpenMode::read)->check();
    return found ? found->size() : SIZE_MAX;
  }
};

TEST(SqliteStore, KeepsWhatWasCommitted) {
  const Sample sample;
  EXPECT_FALSE(
      std::filesystem::exists(sample.path() + "/store.db-wal"));  // a clean close leaves one file
  struct stat found = {};
  ASSERT_EQ(::stat((sample.path() + "/store.db").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat(sample.path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0700U);
  for (const OpenMode mode : {OpenMode::write, OpenMode::read}) {
    const auto store = open_ok(sample.path(), mode);
    EXPECT_EQ((*store->job({7}))->last, 3U);
    EXPECT_EQ(store->read({7}, 3, 1)->back().lines, "three\n");
    EXPECT_EQ(*store->blob(sample.blob.digest), sample.blob.bytes);
    EXPECT_EQ((*store->snapshot({7}))->seq, 3U);
    EXPECT_TRUE(store->check()->empty());
  }
  const auto store = open_ok(sample.path());
  EXPECT_EQ(*store->own(), 2U);
}

TEST(SqliteStore, MakesMissingDirectories) {
  const TempDir dir;
  open_ok(dir.path("a/b/c/"));
  EXPECT_TRUE(std::filesystem::exists(dir.path("a/b/c/store.db")));
}

TEST(SqliteStore, HasOneOwner) {
  const TempDir dir;
  auto first = open_ok(dir.path());
  const base::Error error = open_error(dir.path(), OpenMode::write);
  EXPECT_EQ(error.code, Code::conflict);
  EXPECT_EQ(error.what, fmt::format("store {} is in use by process {}", dir.path(), ::getpid()));
  EXPECT_NE(error.details.find("socket"), std::string::npos);
  first.reset();
  open_ok(dir.path());
}

TEST(SqliteStore, ReaderSeesTheOwnersCommits) {
  const TempDir dir;
  const auto owner = open_ok(dir.path());
  const Epoch epoch = *owner->own();
  const auto reader = open_ok(dir.path(), OpenMode::read);
  TestJournal journal(1);
  for (base::Seq seq = 1; seq <= 3; ++seq) {
    ASSERT_TRUE(owner->commit(epoch, {.segments = {journal.next("line")}}).has_value());
    EXPECT_EQ((*reader->job({1}))->last, seq);
    EXPECT_EQ((*open_ok(dir.path(), OpenMode::read)->job({1}))->last, seq);
  }
  EXPECT_EQ(reader->own().error().code, Code::unavailable);
  EXPECT_EQ(reader->commit(epoch, {}).error().code, Code::unavailable);
  EXPECT_EQ(reader->rebuild(epoch, {}).error().code, Code::unavailable);
}

TEST(SqliteStore, ReadingMakesNothing) {
  const TempDir dir;
  EXPECT_EQ(open_error(dir.path("none"), OpenMode::read).code, Code::not_found);
  EXPECT_FALSE(std::filesystem::exists(dir.path("none")));
  std::ofstream(dir.path("store.db")).close();  // as a crash at the very first open leaves it
  EXPECT_EQ(open_error(dir.path(), OpenMode::read).code, Code::not_found);
  EXPECT_EQ(std::filesystem::file_size(dir.path("store.db")), 0U);
  open_ok(dir.path());
}

TEST(SqliteStore, RefusesANewerVersion) {
  const Sample sample;
  ASSERT_EQ(run_sql(sample.path(), "PRAGMA user_version=99"), "");
  for (const OpenMode mode : {OpenMode::write, OpenMode::read}) {
    const base::Error error = open_error(sample.path(), mode);
    EXPECT_EQ(error.code, Code::invalid);
    EXPECT_NE(error.what.find("version 99"), std::string::npos) << error.what;
    EXPECT_NE(error.what.find("version 1"), std::string::npos) << error.what;
    EXPECT_NE(error.details.find("newer alos"), std::string::npos) << error.details;
  }
}

TEST(SqliteStore, RefusesWhatIsNoStore) {
  const TempDir dir;
  std::filesystem::create_directories(dir.path("text"));
  std::filesystem::create_directories(dir.path("other"));
  std::ofstream(dir.path("text/store.db")) << std::string(10'000, 'x');
  ASSERT_EQ(run_sql(dir.path("other"), "CREATE TABLE t(a)"), "");
  const auto before = std::filesystem::file_size(dir.path("other/store.db"));
  for (const char* name : {"text", "other"}) {
    for (const OpenMode mode : {OpenMode::write, OpenMode::read}) {
      const base::Error error = open_error(dir.path(name), mode);
      EXPECT_EQ(error.code, Code::invalid) << name << error.what;
      EXPECT_FALSE(error.details.empty());
    }
  }
  EXPECT_EQ(std::filesystem::file_size(dir.path("other/store.db")), before);
}

TEST(SqliteStore, SaysWhyItCannotBeWritten) {
  const TempDir dir;
  std::ofstream(dir.path("file")) << "x";
  std::filesystem::create_directories(dir.path("taken/store.db"));
  for (const std::string& path :
       {dir.path("file"), dir.path("file/below"), std::string("/proc/alos"), dir.path("taken")}) {
    const base::Error error = open_error(path, OpenMode::write);
    EXPECT_EQ(error.code, Code::unavailable) << path << ": " << error.what;
    EXPECT_FALSE(error.what.empty());
    EXPECT_FALSE(error.details.empty());
  }
}

// What an edit of the file beside the store does; `reads` says which call notices, besides check().
TEST(SqliteStore, NoticesEdits) {
  enum class By { read, blob, snapshot, check };
  struct Row {
    const char* sql;
    By by;
  };
  const Row rows[] = {
      {"DELETE FROM journal WHERE first=1", By::read},
      {"DELETE FROM journal WHERE first=3", By::read},
      {"DELETE FROM journal", By::read},
      {"UPDATE journal SET head=zeroblob(32) WHERE first=1", By::read},
      {"UPDATE journal SET head=zeroblob(31) WHERE first=3", By::read},
      {"UPDATE journal SET lines=CAST(x'00'||'Three'||char(10) AS BLOB) WHERE first=3", By::read},
      {"UPDATE journal SET lines=CAST(x'00'||'three'||char(10)||'four'||char(10) AS BLOB) WHERE "
       "first=3",
       By::read},
      {"UPDATE journal SET lines=CAST(x'00'||'three' AS BLOB) WHERE first=3", By::read},
      {"UPDATE journal SET lines=x'' WHERE first=3", By::read},
      {"UPDATE journal SET count=3 WHERE first=1", By::read},
      {"UPDATE journal SET count=2 WHERE first=3", By::read},
      {"UPDATE journal SET first=4 WHERE first=3", By::read},
      {"UPDATE journal SET job=8 WHERE first=3", By::read},
      {"UPDATE jobs SET last=4", By::read},
      {"UPDATE jobs SET last=2", By::read},
      {"UPDATE jobs SET head=zeroblob(32)", By::read},
      {"DELETE FROM jobs", By::check},
      {"UPDATE blobs SET data=x'0041'", By::blob},
      {"UPDATE blobs SET data=x''", By::blob},
      {"UPDATE blobs SET bytes=1", By::check},
      {"UPDATE snapshots SET state=x'0041'", By::snapshot},
      {"UPDATE snapshots SET head=zeroblob(32)", By::check},
      {"UPDATE snapshots SET seq=9", By::check},
  };
  for (const Row& row : rows) {
    const Sample sample;
    ASSERT_EQ(sample.findings(), 0U);
    ASSERT_EQ(run_sql(sample.path(), row.sql), "") << row.sql;
    EXPECT_GT(sample.findings(), 0U) << row.sql;
    const auto store = open_ok(sample.path());
    const auto read = store->read({7}, 1, UINT64_MAX);
    const auto blob = store->blob(sample.blob.digest);
    const auto snapshot = store->snapshot({7});
    EXPECT_EQ(read.has_value(), row.by != By::read) << row.sql;
    EXPECT_EQ(blob.has_value(), row.by != By::blob) << row.sql;
    EXPECT_EQ(snapshot.has_value(), row.by != By::snapshot) << row.sql;
    if (!read) {
      EXPECT_EQ(read.error().code, Code::corrupt) << row.sql;
    }
    if (!blob) {
      EXPECT_EQ(blob.error().code, Code::corrupt) << row.sql;
    }
    if (!snapshot) {
      EXPECT_EQ(snapshot.error().code, Code::corrupt) << row.sql;
    }
  }
}

// One bit anywhere in the kept bytes: never another answer, always `corrupt`.
TEST(SqliteStore, NoticesEveryFlippedByte) {
  const Sample sample;
  const auto store = open_ok(sample.path(), OpenMode::read);
  const std::string lines = store->read({7}, 1, 1)->front().lines;
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open((sample.path() + "/store.db").c_str(), &db), SQLITE_OK);
  const auto flip = [&](const std::string& table, const std::string& column,
                        const std::string& where, int at) {
    const std::string sql = fmt::format(
        "SELECT rowid_or_first, v FROM (SELECT 1 AS rowid_or_first, {} AS v FROM {} WHERE {})",
        column, table, where);
    sqlite3_stmt* get = nullptr;
    CHECK(sqlite3_prepare_v2(db, sql.c_str(), -1, &get, nullptr) == SQLITE_OK &&
          sqlite3_step(get) == SQLITE_ROW);
    std::string bytes(static_cast<const char*>(sqlite3_column_blob(get, 1)),
                      static_cast<std::size_t>(sqlite3_column_bytes(get, 1)));
    sqlite3_finalize(get);
    if (at >= static_cast<int>(bytes.size())) return false;
    bytes[static_cast<std::size_t>(at)] ^= 1;
    sqlite3_stmt* put = nullptr;
    CHECK(sqlite3_prepare_v2(
              db, fmt::format("UPDATE {} SET {}=? WHERE {}", table, column, where).c_str(), -1,
              &put, nullptr) == SQLITE_OK);
    sqlite3_bind_blob(put, 1, bytes.data(), static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
    CHECK(sqlite3_step(put) == SQLITE_DONE);
    sqlite3_finalize(put);
    return true;
  };
  int flips = 0;
  for (int at = 0; flip("journal", "lines", "first=1", at); ++at, ++flips) {
    const auto read = store->read({7}, 1, 1);
    EXPECT_TRUE(!read || read->front().lines == lines) << at;  // zstd has bits that do not matter
    if (!read) {
      EXPECT_EQ(read.error().code, Code::corrupt) << at;
    }
    flip("journal", "lines", "first=1", at);
  }
  for (int at = 0; flip("blobs", "data", "bytes=5", at); ++at, ++flips) {
    EXPECT_FALSE(store->blob(sample.raw.digest).has_value()) << at;
    EXPECT_EQ(store->check()->size(), 1U) << at;
    flip("blobs", "data", "bytes=5", at);
  }
  sqlite3_close(db);
  EXPECT_GT(flips, 40);
  EXPECT_TRUE(store->check()->empty());
}

// Packing rows again neither hides damage in them nor stops the job.
TEST(SqliteStore, AppendsBehindDamage) {
  for (const char* sql :
       {"UPDATE journal SET lines=CAST(x'00'||'Three'||char(10) AS BLOB) WHERE first=3",
        "UPDATE journal SET lines=x'07' WHERE first=3",
        "UPDATE journal SET head=zeroblob(3) WHERE first=3", "DELETE FROM journal WHERE first=3",
        "UPDATE jobs SET tail_bytes=tail_bytes+1, tail_rows=63"}) {
    const Sample sample;
    ASSERT_EQ(run_sql(sample.path(), sql), "") << sql;
    const std::size_t before = sample.findings();
    {
      const auto store = open_ok(sample.path());
      const Epoch epoch = *store->own();
      TestJournal journal(7);
      journal.resume(**store->job({7}));
      for (int i = 0; i < 200; ++i) {
        const auto done = store->commit(epoch, {.segments = {journal.next("more")}});
        ASSERT_TRUE(done.has_value()) << sql << done.error().what;
      }
      const auto later = store->read({7}, 150, 1);
      EXPECT_TRUE(later.has_value()) << sql << later.error().what;
    }
    EXPECT_EQ(sample.findings() > 0, before > 0) << sql;
  }
}

TEST(SqliteStore, SurvivesADamagedFile) {
  for (const double part : {0.3, 0.6, 0.9}) {
    for (const bool cut : {true, false}) {
      const Sample sample;
      const std::string file = sample.path() + "/store.db";
      const auto size = std::filesystem::file_size(file);
      const auto at = static_cast<std::uintmax_t>(static_cast<double>(size) * part) / 4096 * 4096;
      if (cut) std::filesystem::resize_file(file, at + 100);
      if (!cut)
        std::fstream(file, std::ios::in | std::ios::out | std::ios::binary)
                .seekp(static_cast<std::streamoff>(at))
            << std::string(4096, '\x5a');
      const auto store = open_sqlite_store(sample.path(), OpenMode::read);
      if (!store) {
        EXPECT_TRUE(store.error().code == Code::invalid || store.error().code == Code::corrupt)
            << store.error().what;
        continue;
      }
      EXPECT_FALSE((*store)->check()->empty()) << part << cut;
      static_cast<void>((*store)->read({7}, 1, 10));
      static_cast<void>((*store)->blob(sample.blob.digest));
    }
  }
}

// Fails a commit for lack of space by `shut`, makes space by `free`; nothing is lost and the store
// goes on.
template <typename Shut, typename Free>
void expect_survives_full_disk(const std::string& dir, Shut shut, Free free) {
  const auto store = open_ok(dir);
  const Epoch epoch = *store->own();
  TestJournal journal(1);
  ASSERT_TRUE(store->commit(epoch, {.segments = {journal.next("before")}}).has_value());
  shut();
  const Segment next = journal.next("next");
  const Blob large = blob_of(noise(6 << 20, 3));
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto full = store->commit(epoch, {.segments = {next}, .blobs = {large}});
    ASSERT_FALSE(full.has_value());
    EXPECT_EQ(full.error().code, Code::exhausted) << full.error().what;
    EXPECT_NE(full.error().what.find("disk full"), std::string::npos) << full.error().what;
    EXPECT_FALSE(full.error().details.empty());
    EXPECT_EQ((*store->job({1}))->last, 1U);
    EXPECT_EQ(store->blob(large.digest).error().code, Code::not_found);
  }
  free();
  const auto done = store->commit(epoch, {.segments = {next}, .blobs = {large}});
  ASSERT_TRUE(done.has_value()) << done.error().what;
  EXPECT_EQ(*store->blob(large.digest), large.bytes);
  EXPECT_TRUE(store->check()->empty());
}

TEST(SqliteStore, SurvivesAFileSizeLimit) {
  const TempDir dir;
  rlimit old = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto signal_before = ::signal(SIGXFSZ, SIG_IGN);
  expect_survives_full_disk(
      dir.path(),
      [&] {
        const rlimit low = {1 << 20, old.rlim_max};
        ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &low), 0);
      },
      [&] { ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0); });
  ::setrlimit(RLIMIT_FSIZE, &old);
  ::signal(SIGXFSZ, signal_before);
}

TEST(SqliteStore, SurvivesAFullDisk) {
  const TempDir dir;
  if (::mount("alos-test", dir.path().c_str(), "tmpfs", 0, "size=4m") != 0)
    GTEST_SKIP() << "a small tmpfs needs root";
  expect_survives_full_disk(
      dir.path("store"), [] {},
      [&] {
        ASSERT_EQ(::mount("alos-test", dir.path().c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
      });
  EXPECT_EQ(::umount2(dir.path().c_str(), MNT_DETACH), 0);
}

// A child that commits for ever and says each acknowledged seq on `fd`.
[[noreturn]] void commit_for_ever(const std::string& dir, int fd) {
  const auto store = open_ok(dir);
  const Epoch epoch = *store->own();
  TestJournal journal(1);
  if (const auto row = *store->job({1})) journal.resume(*row);
  while (store->commit(
      epoch,
      {.segments = {journal.next({"line", noise(50, journal.last())[0] == '\n' ? "a" : "b"})},
       .blobs = {blob_of(std::to_string(journal.last()))}})) {
    const base::Seq last = journal.last();
    if (::write(fd, &last, sizeof(last)) != sizeof(last)) break;
  }
  ::_exit(1);
}

TEST(SqliteStore, LosesNothingWhenKilled) {
  const TempDir dir;
  base::Seq acknowledged = 0;
  for (int round = 1; round <= 10; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      commit_for_ever(dir.path(), ends[1]);
    }
    ::close(ends[1]);
    base::Seq last = 0;
    for (int n = 0; n < 7 * round + round % 3; ++n)
      ASSERT_EQ(::read(ends[0], &last, sizeof(last)), ssize_t{sizeof(last)});
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    while (::read(ends[0], &last, sizeof(last)) == sizeof(last)) {
    }
    ::close(ends[0]);
    ASSERT_GT(last, acknowledged);
    acknowledged = last;
    // First as `alos ps` finds it: nobody owns it, and the log is not written back.
    EXPECT_GE((*open_ok(dir.path(), OpenMode::read)->job({1}))->last, acknowledged);
    const auto store = open_ok(dir.path());
    EXPECT_EQ(*store->blob(Digest::of(std::to_string(acknowledged))), std::to_string(acknowledged));
    EXPECT_TRUE(store->check()->empty());
    base::Seq lines = 0;
    const auto segments = store->read({1}, 1, UINT64_MAX);
    for (const Segment& segment : *segments) lines += segment.count;
    EXPECT_GE(lines, acknowledged);
  }
}

// The lines of a commit that was refused are not packed in the place of those that came after it.
TEST(SqliteStore, PacksWhatIsThereAndNotWhatWasRefused) {
  const TempDir dir;
  const auto store = open_ok(dir.path());
  const Epoch epoch = *store->own();
  TestJournal journal(7);
  std::string all;
  for (int i = 0; i < 200; ++i) {
    if (i % 50 == 20) {
      TestJournal refused = journal;
      TestJournal gap(8);
      gap.next("never there");
      const auto done = store->commit(
          epoch, {.segments = {refused.next("refused"), gap.next("follows nothing")}});
      ASSERT_FALSE(done.has_value());
      EXPECT_EQ(done.error().code, Code::conflict);
    }
    Segment segment = journal.next(fmt::format("line {}", i));
    all += segment.lines;
    ASSERT_TRUE(store->commit(epoch, {.segments = {std::move(segment)}}));
  }
  std::string read;
  const auto segments = store->read({7}, 1, 1000);
  ASSERT_TRUE(segments.has_value()) << segments.error().what;
  for (const Segment& segment : *segments) read += segment.lines;
  EXPECT_EQ(read, all);
  EXPECT_LT(store->sizes()->journal_rows, 64U);
  EXPECT_TRUE(store->check()->empty());
}

// A process that comes and goes is listed as it is now.
TEST(SqliteStore, ListsAProcessThatEndedAndCameBack) {
  const TempDir dir;
  const auto store = open_ok(dir.path());
  const Epoch epoch = *store->own();
  ProcessRow row{.pid = {{7}, 1}, .state = "runnable"};
  for (const bool live : {true, true, false, false, true}) {
    row.live = live;
    row.detail += '.';
    ASSERT_TRUE(store->commit(epoch, {.processes = {row}}));
    const auto all = *store->processes(Which::all, {}, 10);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].detail, row.detail);
    EXPECT_EQ(store->processes(Which::live, {}, 10)->size(), live ? 1U : 0U);
  }
  EXPECT_TRUE(store->check()->empty());
}

// 1,000 steps of an agent with 1 KB of incompressible text each, in two commits a step.
TEST(SqliteStore, StaysSmall) {
  const TempDir dir;
  std::uint64_t rows = 0;
  {
    const auto store = open_ok(dir.path());
    const Epoch epoch = *store->own();
    TestJournal journal(7);
    const auto line = [&](const char* kind, const std::string& body) {
      return fmt::format(
          R"({{"job":7,"seq":{},"at":"2026-11-22T16:43:17.{:06}Z","kind":"{}","pid":"7.1","cause":{},"body":{}}})",
          journal.last(), journal.last() * 7919 % 1'000'000, kind, journal.last(), body);
    };
    for (std::uint64_t step = 0; step < 1000; ++step) {
      std::string text;
      for (const char c : noise(1024, step)) text += static_cast<char>('0' + (c & 63));
      const std::string call = fmt::format(R"({{"call":{},"n":0,"name":"fs.read","digest":"{}"}})",
                                           step, base::to_hex(Digest::of(text)));
      ASSERT_TRUE(store->commit(epoch, {.segments = {journal.next(line("call.intended", call))}}));
      ASSERT_TRUE(store->commit(
          epoch, {.segments = {journal.next({line("call.settled", R"({"content":")" + text + "\"}"),
                                             line("tool.called", "{}"), line("call.observed", "{}"),
                                             line("tool.returned", R"({"ok":true})")})},
                  .processes = {{.pid = {{7}, 1}, .state = "runnable"}}}));
    }
    rows = store->sizes()->journal_rows;
    EXPECT_TRUE(store->check()->empty());
  }
  EXPECT_LT(rows, 150U);
  EXPECT_LT(std::filesystem::file_size(dir.path("store.db")), 1'500'000U);
}

}  // namespace
}  // namespace alos::store::test
