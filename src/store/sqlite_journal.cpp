#include "store/sqlite_journal.h"

#include <fmt/format.h>

#include "store/chain.h"

namespace alos::store {

using base::Code;
using base::fail;
using base::JobId;
using base::Result;
using base::Seq;

namespace {

// A row is what one commit holds of a job: often a few hundred bytes, which pack badly and fill a
// page each when large. So the rows at a job's end are packed again, into one row, until that has
// kPackedBytes.
constexpr std::uint64_t kTailRowsMax = 64;
constexpr std::uint64_t kPackedBytesMax = 64U << 10;  // of lines
constexpr std::uint64_t kRecentBytesMax = 8U << 20;   // of lines, of all jobs

struct Tail {
  Seq first = 1;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
};

struct JobState {
  JobRow row;
  Tail tail;
};

Result<JobState> job_state(Database& database, JobId job) {
  JobState state;
  state.row.job = job;
  Query query = database.query(
      "SELECT last, head, bytes, tail_first, tail_rows, tail_bytes FROM jobs WHERE job=?", {job});
  if (!TRY(query.next())) return state;
  state.row.last = query.number(0);
  state.row.head = TRY(query.digest(1));
  state.row.bytes = query.number(2);
  state.tail = {query.number(3), query.number(4), query.number(5)};
  return state;
}

Result<void> put_job_state(Database& database, const JobState& state) {
  const auto& [row, tail] = state;
  return database.run(
      "INSERT INTO jobs(job, last, head, bytes, tail_first, tail_rows, tail_bytes) VALUES "
      "(?,?,?,?,?,?,?) ON CONFLICT(job) DO UPDATE SET last=excluded.last, head=excluded.head, "
      "bytes=excluded.bytes, tail_first=excluded.tail_first, tail_rows=excluded.tail_rows, "
      "tail_bytes=excluded.tail_bytes",
      {row.job, row.last, row.head, row.bytes, tail.first, tail.rows, tail.bytes});
}

Result<void> insert_row(Database& database, Packer& packer, const Segment& segment) {
  const std::string packed = packer.pack(segment.lines, Content::records);
  return database.run(
      "INSERT INTO journal(job, first, count, head, lines) VALUES (?,?,?,?,?)",
      {segment.job, segment.first, segment.count, segment.head, Value::bytes(packed)});
}

// The head of the row before `first`; zero when there is none.
Result<base::Digest> head_before(Database& database, JobId job, Seq first) {
  Query query = database.query(
      "SELECT head FROM journal WHERE job=? AND first<? ORDER BY first DESC LIMIT 1", {job, first});
  if (!TRY(query.next())) return base::Digest{};
  return query.digest(0);
}

// The tail's rows as one segment; nothing when they are damaged.
Result<std::optional<Segment>> joined_tail(Database& database, Packer& packer, JobId job,
                                           const Tail& tail) {
  Segment whole{.job = job, .first = tail.first};
  const Result<base::Digest> before = head_before(database, job, tail.first);
  if (!before) return std::optional<Segment>{};
  whole.before = *before;
  Query query = database.query(
      "SELECT first, count, head, lines FROM journal WHERE job=? AND first>=? ORDER BY first",
      {job, tail.first});
  while (TRY(query.next())) {
    const Result<std::string> lines = packer.unpack(query.bytes(3));
    const Result<base::Digest> head = query.digest(2);
    if (!lines || !head || query.number(0) != whole.first + whole.count) {
      return std::optional<Segment>{};
    }
    whole.count += static_cast<std::uint32_t>(query.number(1));
    whole.head = *head;
    whole.lines += *lines;
  }
  if (!verify(whole)) return std::optional<Segment>{};
  return std::optional(std::move(whole));
}

// Same lines, same chain, fewer rows. Damaged rows stay as they are, so that damage does not
// spread.
Result<void> pack_tail(Database& database, Packer& packer, const RecentTails& tails,
                       JobState& state) {
  if (state.tail.rows < 2) return {};
  const JobRow& row = state.row;
  const Segment* whole = tails.find(row.job, state.tail.first, row.last, row.head);
  std::optional<Segment> joined;
  if (whole == nullptr) {
    joined = TRY(joined_tail(database, packer, row.job, state.tail));
    if (!joined) {
      state.tail = {row.last + 1, 0, 0};
      return {};
    }
    whole = &*joined;
  }
  TRY(database.run("DELETE FROM journal WHERE job=? AND first>=?", {row.job, state.tail.first}));
  state.tail.rows = 1;
  return insert_row(database, packer, *whole);
}

Result<Segment> unpacked_row(Query& query, Packer& packer, JobId job) {
  Segment segment{
      .job = job, .first = query.number(0), .count = static_cast<std::uint32_t>(query.number(1))};
  segment.head = TRY(query.digest(2));
  Result<std::string> lines = packer.unpack(query.bytes(3));
  if (!lines) {
    return fail(Code::corrupt,
                fmt::format("job {}: records {} to {} cannot be read: {}", job.value, segment.first,
                            last_seq(segment), lines.error().what),
                "restore the store from a copy; `alos store check` says what else is damaged");
  }
  segment.lines = std::move(*lines);
  return segment;
}

base::Unexpected gap(JobId job, Seq after, const std::string& then) {
  return fail(Code::corrupt,
              fmt::format("job {}: records are missing after {}: {}", job.value, after, then),
              "restore the store from a copy");
}

}  // namespace

void RecentTails::begin(const Segment& segment) {
  forget(segment.job);
  if (bytes_ + segment.lines.size() > kRecentBytesMax) tails_.clear(), bytes_ = 0;
  bytes_ += segment.lines.size();
  tails_.emplace(segment.job, segment);
}

void RecentTails::extend(const Segment& segment) {
  const auto known = tails_.find(segment.job);
  if (known == tails_.end()) return;
  Segment& tail = known->second;
  if (segment.first != last_seq(tail) + 1 || segment.before != tail.head ||
      bytes_ + segment.lines.size() > kRecentBytesMax)
    return forget(segment.job);
  bytes_ += segment.lines.size();
  tail.count += segment.count;
  tail.head = segment.head;
  tail.lines += segment.lines;
}

void RecentTails::forget(JobId job) {
  const auto known = tails_.find(job);
  if (known == tails_.end()) return;
  bytes_ -= known->second.lines.size();
  tails_.erase(known);
}

const Segment* RecentTails::find(JobId job, Seq first, Seq last, const base::Digest& head) const {
  const auto known = tails_.find(job);
  if (known == tails_.end()) return nullptr;
  const Segment& tail = known->second;
  const bool fits = tail.first == first && last_seq(tail) == last && tail.head == head;
  return fits && verify(tail) ? &tail : nullptr;
}

Result<void> append_segment(Database& database, Packer& packer, RecentTails& tails,
                            const Segment& segment) {
  JobState state = TRY(job_state(database, segment.job));
  TRY(continues(state.row, segment));
  if (state.tail.rows > 0 && state.tail.bytes + segment.lines.size() > kPackedBytesMax) {
    TRY(pack_tail(database, packer, tails, state));
    state.tail = {segment.first, 0, 0};
  }
  TRY(insert_row(database, packer, segment));
  if (state.tail.rows == 0)
    state.tail.first = segment.first, tails.begin(segment);
  else
    tails.extend(segment);
  advance(state.row, segment);
  state.tail.rows += 1;
  state.tail.bytes += segment.lines.size();
  if (state.tail.rows >= kTailRowsMax) TRY(pack_tail(database, packer, tails, state));
  return put_job_state(database, state);
}

Result<std::optional<JobRow>> find_job(Database& database, JobId job) {
  const JobState state = TRY(job_state(database, job));
  if (state.row.last == 0) return std::optional<JobRow>{};
  return std::optional(state.row);
}

Result<std::vector<JobRow>> all_jobs(Database& database) {
  std::vector<JobRow> jobs;
  Query query = database.query("SELECT job, last, head, bytes FROM jobs ORDER BY job");
  while (TRY(query.next())) {
    const base::Digest head = TRY(query.digest(2));
    jobs.push_back({JobId{query.number(0)}, query.number(1), head, query.number(3)});
  }
  return jobs;
}

Result<std::vector<Segment>> read_segments(Database& database, Packer& packer, JobId job, Seq from,
                                           std::uint64_t lines_max) {
  std::vector<Segment> segments;
  const JobState state = TRY(job_state(database, job));
  if (from > state.row.last || lines_max == 0) return segments;
  // From the row before the one that holds `from`: its head is what the first segment follows.
  Query query = database.query(
      "SELECT first, count, head, lines FROM journal WHERE job=?1 AND first >= ifnull((SELECT "
      "first FROM journal "
      "WHERE job=?1 AND first<=?2 ORDER BY first DESC LIMIT 1 OFFSET 1), 0) ORDER BY first",
      {job, from});
  base::Digest head;
  Seq last = 0;
  bool begun = false;  // the row read first tells where we are
  std::uint64_t lines = 0;
  while (lines < lines_max && TRY(query.next())) {
    const Seq first = query.number(0);
    const Seq end = first + query.number(1) - 1;
    if (!begun && first != 1) {
      if (end >= from) return gap(job, 0, fmt::format("{} is the first", first));
    } else if (first != last + 1) {
      return gap(job, last, fmt::format("{} is the next", first));
    }
    begun = true;
    last = end;
    if (end < from) {
      head = TRY(query.digest(2));
      continue;
    }
    Segment segment = TRY(unpacked_row(query, packer, job));
    segment.before = std::exchange(head, segment.head);
    TRY(verify(segment));
    lines += end - std::max(first, from) + 1;
    segments.push_back(std::move(segment));
  }
  if (lines < lines_max && (last != state.row.last || head != state.row.head)) {
    return gap(job, last, fmt::format("{} was the last", state.row.last));
  }
  return segments;
}

}  // namespace alos::store
