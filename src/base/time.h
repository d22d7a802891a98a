// Time: a moment in UTC, to the microsecond. Written as RFC 3339 with six decimals and Z.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace alos::base {

using Duration = std::chrono::microseconds;

struct Time {
  std::int64_t unix_us = 0;  // microseconds since 1970-01-01T00:00:00Z

  auto operator<=>(const Time&) const = default;
  Time operator+(Duration d) const { return Time{unix_us + d.count()}; }
  Duration operator-(Time other) const { return Duration{unix_us - other.unix_us}; }
};

std::string to_string(Time time);                   // 2026-11-22T16:43:17.123456Z
void append_time(std::string& out, Time time);      // the same, appended
Result<Time> parse_time(std::string_view rfc3339);  // `Z` or +hh:mm; 0 to 6 decimals

// "90s", "30m", "2h", "7d", "250ms"; a plain number is an error that says so.
Result<Duration> parse_duration(std::string_view text);
std::string to_string(Duration duration);  // the shortest of the same forms

}  // namespace alos::base
