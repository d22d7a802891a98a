// The store that lives as long as the object: the same contract, for tests and for runs that leave
// nothing.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <unordered_map>

#include "store/chain.h"
#include "store/store.h"

namespace alos::store {

using base::Code;
using base::Digest;
using base::fail;
using base::JobId;
using base::Pid;
using base::RequestId;
using base::Result;

namespace {

class MemoryStore final : public Store {
 public:
  Result<Epoch> own() override {
    const std::lock_guard guard(mutex_);
    return ++epoch_;
  }

  Result<void> commit(Epoch epoch, const Commit& commit) override {
    const std::lock_guard guard(mutex_);
    TRY(check_epoch(epoch_, epoch));
    std::map<JobId, JobRow> after;  // checked as a whole before anything changes
    for (const Segment& segment : commit.segments) {
      JobRow& row = after.try_emplace(segment.job, row_of(segment.job)).first->second;
      TRY(continues(row, segment));
      advance(row, segment);
    }
    for (const auto& [job, row] : after) jobs_[job].row = row;
    for (const Segment& segment : commit.segments) jobs_[segment.job].segments.push_back(segment);
    for (const Blob& blob : commit.blobs) blobs_.try_emplace(blob.digest, blob.bytes);
    for (const Snapshot& snapshot : commit.snapshots) put_snapshot(snapshot);
    put_projections(commit);
    return {};
  }

  Result<std::vector<Segment>> read(JobId job, base::Seq from, std::uint64_t lines_max) override {
    const std::lock_guard guard(mutex_);
    std::vector<Segment> found;
    const auto journal = jobs_.find(job);
    if (journal == jobs_.end()) return found;
    const std::vector<Segment>& all = journal->second.segments;
    auto at = std::lower_bound(all.begin(), all.end(), from,
                               [](const Segment& s, base::Seq seq) { return last_seq(s) < seq; });
    for (std::uint64_t lines = 0; at != all.end() && lines < lines_max; ++at) {
      lines += last_seq(*at) - std::max(at->first, from) + 1;
      found.push_back(*at);
    }
    return found;
  }

  Result<std::string> blob(const Digest& digest) override {
    const std::lock_guard guard(mutex_);
    const auto found = blobs_.find(digest);
    if (found == blobs_.end())
      return fail(Code::not_found, fmt::format("the store has no blob {}", base::to_hex(digest)));
    if (Digest::of(found->second) == digest) return found->second;
    return fail(Code::corrupt,
                fmt::format("blob {} is not as it was written: its bytes have another digest",
                            base::to_hex(digest)));
  }

  Result<std::optional<Snapshot>> snapshot(JobId job) override {
    const std::lock_guard guard(mutex_);
    const auto found = snapshots_.find(job);
    return found == snapshots_.end() ? std::optional<Snapshot>{} : std::optional(found->second);
  }

  Result<std::vector<JobRow>> jobs() override {
    const std::lock_guard guard(mutex_);
    std::vector<JobRow> rows;
    for (const auto& [job, journal] : jobs_) rows.push_back(journal.row);
    return rows;
  }

  Result<std::optional<JobRow>> job(JobId job) override {
    const std::lock_guard guard(mutex_);
    const auto found = jobs_.find(job);
    return found == jobs_.end() ? std::optional<JobRow>{} : std::optional(found->second.row);
  }

  Result<std::vector<ProcessRow>> processes(Which which, Pid after, std::size_t limit) override {
    const std::lock_guard guard(mutex_);
    std::vector<ProcessRow> rows;
    for (auto at = processes_.upper_bound(after); at != processes_.end() && rows.size() < limit;
         ++at) {
      if (which == Which::all || at->second.live) rows.push_back(at->second);
    }
    return rows;
  }

  Result<std::vector<RequestRow>> requests(Which which, JobId after_job, RequestId after,
                                           std::size_t limit) override {
    const std::lock_guard guard(mutex_);
    std::vector<RequestRow> rows;
    for (auto at = requests_.upper_bound({after_job, after});
         at != requests_.end() && rows.size() < limit; ++at) {
      if (which == Which::all || at->second.open) rows.push_back(at->second);
    }
    return rows;
  }

  Result<void> rebuild(Epoch epoch, const Commit& projections) override {
    CHECK(projections.segments.empty() && projections.blobs.empty() &&
          projections.snapshots.empty());
    const std::lock_guard guard(mutex_);
    TRY(check_epoch(epoch_, epoch));
    processes_.clear();
    requests_.clear();
    put_projections(projections);
    return {};
  }

  Result<std::vector<Finding>> check() override {
    const std::lock_guard guard(mutex_);
    std::vector<Finding> findings;
    for (const auto& [job, journal] : jobs_) {
      for (const Segment& segment : journal.segments) {
        if (const Result<void> sound = verify(segment); !sound)
          findings.push_back({sound.error().what});
      }
    }
    for (const auto& [digest, bytes] : blobs_) {
      if (Digest::of(bytes) != digest)
        findings.push_back(
            {fmt::format("blob {}: its bytes have another digest", base::to_hex(digest))});
    }
    return findings;
  }

  Result<Sizes> sizes() override {
    const std::lock_guard guard(mutex_);
    Sizes sizes;
    for (const auto& [job, journal] : jobs_) sizes.journal_rows += journal.segments.size();
    for (const auto& [digest, bytes] : blobs_) sizes.blob_bytes += bytes.size();
    sizes.blobs = blobs_.size();
    return sizes;
  }

 private:
  struct Journal {
    JobRow row;
    std::vector<Segment> segments;
  };

  JobRow row_of(JobId job) const {
    const auto found = jobs_.find(job);
    return found == jobs_.end() ? JobRow{.job = job} : found->second.row;
  }

  void put_snapshot(const Snapshot& snapshot) {
    Snapshot& kept = snapshots_[snapshot.job];
    if (snapshot.seq >= kept.seq) kept = snapshot;
  }

  void put_projections(const Commit& commit) {
    for (const ProcessRow& row : commit.processes) processes_[row.pid] = row;
    for (const RequestRow& row : commit.requests) requests_[{row.job, row.request}] = row;
  }

  std::mutex mutex_;
  Epoch epoch_ = 0;
  std::map<JobId, Journal> jobs_;
  std::unordered_map<Digest, std::string> blobs_;
  std::map<JobId, Snapshot> snapshots_;
  std::map<Pid, ProcessRow> processes_;
  std::map<std::pair<JobId, RequestId>, RequestRow> requests_;
};

}  // namespace

std::unique_ptr<Store> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace alos::store
