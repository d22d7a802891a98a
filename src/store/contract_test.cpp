// What every store keeps to, run over each of them.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "store/store.h"
#include "store/test_journal.h"

namespace alos::store::test {
namespace {

using base::Code;
using base::Digest;
using base::JobId;
using base::Pid;
using base::RequestId;

struct Kind {
  const char* name;
  std::unique_ptr<Store> (*make)(const std::string& dir);
};

class StoreContract : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    store_ = GetParam().make(dir_.path("store"));
    ASSERT_NE(store_, nullptr);
    const auto epoch = store_->own();
    ASSERT_TRUE(epoch.has_value()) << epoch.error().what;
    epoch_ = *epoch;
  }

  void commit_ok(const Commit& commit) {
    const auto done = store_->commit(epoch_, commit);
    ASSERT_TRUE(done.has_value()) << done.error().what << " / " << done.error().details;
  }
  Code commit_error(const Commit& commit) {
    const auto done = store_->commit(epoch_, commit);
    EXPECT_FALSE(done.has_value());
    return done ? Code::internal : done.error().code;
  }
  std::string all_lines(JobId job) {
    const auto segments = store_->read(job, 1, UINT64_MAX);
    EXPECT_TRUE(segments.has_value()) << segments.error().what;
    std::string lines;
    for (const Segment& segment : *segments) lines += segment.lines;
    return lines;
  }
  std::vector<std::string> findings() {
    std::vector<std::string> out;
    const auto found = store_->check();
    if (!found) return {found.error().what};
    for (const Finding& finding : *found) out.push_back(finding.what);
    return out;
  }

  TempDir dir_;
  std::unique_ptr<Store> store_;
  Epoch epoch_ = 0;
};

TEST_P(StoreContract, AppendsAndReadsBack) {
  TestJournal journal(7);
  const Segment first = journal.next({"one", "two"});
  const Segment second = journal.next("three");
  commit_ok({.segments = {first}});
  commit_ok({.segments = {second}});
  const auto read = store_->read({7}, 1, 100);
  ASSERT_TRUE(read.has_value()) << read.error().what;
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ(read->at(0).lines, "one\ntwo\n");
  EXPECT_EQ(read->at(0).count, 2U);
  EXPECT_TRUE(read->at(0).before.is_zero());
  EXPECT_EQ(read->at(1).first, 3U);
  EXPECT_EQ(read->at(1).before, first.head);
  EXPECT_EQ(read->at(1).head, second.head);
  EXPECT_EQ(findings(), std::vector<std::string>{});
}

TEST_P(StoreContract, NothingThereIsEmptyOrNotFound) {
  EXPECT_TRUE(store_->read({1}, 1, 100)->empty());
  EXPECT_FALSE(store_->job({1})->has_value());
  EXPECT_FALSE(store_->snapshot({1})->has_value());
  EXPECT_TRUE(store_->jobs()->empty());
  EXPECT_TRUE(store_->processes(Which::all, {}, 10)->empty());
  const auto blob = store_->blob(Digest::of("never"));
  ASSERT_FALSE(blob.has_value());
  EXPECT_EQ(blob.error().code, Code::not_found);
  EXPECT_NE(blob.error().what.find(base::to_hex(Digest::of("never"))), std::string::npos);
  commit_ok({});
}

TEST_P(StoreContract, RefusesWhatDoesNotContinueTheJob) {
  TestJournal journal(7);
  const Segment first = journal.next({"one", "two"});
  const Segment second = journal.next({"three", "four"});
  const Segment third = journal.next("five");
  TestJournal other(7);
  other.next({"one", "other"});
  const Segment branched = other.next({"three", "four"});
  Segment headed = TestJournal(8).next("one");
  headed.before = Digest::of("something");
  struct Row {
    const char* what;
    std::vector<Segment> segments;
  };
  commit_ok({.segments = {first}});
  const Row rows[] = {{"a gap", {third}},
                      {"the same again", {first}},
                      {"another history", {branched}},
                      {"a new job that begins late",
                       {TestJournal(9).next("one"),
                        [] {
                          TestJournal late(10);
                          late.next("one");
                          return late.next("two");
                        }()}},
                      {"a new job with a head before it", {headed}},
                      {"the same twice in one commit", {second, second}},
                      {"out of order in one commit", {third, second}}};
  for (const Row& row : rows) {
    EXPECT_EQ(commit_error({.segments = row.segments}), Code::conflict) << row.what;
    EXPECT_EQ(all_lines({7}), "one\ntwo\n") << row.what;
    EXPECT_EQ(store_->jobs()->size(), 1U) << row.what;
  }
  commit_ok({.segments = {second, third}});
  EXPECT_EQ(all_lines({7}), "one\ntwo\nthree\nfour\nfive\n");
}

