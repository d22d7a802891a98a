// Ids: small integers that cannot be mixed up. A process is named by its job and its number in it.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace alos::base {

template <typename Tag>
struct Id {
  std::uint64_t value = 0;

  auto operator<=>(const Id&) const = default;
  explicit operator bool() const { return value != 0; }
};

using JobId = Id<struct JobTag>;
using CapId = Id<struct CapabilityTag>;   // within a job; shown as 7.c3
using RequestId = Id<struct RequestTag>;  // within a job; shown as 7.r2
using CallId = Id<struct CallTag>;  // a tool call or a turn of one process; numbers start at 1
using Seq = std::uint64_t;          // position of a record in its job's journal; the first is 1

// A process: `7.2` is process 2 of job 7. Process 1 is the job's root.
struct Pid {
  JobId job;
  std::uint32_t number = 0;

  auto operator<=>(const Pid&) const = default;
};

std::string to_string(Pid pid);
std::string to_string(JobId job, CapId cap);          // "7.c3"
std::string to_string(JobId job, RequestId request);  // "7.r2"

Result<Pid> parse_pid(std::string_view text);

// Parses "7.c3" / "7.r2" (letter is 'c' or 'r'); errors are `invalid` and show the expected form.
struct JobScoped {
  JobId job;
  std::uint64_t number = 0;
};
Result<JobScoped> parse_job_scoped(std::string_view text, char letter);

// Decimal digits only, no sign, no leading zeros beyond "0", within 64 bits.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);

}  // namespace alos::base

template <typename Tag>
struct std::hash<alos::base::Id<Tag>> {
  std::size_t operator()(const alos::base::Id<Tag>& id) const noexcept {
    return std::hash<std::uint64_t>{}(id.value);
  }
};
template <>
struct std::hash<alos::base::Pid> {
  std::size_t operator()(const alos::base::Pid& pid) const noexcept {
    return std::hash<std::uint64_t>{}(pid.job.value * 0x9E3779B97F4A7C15ULL + pid.number);
  }
};
