// The embedded store: one SQLite file, one connection that writes, one that reads beside it.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <mutex>
#include <unordered_set>

#include "store/chain.h"
#include "store/compression.h"
#include "store/owner_lock.h"
#include "store/sqlite.h"
#include "store/sqlite_check.h"
#include "store/sqlite_journal.h"
#include "store/sqlite_schema.h"
#include "store/store.h"

namespace alos::store {

using base::Code;
using base::Digest;
using base::fail;
using base::JobId;
using base::Result;

namespace {

// Digests lately written or met, so that blobs that come again cost no statement. Bounded: forgets
// by halves.
class RecentDigests {
 public:
  bool contains(const Digest& digest) const {
    return young_.contains(digest) || old_.contains(digest);
  }
  void add(const Digest& digest) {
    if (young_.size() >= kHalf) {
      old_ = std::move(young_);
      young_.clear();
    }
    young_.insert(digest);
  }

 private:
  static constexpr std::size_t kHalf = 4096;
  std::unordered_set<Digest> young_, old_;
};

// A connection and what goes with it; its user holds the mutex.
struct Lane {
  std::mutex mutex;
  std::unique_ptr<Database> database;
  Packer packer;
};

std::int64_t as_limit(std::size_t limit) {
  return static_cast<std::int64_t>(
      std::min<std::size_t>(limit, std::numeric_limits<std::int64_t>::max()));
}

std::uint64_t bytes_of_file(const std::string& file) {
  struct stat found = {};
  return ::stat(file.c_str(), &found) == 0 ? static_cast<std::uint64_t>(found.st_size) : 0;
}

class SqliteStore final : public Store {
 public:
  SqliteStore(std::string dir, std::optional<OwnerLock> lock)
      : dir_(std::move(dir)), lock_(std::move(lock)) {}
  ~SqliteStore() override { close(); }

  Result<void> open(OpenMode mode);

  Result<Epoch> own() override;
  Result<void> commit(Epoch epoch, const Commit& commit) override;
  Result<std::vector<Segment>> read(JobId job, base::Seq from, std::uint64_t lines_max) override;
  Result<std::string> blob(const Digest& digest) override;
  Result<std::optional<Snapshot>> snapshot(JobId job) override;
  Result<std::vector<JobRow>> jobs() override;
  Result<std::optional<JobRow>> job(JobId job) override;
  Result<std::vector<ProcessRow>> processes(Which which, base::Pid after,
                                            std::size_t limit) override;
  Result<std::vector<RequestRow>> requests(Which which, JobId after_job, base::RequestId after,
                                           std::size_t limit) override;
  Result<void> rebuild(Epoch epoch, const Commit& projections) override;
  Result<std::vector<Finding>> check() override;
  Result<Sizes> sizes() override;

 private:
  std::string file() const { return dir_ + "/store.db"; }
  std::string name() const { return "store " + dir_; }
  Result<std::unique_ptr<Database>> connect(Access access) const;
  Result<Transaction> begin_owned(Epoch epoch);
  Result<void> put_blobs(const std::vector<Blob>& blobs);
  Result<void> put_snapshot(const Snapshot& snapshot);
  Result<void> put_projections(const Commit& commit);
  void close();

