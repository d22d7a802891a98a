#include "store/sqlite_check.h"

#include <fmt/format.h>

#include <map>

#include "store/chain.h"
#include "store/sqlite_journal.h"

namespace alos::store {

using base::JobId;
using base::Result;

namespace {

class Check {
 public:
  Check(Database& database, Packer& packer) : database_(database), packer_(packer) {}

  std::vector<Finding> run() && {
    // One moment of the store, whatever an owner writes meanwhile.
    Result<Transaction> moment = Transaction::begin(database_, Transaction::Kind::read);
    note(moment ? Result<void>() : Result<void>(base::Unexpected(moment.error())));
    note(file());
    note(load_snapshots());
    note(journals());
    note(blobs());
    for (const auto& [job, seq] : snapshots_)
      find(fmt::format("job {}: there is a snapshot at record {}, but no such record", job.value,
                       seq.first));
    return std::move(findings_);
  }

 private:
  void find(std::string what) {
    if (findings_.size() < kFindingsMax) findings_.push_back({std::move(what)});
  }
  void note(const Result<void>& result) {
    if (!result) find(result.error().what);
  }

  Result<void> file() {
    Query query = database_.query("PRAGMA quick_check(100)");
    while (TRY(query.next())) {
      if (query.bytes(0) != "ok") find("database file: " + query.string(0));
    }
    return {};
  }

  Result<void> load_snapshots() {
    Query query = database_.query("SELECT job, seq, head, digest, state FROM snapshots");
    while (TRY(query.next())) {
      const JobId job{query.number(0)};
      const Result<std::string> state = packer_.unpack(query.bytes(4));
      if (!state)
        find(fmt::format("job {}: snapshot: {}", job.value, state.error().what));
      else if (base::Digest::of(*state).view() != query.bytes(3))
        find(fmt::format("job {}: the snapshot has another digest", job.value));
      snapshots_[job] = {query.number(1), query.string(2)};
    }
    return {};
  }

  // All jobs' segments in one walk, beside the table of jobs.
  Result<void> journals() {
    std::map<JobId, JobRow> jobs;
    for (const JobRow& row : TRY(all_jobs(database_))) jobs[row.job] = row;
    JobRow walked;
    Query query =
        database_.query("SELECT job, first, count, head, lines FROM journal ORDER BY job, first");
    while (TRY(query.next())) {
      const JobId job{query.number(0)};
      if (job != walked.job) {
        finish(walked, jobs);
        walked = JobRow{.job = job};
      }
      TRY(segment(query, walked));
    }
    finish(walked, jobs);
    for (const auto& [job, row] : jobs)
      find(fmt::format("job {}: all {} records are missing", job.value, row.last));
    return {};
  }

  Result<void> segment(Query& query, JobRow& walked) {
    Segment segment{.job = walked.job,
                    .first = query.number(1),
                    .count = static_cast<std::uint32_t>(query.number(2))};
    segment.head = TRY(query.digest(3));
    segment.before = walked.head;
    if (segment.first != walked.last + 1) {
      find(fmt::format("job {}: record {} is followed by {}", walked.job.value, walked.last,
                       segment.first));
      walked.head = segment.head;
      walked.last = last_seq(segment);
      return {};
    }
    Result<std::string> lines = packer_.unpack(query.bytes(4));
    if (!lines) {
      find(fmt::format("job {}: records {} to {}: {}", walked.job.value, segment.first,
                       last_seq(segment), lines.error().what));
    } else {
      segment.lines = std::move(*lines);
      note(verify(segment));
      match_snapshot(segment);
    }
    advance(walked, segment);
    return {};
  }

  // The snapshot of the job, when it lies in this segment, has the head of its record.
  void match_snapshot(const Segment& segment) {
    const auto found = snapshots_.find(segment.job);
    if (found == snapshots_.end() || found->second.first > last_seq(segment)) return;
    const auto [seq, stored] = found->second;
    snapshots_.erase(found);
    base::Digest head = segment.before;
    std::string_view rest = segment.lines;
    for (base::Seq at = segment.first; at <= seq && !rest.empty(); ++at) {
      const std::size_t end = rest.find('\n');
      if (end == std::string_view::npos) return;  // already reported
      head = base::Digest::of(head.view(), rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
    if (head.view() != stored)
      find(fmt::format("job {}: the snapshot at record {} has another head than the journal",
                       segment.job.value, seq));
  }

  void finish(const JobRow& walked, std::map<JobId, JobRow>& jobs) {
    if (walked.last == 0) return;
    const auto row = jobs.find(walked.job);
    if (row == jobs.end())
      return find(fmt::format("job {}: has records, but no row among the jobs", walked.job.value));
    const JobRow& job = row->second;
    if (job.last != walked.last)
      find(fmt::format("job {}: the last record is {}, not {}", job.job.value, walked.last,
                       job.last));
    else if (job.head != walked.head)
      find(fmt::format("job {}: the journal ends with another head than the job has",
                       job.job.value));
    jobs.erase(row);
  }

  Result<void> blobs() {
    Query query = database_.query("SELECT digest, bytes, data FROM blobs");
    while (TRY(query.next())) {
      const base::Digest digest = TRY(query.digest(0));
      const Result<std::string> bytes = packer_.unpack(query.bytes(2));
      if (!bytes)
        find(fmt::format("blob {}: {}", base::to_hex(digest), bytes.error().what));
      else if (base::Digest::of(*bytes) != digest)
        find(fmt::format("blob {}: its bytes have another digest", base::to_hex(digest)));
      else if (bytes->size() != query.number(1))
        find(fmt::format("blob {}: {} bytes, not {}", base::to_hex(digest), bytes->size(),
                         query.number(1)));
    }
    return {};
  }

  Database& database_;
  Packer& packer_;
  std::vector<Finding> findings_;
  std::map<JobId, std::pair<base::Seq, std::string>>
      snapshots_;  // seq, head; those not yet met in the journal
};

}  // namespace

std::vector<Finding> check_database(Database& database, Packer& packer) {
  return Check(database, packer).run();
}

}  // namespace alos::store
