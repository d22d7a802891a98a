#include "store/chain.h"

#include <fmt/format.h>

#include <algorithm>

namespace alos::store {

using base::Code;
using base::fail;
using base::Result;

Result<void> verify(const Segment& segment) {
  base::Digest head = segment.before;
  std::uint64_t lines = 0;
  std::string_view rest = segment.lines;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;
    head = base::Digest::of(head.view(), rest.substr(0, end));
    rest.remove_prefix(end + 1);
    ++lines;
  }
  if (rest.empty() && lines == segment.count && head == segment.head) return {};
  return fail(
      Code::corrupt,
      fmt::format("job {}: records {} to {} are not as they were written: {}", segment.job.value,
                  segment.first, last_seq(segment),
                  lines == segment.count ? "the chain of digests is broken" : "lines are missing"),
      "restore the store from a copy; `alos store check` says what else is damaged");
}

Result<void> continues(const JobRow& job, const Segment& segment) {
  std::uint64_t lines = 0;  // by find, which is several times as fast here as counting bytes
  for (std::size_t at = segment.lines.find('\n'); at != std::string::npos;
       at = segment.lines.find('\n', at + 1))
    ++lines;
  CHECK(segment.count > 0 && lines == segment.count && segment.lines.back() == '\n');
  if (segment.first != job.last + 1) {
    return fail(Code::conflict,
                fmt::format("job {}: records from {} do not follow record {}, the last one",
                            segment.job.value, segment.first, job.last),
                "read the job's journal again and go on from its end");
  }
  if (segment.before != job.head) {
    return fail(Code::conflict,
                fmt::format("job {}: record {} follows {}, but record {} is {}", segment.job.value,
                            segment.first, base::short_hex(segment.before), job.last,
                            base::short_hex(job.head)),
                "read the job's journal again and go on from its end");
  }
  return {};
}

void advance(JobRow& job, const Segment& segment) {
  job.job = segment.job;
  job.last = last_seq(segment);
  job.head = segment.head;
  job.bytes += segment.lines.size();
}

Result<void> check_epoch(Epoch current, Epoch mine) {
  if (current == mine && mine != 0) return {};
  return fail(Code::conflict,
              fmt::format("the store has another owner: its epoch is {}, not {}", current, mine),
              "stop this runtime: the other one goes on");
}

}  // namespace alos::store
