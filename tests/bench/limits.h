// What the machine itself can do, measured beside our figures.
#pragma once

#include <string>
#include <vector>

namespace alos::bench {

double fdatasyncs_per_s(const std::string& dir);  // appends of 256 bytes, one after another
double sqlite_rows_per_s(const std::string& dir, int rows_per_commit,
                         const std::string& row);  // WAL, FULL
double raw_reads_per_s(const std::string& file);   // open, read 1 KB, close

struct Spawned {
  double ms = 0;
  double rss_mb = 0;
};
Spawned spawn(const std::string& program, const std::vector<std::string>& args);

}  // namespace alos::bench
