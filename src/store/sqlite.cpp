#include "store/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

namespace alos::store {

using base::Code;
using base::fail;
using base::Result;

namespace {

constexpr int kBusyMs = 10'000;  // others hold locks for moments only: a checkpoint, a recovery

bool is_out_of_space(int status, int system_errno) {
  return status == SQLITE_FULL ||
         (status == SQLITE_IOERR &&
          (system_errno == ENOSPC || system_errno == EFBIG || system_errno == EDQUOT));
}

}  // namespace

Value::Value(std::uint64_t number)
    : kind_(Kind::integer), number_(static_cast<std::int64_t>(number)) {
  CHECK(number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
}

// ---- Query ----

Query::Query(Query&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      status_(other.status_) {}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Result<bool> Query::next() {
  if (status_ == SQLITE_OK) {
    errno = 0;
    const int status = sqlite3_step(statement_);
    if (status == SQLITE_ROW) return true;
    if (status == SQLITE_DONE) return false;
    status_ = status;
  }
  return database_->failure(status_);
}

std::int64_t Query::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Query::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Query::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Result<base::Digest> Query::digest(int column) const {
  const std::string_view raw = bytes(column);
  if (raw.size() != 32)
    return fail(Code::corrupt,
                fmt::format("{}: a digest of {} bytes", database_->name(), raw.size()));
  return base::Digest::from_bytes(raw);
}

// ---- Database ----

Result<std::unique_ptr<Database>> Database::open(const std::string& file, Access access,
                                                 std::string name) {
  const int flags = (access == Access::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                             : SQLITE_OPEN_READONLY) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
  sqlite3* handle = nullptr;
  const int status = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
  CHECK(handle != nullptr);
  std::unique_ptr<Database> database(new Database(handle, std::move(name)));
  if (status != SQLITE_OK) return database->failure(status);
  sqlite3_busy_timeout(handle, kBusyMs);
  return database;
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  CHECK(sqlite3_close(handle_) == SQLITE_OK);
}

sqlite3_stmt* Database::prepared(std::string_view sql, int& status) {
  const auto known = statements_.find(sql);
  if (known != statements_.end()) return known->second;
  sqlite3_stmt* statement = nullptr;
  status = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                              SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (status == SQLITE_OK) statements_.emplace(sql, statement);
  return statement;
}

int Database::bind(sqlite3_stmt* statement, std::initializer_list<Value> values, bool copy) const {
  const auto lifetime = copy ? SQLITE_TRANSIENT : SQLITE_STATIC;
  int status = SQLITE_OK;
  int index = 0;
  for (const Value& value : values) {
    ++index;
    const char* data = value.bytes_.data() != nullptr ? value.bytes_.data() : "";
    switch (value.kind_) {
      case Value::Kind::null: status = sqlite3_bind_null(statement, index); break;
      case Value::Kind::integer:
        status = sqlite3_bind_int64(statement, index, value.number_);
        break;
      case Value::Kind::text:
        status =
            sqlite3_bind_text64(statement, index, data, value.bytes_.size(), lifetime, SQLITE_UTF8);
        break;
      case Value::Kind::bytes:
        status = sqlite3_bind_blob64(statement, index, data, value.bytes_.size(), lifetime);
        break;
    }
    if (status != SQLITE_OK) return status;
  }
  return status;
}

Query Database::query(std::string_view sql, std::initializer_list<Value> values) {
  int status = SQLITE_OK;
  sqlite3_stmt* statement = prepared(sql, status);
  if (statement != nullptr) {
    CHECK(sqlite3_stmt_busy(statement) == 0);
    status = bind(statement, values, true);
  }
  return {*this, statement, status};
}

Result<void> Database::run(std::string_view sql, std::initializer_list<Value> values) {
  int status = SQLITE_OK;
  sqlite3_stmt* statement = prepared(sql, status);
  if (statement != nullptr) {
    status = bind(statement, values, false);
    errno = 0;
    while (status == SQLITE_OK || status == SQLITE_ROW) status = sqlite3_step(statement);
  }
  if (status == SQLITE_DONE) status = SQLITE_OK;
  Result<void> result;
  if (status != SQLITE_OK) result = failure(status);
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return result;
}

Result<std::int64_t> Database::number(std::string_view sql) {
  Query query = this->query(sql);
  const bool row = TRY(query.next());
  return row ? query.integer(0) : std::int64_t{0};
}

Result<void> Database::script(const char* sql) {
  const int status = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (status != SQLITE_OK) return failure(status);
  return {};
}

std::int64_t Database::changes() const { return sqlite3_changes64(handle_); }

base::Unexpected Database::failure(int status) const {
  const int primary = status & 0xff;
  // SQLite keeps no errno of a write to the log; the last one since the step began is it.
  const int system_errno =
      sqlite3_system_errno(handle_) != 0 ? sqlite3_system_errno(handle_) : errno;
  std::string reason =
      sqlite3_errcode(handle_) == SQLITE_OK ? sqlite3_errstr(status) : sqlite3_errmsg(handle_);
  if (primary == SQLITE_IOERR && system_errno != 0)
    reason += fmt::format(" ({})", std::strerror(system_errno));
  if (is_out_of_space(primary, system_errno)) {
    return fail(Code::exhausted, fmt::format("disk full: {}: {}", name_, reason),
                "free space there; nothing was half written");
  }
  switch (primary) {
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return fail(Code::unavailable, fmt::format("{}: {}", name_, reason),
                  "see that its directory can be read and written");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return fail(Code::unavailable, fmt::format("{}: {}", name_, reason),
                  "another process works on it; try again");
    case SQLITE_NOMEM:
      return fail(Code::exhausted, fmt::format("{}: {}", name_, reason), "more memory is needed");
    case SQLITE_TOOBIG:
      return fail(Code::invalid, fmt::format("{}: a value is too large to be kept", name_),
                  "at most 1 GB");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return fail(Code::corrupt, fmt::format("{}: {}", name_, reason),
                  "`alos store check` says what is damaged");
    default:
      return fail(Code::internal, fmt::format("{}: {} (SQLite code {})", name_, reason, status));
  }
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

// ---- Transaction ----

Result<Transaction> Transaction::begin(Database& database, Kind kind) {
  TRY(database.run(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN"));
  return Transaction(database);
}

Result<void> Transaction::commit() {
  TRY(database_->run("COMMIT"));
  database_ = nullptr;
  return {};
}

Transaction::~Transaction() {
  // SQLite has rolled back by itself after some errors. A rollback cannot fail otherwise.
  if (database_ != nullptr && database_->in_transaction())
    CHECK(database_->run("ROLLBACK").has_value());
}

}  // namespace alos::store
