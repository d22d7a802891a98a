#include "store/sqlite_schema.h"

#include <fmt/format.h>

namespace alos::store {

using base::Code;
using base::fail;
using base::Result;

namespace {

constexpr std::int64_t kApplicationId = 0x616c6f73;  // "alos"
constexpr std::int64_t kVersion = 1;

// journal: one row a segment, `lines` packed; `before` is the head of the row before.
// jobs.tail_*: the small rows at the end of a job's journal that are not yet packed into a large
// one. blobs: with a rowid, so that small ones share pages.
constexpr const char* kTables = R"(
  CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID, STRICT;
  CREATE TABLE jobs(job INTEGER PRIMARY KEY, last INTEGER NOT NULL, head BLOB NOT NULL, bytes INTEGER NOT NULL,
    tail_first INTEGER NOT NULL, tail_rows INTEGER NOT NULL, tail_bytes INTEGER NOT NULL) STRICT;
  CREATE TABLE journal(job INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL, head BLOB NOT NULL,
    lines BLOB NOT NULL, PRIMARY KEY(job, first)) WITHOUT ROWID, STRICT;
  CREATE TABLE blobs(digest BLOB NOT NULL UNIQUE, bytes INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
  CREATE TABLE snapshots(job INTEGER PRIMARY KEY, seq INTEGER NOT NULL, head BLOB NOT NULL, digest BLOB NOT NULL,
    state BLOB NOT NULL) STRICT;
  CREATE TABLE processes(job INTEGER NOT NULL, number INTEGER NOT NULL, parent INTEGER NOT NULL, live INTEGER NOT NULL,
    wake INTEGER, state TEXT NOT NULL, detail TEXT NOT NULL, PRIMARY KEY(job, number)) WITHOUT ROWID, STRICT;
  CREATE INDEX processes_live ON processes(job, number) WHERE live = 1;
  CREATE TABLE requests(job INTEGER NOT NULL, request INTEGER NOT NULL, process INTEGER NOT NULL, open INTEGER NOT NULL,
    detail TEXT NOT NULL, PRIMARY KEY(job, request)) WITHOUT ROWID, STRICT;
  CREATE INDEX requests_open ON requests(job, request) WHERE open = 1;
  INSERT INTO meta VALUES ('epoch', 0);
)";

Result<void> create(Database& database) {
  TRY(database.script("PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"));
  Transaction transaction = TRY(Transaction::begin(database, Transaction::Kind::write));
  TRY(database.script(kTables));
  TRY(database.script(
      fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", kApplicationId, kVersion)
          .c_str()));
  return transaction.commit();
}

Result<void> check_identity(Database& database) {
  if (TRY(database.number("PRAGMA application_id")) != kApplicationId) {
    return fail(Code::invalid, fmt::format("{} is a database of another program", database.name()),
                "choose another directory with --store");
  }
  const std::int64_t version = TRY(database.number("PRAGMA user_version"));
  if (version == kVersion) return {};
  return fail(Code::invalid,
              fmt::format("{} has version {}, this alos knows version {}", database.name(), version,
                          kVersion),
              version > kVersion
                  ? "use the newer alos that wrote it, or choose another directory with --store"
                  : "no alos ever wrote that version: restore the store from a copy");
}

Result<bool> is_new(Database& database) {
  if (TRY(database.number("PRAGMA application_id")) != 0) return false;
  return TRY(database.number("SELECT count(*) FROM sqlite_schema")) == 0;
}

}  // namespace

Result<void> prepare_database(Database& database, Access access) {
  Result<bool> fresh = is_new(database);
  if (!fresh && fresh.error().code == Code::corrupt) {
    return fail(
        Code::invalid,
        fmt::format("{} is not a store, or damaged: {}", database.name(), fresh.error().what),
        "choose another directory with --store, or restore the store from a copy");
  }
  if (TRY(std::move(fresh))) {
    if (access == Access::read)
      return fail(Code::not_found, fmt::format("{} has nothing in it yet", database.name()),
                  "`alos run` makes one");
    TRY(create(database));
  }
  TRY(check_identity(database));
  // The log is written back to the file when it has 4 MB, and keeps its size: appends then change
  // no metadata.
  if (access == Access::write) {
    return database.script(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1000; PRAGMA "
        "cache_size=-8192");
  }
  return database.script("PRAGMA query_only=1; PRAGMA cache_size=-1024");
}

}  // namespace alos::store