  std::string dir_;
  std::optional<OwnerLock> lock_;  // given back last
  Lane write_;                     // no database in mode read
  Lane read_;
  RecentDigests recent_;  // under write_.mutex
  RecentTails tails_;     // under write_.mutex
};

Result<std::unique_ptr<Database>> SqliteStore::connect(Access access) const {
  std::unique_ptr<Database> database = TRY(Database::open(file(), access, name()));
  TRY(prepare_database(*database, access));
  return database;
}

Result<void> SqliteStore::open(OpenMode mode) {
  if (mode == OpenMode::write) write_.database = TRY(connect(Access::write));
  read_.database = TRY(connect(Access::read));
  return {};
}

// Leaves one file without a log, unless a reader elsewhere needs the log; then the next owner does
// it.
void SqliteStore::close() {
  read_.database.reset();
  if (write_.database == nullptr) return;
  const Result<void> tidied =
      write_.database->script("PRAGMA busy_timeout=100; PRAGMA wal_checkpoint(TRUNCATE)");
  static_cast<void>(tidied);  // what is committed is durable in the log as well
  write_.database.reset();
}

Result<Epoch> SqliteStore::own() {
  const std::lock_guard guard(write_.mutex);
  if (write_.database == nullptr)
    return fail(Code::unavailable, name() + " is open for reading only", "open it for writing");
  Database& database = *write_.database;
  Transaction transaction = TRY(Transaction::begin(database, Transaction::Kind::write));
  TRY(database.run("UPDATE meta SET value=value+1 WHERE key='epoch'"));
  const std::int64_t epoch = TRY(database.number("SELECT value FROM meta WHERE key='epoch'"));
  TRY(transaction.commit());
  return static_cast<Epoch>(epoch);
}

Result<Transaction> SqliteStore::begin_owned(Epoch epoch) {
  if (write_.database == nullptr)
    return fail(Code::unavailable, name() + " is open for reading only", "open it for writing");
  Transaction transaction = TRY(Transaction::begin(*write_.database, Transaction::Kind::write));
  const std::int64_t current =
      TRY(write_.database->number("SELECT value FROM meta WHERE key='epoch'"));
  TRY(check_epoch(static_cast<Epoch>(current), epoch));
  return transaction;
}

Result<void> SqliteStore::commit(Epoch epoch, const Commit& commit) {
  const std::lock_guard guard(write_.mutex);
  Transaction transaction = TRY(begin_owned(epoch));
  for (const Segment& segment : commit.segments)
    TRY(append_segment(*write_.database, write_.packer, tails_, segment));
  TRY(put_blobs(commit.blobs));
  for (const Snapshot& snapshot : commit.snapshots) TRY(put_snapshot(snapshot));
  TRY(put_projections(commit));
  TRY(transaction.commit());
  for (const Blob& blob : commit.blobs) recent_.add(blob.digest);
  return {};
}

Result<void> SqliteStore::put_blobs(const std::vector<Blob>& blobs) {
  Database& database = *write_.database;
  for (const Blob& blob : blobs) {
    if (recent_.contains(blob.digest)) continue;
    {
      Query query = database.query("SELECT 1 FROM blobs WHERE digest=?", {blob.digest});
      if (TRY(query.next())) continue;
    }
    const std::string packed = write_.packer.pack(blob.bytes, Content::bytes);
    TRY(database.run("INSERT INTO blobs(digest, bytes, data) VALUES (?,?,?)",
                     {blob.digest, std::uint64_t{blob.bytes.size()}, Value::bytes(packed)}));
  }
  return {};
}

Result<void> SqliteStore::put_snapshot(const Snapshot& snapshot) {
  const std::string packed = write_.packer.pack(snapshot.state, Content::bytes);
  return write_.database->run(
      "INSERT INTO snapshots(job, seq, head, digest, state) VALUES (?,?,?,?,?) ON CONFLICT(job) DO "
      "UPDATE SET "
      "seq=excluded.seq, head=excluded.head, digest=excluded.digest, state=excluded.state WHERE "
      "excluded.seq >= seq",
      {snapshot.job, snapshot.seq, snapshot.head, Digest::of(snapshot.state),
       Value::bytes(packed)});
}

// The index of the live processes changes only when `live` does.
Result<void> SqliteStore::put_projections(const Commit& commit) {
  Database& database = *write_.database;
  for (const ProcessRow& row : commit.processes) {
    const Value wake = row.wake ? Value(row.wake->unix_us) : Value::null();
    TRY(
        database.run("UPDATE processes SET parent=?, wake=?, state=?, detail=? WHERE job=? AND "
                     "number=? AND live=?",
                     {row.parent, wake, Value::text(row.state), Value::text(row.detail),
                      row.pid.job, row.pid.number, row.live}));
    if (database.changes() > 0) continue;
    TRY(
        database.run("INSERT OR REPLACE INTO processes(job, number, parent, live, wake, state, "
                     "detail) VALUES (?,?,?,?,?,?,?)",
                     {row.pid.job, row.pid.number, row.parent, row.live, wake,
                      Value::text(row.state), Value::text(row.detail)}));
  }
  for (const RequestRow& row : commit.requests) {
    TRY(database.run(
        "INSERT OR REPLACE INTO requests(job, request, process, open, detail) VALUES (?,?,?,?,?)",
        {row.job, row.request, row.process, row.open, Value::text(row.detail)}));
  }
  return {};
}

Result<void> SqliteStore::rebuild(Epoch epoch, const Commit& projections) {
  CHECK(projections.segments.empty() && projections.blobs.empty() && projections.snapshots.empty());
  const std::lock_guard guard(write_.mutex);
  Transaction transaction = TRY(begin_owned(epoch));
  TRY(write_.database->run("DELETE FROM processes"));
  TRY(write_.database->run("DELETE FROM requests"));
  TRY(put_projections(projections));
  return transaction.commit();
}

Result<std::vector<Segment>> SqliteStore::read(JobId job, base::Seq from, std::uint64_t lines_max) {
  const std::lock_guard guard(read_.mutex);
  Transaction moment = TRY(Transaction::begin(*read_.database, Transaction::Kind::read));
  return read_segments(*read_.database, read_.packer, job, from, lines_max);
}

Result<std::string> SqliteStore::blob(const Digest& digest) {
  const std::lock_guard guard(read_.mutex);
  Query query = read_.database->query("SELECT data FROM blobs WHERE digest=?", {digest});
  if (!TRY(query.next()))
    return fail(Code::not_found, fmt::format("{} has no blob {}", name(), base::to_hex(digest)));
  Result<std::string> bytes = read_.packer.unpack(query.bytes(0));
  if (bytes && Digest::of(*bytes) == digest) return bytes;
  return fail(Code::corrupt,
              fmt::format("blob {} is not as it was written: {}", base::to_hex(digest),
                          bytes ? "its bytes have another digest" : bytes.error().what),
              "restore the store from a copy; `alos store check` says what else is damaged");
}

Result<std::optional<Snapshot>> SqliteStore::snapshot(JobId job) {
  const std::lock_guard guard(read_.mutex);
  Query query =
      read_.database->query("SELECT seq, head, digest, state FROM snapshots WHERE job=?", {job});
  if (!TRY(query.next())) return std::optional<Snapshot>{};
  Snapshot snapshot{.job = job, .seq = query.number(0)};
  snapshot.head = TRY(query.digest(1));
  Result<std::string> state = read_.packer.unpack(query.bytes(3));
  if (!state || Digest::of(*state).view() != query.bytes(2)) {
    return fail(Code::corrupt,
                fmt::format("job {}: the snapshot at record {} is not as it was written", job.value,
                            snapshot.seq),
                "read the job's journal from its beginning instead");
  }
  snapshot.state = std::move(*state);
  return std::optional(std::move(snapshot));
}

Result<std::vector<JobRow>> SqliteStore::jobs() {
  const std::lock_guard guard(read_.mutex);
  return all_jobs(*read_.database);
}

Result<std::optional<JobRow>> SqliteStore::job(JobId job) {
  const std::lock_guard guard(read_.mutex);
  return find_job(*read_.database, job);
}

Result<std::vector<ProcessRow>> SqliteStore::processes(Which which, base::Pid after,
                                                       std::size_t limit) {
  static constexpr std::string_view kLive =
      "SELECT job, number, parent, live, wake, state, detail FROM processes WHERE live=1 AND (job, "
      "number) > (?,?) "
      "ORDER BY job, number LIMIT ?";
  static constexpr std::string_view kAll =
      "SELECT job, number, parent, live, wake, state, detail FROM processes WHERE (job, number) > "
      "(?,?) "
      "ORDER BY job, number LIMIT ?";
  const std::lock_guard guard(read_.mutex);
  std::vector<ProcessRow> rows;
  Query query = read_.database->query(which == Which::live ? kLive : kAll,
                                      {after.job, after.number, as_limit(limit)});
  while (TRY(query.next())) {
    ProcessRow row{.pid = {JobId{query.number(0)}, static_cast<std::uint32_t>(query.number(1))},
                   .parent = static_cast<std::uint32_t>(query.number(2)),
                   .state = query.string(5),
                   .live = query.number(3) != 0,
                   .detail = query.string(6)};
    if (!query.is_null(4)) row.wake = base::Time{query.integer(4)};
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<std::vector<RequestRow>> SqliteStore::requests(Which which, JobId after_job,
                                                      base::RequestId after, std::size_t limit) {
  static constexpr std::string_view kOpen =
      "SELECT job, request, process, open, detail FROM requests WHERE open=1 AND (job, request) > "
      "(?,?) "
      "ORDER BY job, request LIMIT ?";
  static constexpr std::string_view kAll =
      "SELECT job, request, process, open, detail FROM requests WHERE (job, request) > (?,?) "
      "ORDER BY job, request LIMIT ?";
  const std::lock_guard guard(read_.mutex);
  std::vector<RequestRow> rows;
  Query query = read_.database->query(which == Which::live ? kOpen : kAll,
                                      {after_job, after, as_limit(limit)});
  while (TRY(query.next())) {
    rows.push_back({.job = JobId{query.number(0)},
                    .request = base::RequestId{query.number(1)},
                    .process = static_cast<std::uint32_t>(query.number(2)),
                    .open = query.number(3) != 0,
                    .detail = query.string(4)});
  }
  return rows;
}

Result<std::vector<Finding>> SqliteStore::check() {
  // A connection of its own: it may take minutes, and others go on reading.
  const std::unique_ptr<Database> database = TRY(connect(Access::read));
  Packer packer;
  return check_database(*database, packer);
}

Result<Sizes> SqliteStore::sizes() {
  const std::lock_guard guard(read_.mutex);
  Database& database = *read_.database;
  Sizes sizes;
  sizes.file_bytes = bytes_of_file(file()) + bytes_of_file(file() + "-wal");
  sizes.journal_rows =
      static_cast<std::uint64_t>(TRY(database.number("SELECT count(*) FROM journal")));
  sizes.blobs = static_cast<std::uint64_t>(TRY(database.number("SELECT count(*) FROM blobs")));
  sizes.blob_bytes =
      static_cast<std::uint64_t>(TRY(database.number("SELECT ifnull(sum(bytes), 0) FROM blobs")));
  return sizes;
}

// An empty file only its user may read, or the one that is there.
Result<void> make_file(const std::string& dir) {
  const std::string file = dir + "/store.db";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return fail(Code::unavailable, fmt::format("cannot open {}: {}", file, std::strerror(errno)),
                "choose a directory you may write with --store");
  }
  ::close(fd);
  return sync_directory(dir);
}

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& dir, OpenMode mode) {
  std::optional<OwnerLock> lock;
  if (mode == OpenMode::write) {
    TRY(make_directories(dir));
    lock.emplace(TRY(OwnerLock::take(dir)));
    TRY(make_file(dir));
  } else if (::access((dir + "/store.db").c_str(), F_OK) != 0) {
    return fail(Code::not_found, fmt::format("there is no store in {}", dir),
                "`alos run` makes one; --store names another place");
  }
  auto store = std::make_unique<SqliteStore>(dir, std::move(lock));
  TRY(store->open(mode));
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace alos::store
