#include "base/id.h"

#include <fmt/format.h>

#include <charconv>

#include "base/text.h"

namespace alos::base {

std::string to_string(Pid pid) { return fmt::format("{}.{}", pid.job.value, pid.number); }
std::string to_string(JobId job, CapId cap) { return fmt::format("{}.c{}", job.value, cap.value); }
std::string to_string(JobId job, RequestId request) {
  return fmt::format("{}.r{}", job.value, request.value);
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<Pid> parse_pid(std::string_view text) {
  const std::size_t dot = text.find('.');
  const auto job = parse_unsigned(text.substr(0, dot));
  const auto number = dot == std::string_view::npos ? std::optional<std::uint64_t>{1}
                                                    : parse_unsigned(text.substr(dot + 1));
  if (!job || !number || *job == 0 || *number == 0 || *number > UINT32_MAX || *job > INT64_MAX)
    return fail(Code::invalid, fmt::format("`{}` is not a pid", printable(shortened(text, 60))),
                "a pid is JOB.PROCESS, as in 7.2; see `alos ps`");
  return Pid{JobId{*job}, static_cast<std::uint32_t>(*number)};
}

Result<JobScoped> parse_job_scoped(std::string_view text, char letter) {
  const std::size_t dot = text.find('.');
  if (dot != std::string_view::npos && dot + 1 < text.size() && text[dot + 1] == letter) {
    const auto job = parse_unsigned(text.substr(0, dot));
    const auto number = parse_unsigned(text.substr(dot + 2));
    if (job && number && *job != 0 && *number != 0 && *job <= INT64_MAX && *number <= INT64_MAX)
      return JobScoped{JobId{*job}, *number};
  }
  return fail(
      Code::invalid,
      fmt::format("`{}` is not an id of the form JOB.{}N", printable(shortened(text, 60)), letter),
      fmt::format("for example 7.{}2; see `alos {}`", letter,
                  letter == 'c' ? "caps PID" : "approvals"));
}

}  // namespace alos::base