TEST_P(StoreContract, ConflictSaysWhich) {
  TestJournal journal(7);
  journal.next({"one", "two"});
  const auto refused = store_->commit(epoch_, {.segments = {journal.next("three")}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().what.find("job 7"), std::string::npos) << refused.error().what;
  EXPECT_NE(refused.error().what.find("from 3"), std::string::npos) << refused.error().what;
  EXPECT_FALSE(refused.error().details.empty());
}

TEST_P(StoreContract, AnOlderEpochChangesNothing) {
  TestJournal journal(7);
  const Segment first = journal.next("one");
  const Epoch old = epoch_;
  epoch_ = *store_->own();
  EXPECT_GT(epoch_, old);
  for (const Epoch wrong : {old, epoch_ + 1, Epoch{0}}) {
    const auto fenced = store_->commit(wrong, {.segments = {first}});
    ASSERT_FALSE(fenced.has_value()) << wrong;
    EXPECT_EQ(fenced.error().code, Code::conflict);
    const auto rebuilt = store_->rebuild(wrong, {});
    ASSERT_FALSE(rebuilt.has_value()) << wrong;
    EXPECT_EQ(rebuilt.error().code, Code::conflict);
  }
  EXPECT_TRUE(store_->jobs()->empty());
  commit_ok({.segments = {first}});
}

TEST_P(StoreContract, ACommitIsAllOrNothing) {
  TestJournal good(1), bad(2);
  bad.next("missing");
  const Blob blob = blob_of("bytes");
  const Commit commit{.segments = {good.next("one"), bad.next("two")},
                      .blobs = {blob},
                      .snapshots = {{.job = {1}, .seq = 1, .head = good.head(), .state = "s"}},
                      .processes = {{.pid = {{1}, 1}, .state = "runnable"}},
                      .requests = {{.job = {1}, .request = {1}}}};
  EXPECT_EQ(commit_error(commit), Code::conflict);
  EXPECT_TRUE(store_->jobs()->empty());
  EXPECT_TRUE(store_->read({1}, 1, 10)->empty());
  EXPECT_FALSE(store_->blob(blob.digest).has_value());
  EXPECT_FALSE(store_->snapshot({1})->has_value());
  EXPECT_TRUE(store_->processes(Which::all, {}, 10)->empty());
  EXPECT_TRUE(store_->requests(Which::all, {}, {}, 10)->empty());
  // The blob of the failed commit counts as unknown still.
  commit_ok({.segments = {commit.segments[0]}, .blobs = {blob}});
  EXPECT_EQ(*store_->blob(blob.digest), "bytes");
}

TEST_P(StoreContract, KeepsABlobOnce) {
  const std::string binary("\0\x01\xff\n\0", 5);
  const std::vector<Blob> blobs = {blob_of(""), blob_of("a"), blob_of(binary),
                                   blob_of(std::string(100'000, 'x'))};
  commit_ok({.blobs = blobs});
  commit_ok({.blobs = blobs});
  commit_ok({.blobs = {blobs[1], blobs[1], blob_of("new"), blob_of("new")}});
  for (const Blob& blob : blobs) EXPECT_EQ(*store_->blob(blob.digest), blob.bytes);
  const auto sizes = store_->sizes();
  EXPECT_EQ(sizes->blobs, 5U);
  EXPECT_EQ(sizes->blob_bytes, 100'000U + 5 + 1 + 3);
}

TEST_P(StoreContract, TheNewestSnapshotStays) {
  TestJournal journal(7);
  const Segment first = journal.next("one");
  const Digest head = journal.head();
  const Segment second = journal.next("two");
  const Snapshot older{.job = {7}, .seq = 1, .head = head, .state = std::string("old\0state", 9)};
  const Snapshot newer{
      .job = {7}, .seq = 2, .head = journal.head(), .state = std::string(50'000, 'n')};
  commit_ok({.segments = {first}, .snapshots = {older}});
  EXPECT_EQ((*store_->snapshot({7}))->state, older.state);
  commit_ok({.segments = {second}, .snapshots = {newer}});
  commit_ok({.snapshots = {older}});
  const auto kept = store_->snapshot({7});
  EXPECT_EQ((*kept)->seq, 2U);
  EXPECT_EQ((*kept)->head, newer.head);
  EXPECT_EQ((*kept)->state, newer.state);
  EXPECT_EQ(findings(), std::vector<std::string>{});
}

TEST_P(StoreContract, ProcessesAreUpsertedPagedAndFiltered) {
  Commit commit;
  for (std::uint32_t job = 3; job >= 1; --job) {
    for (std::uint32_t number = 1; number <= 4; ++number) {
      commit.processes.push_back({.pid = {{job}, number},
                                  .parent = number - 1,
                                  .state = "runnable",
                                  .detail = R"({"é":1})"});
    }
  }
  commit_ok(commit);
  commit_ok({.processes = {{.pid = {{1}, 2}, .state = "exited", .live = false},
                           {.pid = {{2}, 1}, .state = "waiting", .wake = base::Time{-5}}}});
  std::vector<Pid> seen;
  for (Pid after;;) {
    const auto page = store_->processes(Which::live, after, 5);
    ASSERT_TRUE(page.has_value());
    if (page->empty()) break;
    EXPECT_LE(page->size(), 5U);
    for (const ProcessRow& row : *page) seen.push_back(row.pid);
    after = seen.back();
  }
  EXPECT_EQ(seen.size(), 11U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(std::count(seen.begin(), seen.end(), Pid{{1}, 2}), 0);
  const auto all = store_->processes(Which::all, {}, SIZE_MAX);
  ASSERT_EQ(all->size(), 12U);
  EXPECT_EQ(all->at(1).state, "exited");
  EXPECT_FALSE(all->at(1).live);
  EXPECT_EQ(all->at(3).parent, 3U);
  EXPECT_EQ(all->at(3).detail, R"({"é":1})");
  EXPECT_EQ(all->at(3).wake, std::nullopt);
  EXPECT_EQ(all->at(4).wake, base::Time{-5});
}

TEST_P(StoreContract, RequestsAreUpsertedPagedAndFiltered) {
  Commit commit;
  for (std::uint64_t job = 1; job <= 2; ++job) {
    for (std::uint64_t request = 1; request <= 3; ++request) {
      commit.requests.push_back({.job = {job},
                                 .request = {request},
                                 .process = 1,
                                 .detail = "q" + std::to_string(request)});
    }
  }
  commit_ok(commit);
  commit_ok({.requests = {
                 {.job = {1}, .request = {3}, .process = 1, .open = false, .detail = "answered"}}});
  EXPECT_EQ(store_->requests(Which::all, {}, {}, 100)->size(), 6U);
  EXPECT_EQ(store_->requests(Which::live, {}, {}, 100)->size(), 5U);
  const auto page = store_->requests(Which::live, {1}, {2}, 1);
  ASSERT_EQ(page->size(), 1U);
  EXPECT_EQ(page->at(0).job, JobId{2});
  EXPECT_EQ(page->at(0).request, RequestId{1});
  EXPECT_EQ(page->at(0).detail, "q1");
  EXPECT_EQ(store_->requests(Which::all, {1}, {2}, 1)->at(0).detail, "answered");
}

TEST_P(StoreContract, RebuildReplacesAllProjections) {
  TestJournal journal(1);
  commit_ok({.segments = {journal.next("one")},
             .processes = {{.pid = {{1}, 1}, .state = "runnable"},
                           {.pid = {{1}, 2}, .state = "runnable"}},
             .requests = {{.job = {1}, .request = {1}}}});
  const auto done =
      store_->rebuild(epoch_, {.processes = {{.pid = {{1}, 3}, .state = "exited", .live = false}}});
  ASSERT_TRUE(done.has_value()) << done.error().what;
  const auto rows = store_->processes(Which::all, {}, 10);
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->at(0).pid, (Pid{{1}, 3}));
  EXPECT_TRUE(store_->processes(Which::live, {}, 10)->empty());
  EXPECT_TRUE(store_->requests(Which::all, {}, {}, 10)->empty());
  EXPECT_EQ(all_lines({1}), "one\n");
}

TEST_P(StoreContract, ListsJobs) {
  TestJournal third(3), first(1);
  commit_ok({.segments = {third.next({"a", "bc"}), first.next("x"), third.next("d")}});
  const auto jobs = store_->jobs();
  ASSERT_EQ(jobs->size(), 2U);
  EXPECT_EQ(jobs->at(0).job, JobId{1});
  EXPECT_EQ(jobs->at(1).job, JobId{3});
  EXPECT_EQ(jobs->at(1).last, 3U);
  EXPECT_EQ(jobs->at(1).head, third.head());
  EXPECT_EQ(jobs->at(1).bytes, 7U);
  EXPECT_EQ((*store_->job({3}))->head, third.head());
  EXPECT_FALSE(store_->job({2})->has_value());
}

// However a store packs its segments: every position can be read from, and the chain holds across
// them.
TEST_P(StoreContract, ReadsFromEveryPosition) {
  TestJournal journal(5);
  std::vector<std::string> written;
  std::vector<Digest> heads = {Digest{}};
  const std::size_t sizes[] = {10, 300, 10, 40'000, 10, 70'000, 3'000};
  for (std::uint64_t i = 0; written.size() < 400; ++i) {
    std::vector<std::string> lines;
    for (std::uint64_t n = 0; n <= i % 3; ++n) {
      const std::size_t size = i % 40 == 39 ? sizes[i / 40 % std::size(sizes)] : 20;
      lines.push_back(std::to_string(written.size() + 1) + ":" +
                      std::string(size, static_cast<char>('a' + i % 26)));
      written.push_back(lines.back());
      heads.push_back(Digest::of(heads.back().view(), lines.back()));
    }
    commit_ok({.segments = {journal.next(lines)}});
  }
  for (base::Seq from = 1; from <= written.size(); from += from < 100 ? 1 : 7) {
    const auto segments = store_->read({5}, from, 3);
    ASSERT_TRUE(segments.has_value()) << segments.error().what;
    ASSERT_FALSE(segments->empty());
    ASSERT_LE(segments->front().first, from);
    ASSERT_GE(segments->front().first + segments->front().count - 1, from);
    base::Seq seq = segments->front().first;
    std::uint64_t lines = 0;
    for (const Segment& segment : *segments) {
      ASSERT_LT(lines, 3U) << "a segment too many from " << from;
      ASSERT_EQ(segment.first, seq);
      ASSERT_EQ(segment.before, heads[seq - 1]);
      std::string expected;
      for (std::uint32_t i = 0; i < segment.count; ++i) expected += written[seq++ - 1] + "\n";
      ASSERT_EQ(segment.lines, expected);
      ASSERT_EQ(segment.head, heads[seq - 1]);
      lines += seq - std::max(from, segment.first);
    }
    ASSERT_TRUE(lines >= 3 || seq == written.size() + 1);
  }
  EXPECT_TRUE(store_->read({5}, written.size() + 1, 10)->empty());
  EXPECT_TRUE(store_->read({5}, 1, 0)->empty());
  EXPECT_EQ(findings(), std::vector<std::string>{});
}

TEST_P(StoreContract, CarriesManyJobsInOneCommit) {
  std::vector<TestJournal> journals;
  for (std::uint64_t job = 1; job <= 1000; ++job) journals.emplace_back(job);
  for (int round = 0; round < 3; ++round) {
    Commit commit;
    for (TestJournal& journal : journals)
      commit.segments.push_back(journal.next(std::to_string(journal.job().value)));
    commit_ok(commit);
  }
  EXPECT_EQ(store_->jobs()->size(), 1000U);
  for (const std::uint64_t job : {1, 500, 1000}) {
    const std::string line = std::to_string(job) + "\n";
    EXPECT_EQ(all_lines({job}), line + line + line);
  }
  EXPECT_TRUE(all_lines({1001}).empty());
}

TEST_P(StoreContract, CarriesLargeAndBinaryData) {
  std::string binary = noise(5 << 20, 1);
  std::replace(binary.begin(), binary.end(), '\n', '\0');
  const Blob large = blob_of(noise(5 << 20, 2));
  TestJournal journal(1);
  commit_ok({.segments = {journal.next({"before", binary, "after"})}, .blobs = {large}});
  commit_ok({.segments = {journal.next("next")}});
  EXPECT_EQ(all_lines({1}), "before\n" + binary + "\nafter\nnext\n");
  EXPECT_EQ(*store_->blob(large.digest), large.bytes);
}

TEST_P(StoreContract, ReadsRunBesideCommits) {
  std::atomic<bool> done = false;
  std::atomic<int> failures = 0;
  std::thread reader([&] {
    while (!done) {
      const auto segments = store_->read({1}, 1, UINT64_MAX);
      std::uint64_t lines = 0;
      if (segments)
        for (const Segment& segment : *segments) lines += segment.count;
      const auto job = store_->job({1});  // later: at least as far
      if (!segments || !job || (lines > 0 && (*job)->last < lines)) ++failures;
    }
  });
  TestJournal journal(1);
  for (int i = 0; i < 300; ++i) commit_ok({.segments = {journal.next(std::to_string(i))}});
  done = true;
  reader.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ((*store_->job({1}))->last, 300U);
}

INSTANTIATE_TEST_SUITE_P(
    Stores, StoreContract,
    testing::Values(Kind{"memory", [](const std::string&) { return make_memory_store(); }},
                    Kind{"sqlite",
                         [](const std::string& dir) -> std::unique_ptr<Store> {
                           auto opened = open_sqlite_store(dir, OpenMode::write);
                           return opened ? std::move(*opened) : nullptr;
                         }}),
    [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace alos::store::test
