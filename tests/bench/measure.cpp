#include "measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace alos::bench {

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double median_of(int times, const std::function<double()>& once) {
  std::vector<double> values;
  for (int i = 0; i < times; ++i) values.push_back(once());
  return median(std::move(values));
}

std::string human(double value, const std::string& unit) {
  if (unit == "x") return fmt::format("{:.2f} x", value);
  if (unit == "/s" || unit == "ns" || unit == "us") return fmt::format("{:.0f} {}", value, unit);
  return fmt::format("{:.2f} {}", value, unit);
}

void print_table(const std::vector<Row>& rows) {
  fmt::print("{:<52} {:>14}  {:<22} {}\n", "figure", "measured", "reach",
             "beside it, in the same run");
  for (const Row& row : rows) {
    const std::string beside =
        row.limit.empty() ? "" : fmt::format("{}: {}", row.limit, human(row.limit_value, row.unit));
    fmt::print("{:<52} {:>14}  {:<22} {}\n", row.figure, human(row.value, row.unit), row.reach,
               beside);
  }
}

void print_json(const std::vector<Row>& rows) {
  for (const Row& row : rows)
    fmt::print(
        "{{\"figure\":\"{}\",\"value\":{},\"unit\":\"{}\",\"reach\":\"{}\",\"beside\":\"{}\","
        "\"beside_value\":{}}}\n",
        row.figure, row.value, row.unit, row.reach, row.limit, row.limit_value);
}

}  // namespace alos::bench
