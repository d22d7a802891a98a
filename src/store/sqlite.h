// A thin cover over SQLite's C API: a connection with its prepared statements kept, rows as typed
// columns, result codes as errors that name the store. Private to this room; a Database belongs to
// one thread at a time.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/digest.h"
#include "base/id.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace alos::store {

// A parameter of a statement. Borrows its bytes until the statement is done (`run`) or begun
// (`query`).
class Value {
 public:
  // NOLINTBEGIN(google-explicit-constructor): what a statement takes is written as it is.
  Value(std::uint64_t number);
  Value(std::uint32_t number) : Value(std::uint64_t{number}) {}
  Value(bool flag) : Value(std::uint64_t{flag}) {}
  Value(std::int64_t number) : kind_(Kind::integer), number_(number) {}
  template <typename Tag>
  Value(base::Id<Tag> id) : Value(id.value) {}
  Value(const base::Digest& digest) : Value(Kind::bytes, digest.view()) {}
  // NOLINTEND(google-explicit-constructor)
  static Value bytes(std::string_view bytes) { return {Kind::bytes, bytes}; }
  static Value text(std::string_view text) { return {Kind::text, text}; }
  static Value null() { return {Kind::null, {}}; }

 private:
  friend class Database;
  enum class Kind : std::uint8_t { null, integer, text, bytes };
  Value(Kind kind, std::string_view bytes) : kind_(kind), bytes_(bytes) {}

  Kind kind_;
  std::int64_t number_ = 0;
  std::string_view bytes_;
};

class Database;

// A statement being stepped. One at a time per SQL text; ends the statement when destroyed.
class Query {
 public:
  Query(Query&& other) noexcept;
  Query& operator=(Query&&) = delete;
  ~Query();

  base::Result<bool> next();  // true: on a row. Errors: as Database::failure
  std::int64_t integer(int column) const;
  std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  std::string_view bytes(int column) const;  // until the next step
  std::string string(int column) const { return std::string(bytes(column)); }
  bool is_null(int column) const;
  base::Result<base::Digest> digest(int column) const;  // `corrupt` when it has not 32 bytes

 private:
  friend class Database;
  Query(const Database& database, sqlite3_stmt* statement, int status)
      : database_(&database), statement_(statement), status_(status) {}

  const Database* database_;
  sqlite3_stmt* statement_;
  int status_;
};

enum class Access : std::uint8_t { read, write };

class Database {
 public:
  // `name` is how errors call the store. Errors: `unavailable`, `not_found`.
  static base::Result<std::unique_ptr<Database>> open(const std::string& file, Access access,
                                                      std::string name);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // `sql` must be a string literal: prepared once and kept.
  Query query(std::string_view sql, std::initializer_list<Value> values = {});
  base::Result<void> run(std::string_view sql, std::initializer_list<Value> values = {});
  base::Result<std::int64_t> number(
      std::string_view sql);                   // the first column of the first row; 0 without one
  base::Result<void> script(const char* sql);  // several statements, no parameters
  std::int64_t changes() const;                // rows that the last statement changed

  // The last failure: disk full -> `exhausted`; I/O, permissions, locks -> `unavailable`; damage ->
  // `corrupt`.
  base::Unexpected failure(int status) const;
  bool in_transaction() const;
  const std::string& name() const { return name_; }

 private:
  Database(sqlite3* handle, std::string name) : handle_(handle), name_(std::move(name)) {}
  sqlite3_stmt* prepared(std::string_view sql, int& status);
  int bind(sqlite3_stmt* statement, std::initializer_list<Value> values, bool copy) const;

  sqlite3* handle_;
  std::string name_;
  std::unordered_map<std::string_view, sqlite3_stmt*> statements_;
};

// BEGIN ... COMMIT; rolls back when destroyed before `commit` succeeded.
class Transaction {
 public:
  enum class Kind : std::uint8_t { read, write };
  static base::Result<Transaction> begin(Database& database, Kind kind);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  base::Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace alos::store
