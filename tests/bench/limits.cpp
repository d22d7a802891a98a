#include "limits.h"

#include <fcntl.h>
#include <spawn.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "measure.h"
#include "world.h"

extern char** environ;

namespace alos::bench {

double fdatasyncs_per_s(const std::string& dir) {
  const int fd = open((dir + "/append").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) give_up("cannot open a file to append to");
  const std::string row(256, 'x');
  constexpr int kTimes = 400;
  const double start = now_s();
  for (int i = 0; i < kTimes; ++i)
    if (write(fd, row.data(), row.size()) != static_cast<ssize_t>(row.size()) || fdatasync(fd) != 0)
      give_up("cannot append");
  const double rate = kTimes / (now_s() - start);
  close(fd);
  return rate;
}

double sqlite_rows_per_s(const std::string& dir, int rows_per_commit, const std::string& row) {
  sqlite3* db = nullptr;
  const auto run = [&](const char* sql) {
    if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) give_up(sqlite3_errmsg(db));
  };
  if (sqlite3_open((dir + "/raw.db").c_str(), &db) != SQLITE_OK) give_up("cannot open a database");
  run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS r(job INTEGER, "
      "seq INTEGER, line TEXT, PRIMARY KEY(job, seq)) WITHOUT ROWID");
  sqlite3_stmt* insert = nullptr;
  if (sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO r VALUES(1, ?, ?)", -1, &insert, nullptr) !=
      SQLITE_OK)
    give_up(sqlite3_errmsg(db));
  constexpr int kCommits = 200;
  const double start = now_s();
  for (int commit = 0; commit < kCommits; ++commit) {
    run("BEGIN IMMEDIATE");
    for (int i = 0; i < rows_per_commit; ++i) {
      sqlite3_bind_int64(insert, 1, commit * rows_per_commit + i);
      sqlite3_bind_text(insert, 2, row.data(), static_cast<int>(row.size()), SQLITE_STATIC);
      if (sqlite3_step(insert) != SQLITE_DONE) give_up(sqlite3_errmsg(db));
      sqlite3_reset(insert);
    }
    run("COMMIT");
  }
  const double rate = kCommits * rows_per_commit / (now_s() - start);
  sqlite3_finalize(insert);
  sqlite3_close(db);
  return rate;
}

double raw_reads_per_s(const std::string& file) {
  std::array<char, 2048> buffer{};
  constexpr int kTimes = 50'000;
  const double start = now_s();
  for (int i = 0; i < kTimes; ++i) {
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, buffer.data(), buffer.size()) <= 0) give_up("cannot read " + file);
    close(fd);
  }
  return kTimes / (now_s() - start);
}

Spawned spawn(const std::string& program, const std::vector<std::string>& args) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const double start = now_s();
  if (posix_spawn(&pid, program.c_str(), &actions, nullptr, argv.data(), environ) != 0)
    give_up("cannot start " + program);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  rusage usage{};
  wait4(pid, &status, 0, &usage);
  if (status != 0) give_up(program + " failed");
  return {(now_s() - start) * 1e3, static_cast<double>(usage.ru_maxrss) / 1024};
}

}  // namespace alos::bench
