// Store: what is remembered. Journals of jobs, blobs, snapshots, and small tables to look things up
// without loading a job. It knows bytes and positions; what a record means is not its business.
//
// One runtime owns a store at a time: `own` gives it an epoch, and a commit under an older epoch,
// or one that does not continue a job's journal exactly, changes nothing and fails (`conflict`).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/id.h"
#include "base/result.h"
#include "base/time.h"

namespace alos::store {

using Epoch = std::uint64_t;

// A run of consecutive records of one job: their canonical lines, each ended by '\n'.
struct Segment {
  base::JobId job;
  base::Seq first = 0;      // seq of the first line
  std::uint32_t count = 0;  // lines
  base::Digest before;      // chain head before the first (zero for seq 1)
  base::Digest head;        // chain head after the last
  std::string lines;
};

struct Blob {
  base::Digest digest;
  std::string bytes;
};

// A job's whole state at a position, as its owner encodes it.
struct Snapshot {
  base::JobId job;
  base::Seq seq = 0;  // the last record it holds
  base::Digest head;
  std::string state;
};

// Projections: derived from the journal, written with it, rebuildable. `detail` is JSON for
// showing.
struct ProcessRow {
  base::Pid pid;
  std::uint32_t parent = 0;  // number in the job; 0: none
  std::string state;
  bool live = true;                // not terminal
  std::optional<base::Time> wake;  // when it sleeps
  std::string detail;
};

struct RequestRow {
  base::JobId job;
  base::RequestId request;
  std::uint32_t process = 0;
  bool open = true;
  std::string detail;
};

// Everything that becomes durable together.
struct Commit {
  std::vector<Segment> segments;
  std::vector<Blob> blobs;            // already known digests are no error
  std::vector<Snapshot> snapshots;    // the newest of a job replaces the older
  std::vector<ProcessRow> processes;  // upserts
  std::vector<RequestRow> requests;   // upserts
};

struct JobRow {
  base::JobId job;
  base::Seq last = 0;
  base::Digest head;
  std::uint64_t bytes = 0;  // of canonical lines, uncompressed
};

struct Finding {  // of check()
  std::string what;
};

struct Sizes {
  std::uint64_t file_bytes = 0;
  std::uint64_t journal_rows = 0;
  std::uint64_t blobs = 0;
  std::uint64_t blob_bytes = 0;  // uncompressed
};

enum class Which : std::uint8_t { live, all };  // live: processes not ended, requests not answered

class Store {
 public:
  virtual ~Store() = default;

  // Makes the caller the owner from now on. Errors: `unavailable` (disk, permissions).
  virtual base::Result<Epoch> own() = 0;

  // All or nothing, durable when it returns. Errors: `conflict` (fenced: older epoch, or a segment
  // does not begin at the job's last seq + 1 with its head), `exhausted` (disk full), `unavailable`
  // (I/O). After an error nothing of the commit is there. Called by one thread at a time; reads may
  // run beside it.
  virtual base::Result<void> commit(Epoch epoch, const Commit& commit) = 0;

  // Segments that hold records from `from` on, oldest first, until `lines_max` lines are reached
  // (whole segments: the first may begin before `from`). Errors: `corrupt`.
  virtual base::Result<std::vector<Segment>> read(base::JobId job, base::Seq from,
                                                  std::uint64_t lines_max) = 0;

  // Errors: `not_found`, `corrupt` (the bytes do not have the digest).
  virtual base::Result<std::string> blob(const base::Digest& digest) = 0;

  virtual base::Result<std::optional<Snapshot>> snapshot(base::JobId job) = 0;
  virtual base::Result<std::vector<JobRow>> jobs() = 0;  // by job
  virtual base::Result<std::optional<JobRow>> job(base::JobId job) = 0;

  // `limit` rows after `after`, in order of pid / (job, request).
  virtual base::Result<std::vector<ProcessRow>> processes(Which which, base::Pid after,
                                                          std::size_t limit) = 0;
  virtual base::Result<std::vector<RequestRow>> requests(Which which, base::JobId after_job,
                                                         base::RequestId after,
                                                         std::size_t limit) = 0;

  // Drops all projections and writes these instead, in one transaction.
  virtual base::Result<void> rebuild(Epoch epoch, const Commit& projections) = 0;

  // Reads everything and reports what is not as it was written: gaps, broken chains, undecodable
  // data, blobs with another digest, a database file that fails its own check.
  virtual base::Result<std::vector<Finding>> check() = 0;
  virtual base::Result<Sizes> sizes() = 0;
};

// A store that lives as long as the object.
std::unique_ptr<Store> make_memory_store();

enum class OpenMode : std::uint8_t {
  read,
  write
};  // write: takes the owner's lock, creates what is missing

// DIR/store.db (SQLite, WAL, synchronous=FULL), DIR/owner.lock. Mode `write` holds an exclusive
// flock until destroyed. Errors: `conflict` (owned by another process; says which), `not_found`
// (mode read, no store there), `invalid` (not a store, or written by a newer version; says which),
// `unavailable` (cannot be written; says why).
base::Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& dir, OpenMode mode);

}  // namespace alos::store
