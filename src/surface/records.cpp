#include "surface/records.h"

#include <fmt/format.h>

#include "base/json.h"
#include "surface/narrate.h"
#include "surface/table.h"

namespace alos::surface {

using kernel::RecordView;

namespace {

constexpr std::size_t kPage = 500;

}  // namespace

std::string json_line(const RecordView& record) {
  return fmt::format(
      R"({{"type":"record","job":{},"seq":{},"at":"{}","kind":"{}","pid":"{}","cause":{},"body":{}}})"
      "\n",
      record.pid.job.value, record.seq, base::to_string(record.at), record.kind,
      base::to_string(record.pid), record.cause, record.body);
}

std::string text_line(const Style& style, const RecordView& record) {
  const std::string left = fmt::format("{:>5}  {}  {:<6} {:<17} ", record.seq, clock_of(record.at),
                                       base::to_string(record.pid), record.kind);
  const std::size_t room = style.width > left.size() + 30 ? style.width - left.size() : 30;
  return paint(style, Ink::dim, left) + cut(summary_of(record), room) + '\n';
}

base::Result<void> each_record(kernel::Kernel& kernel, base::JobId job, base::Seq from,
                               const std::function<bool(const RecordView&)>& visit) {
  for (;;) {
    const auto page = TRY(kernel.records(job, from, kPage));
    if (page.empty()) return {};
    for (const auto& record : page)
      if (record.seq >= from && !visit(record)) return {};
    from = page.back().seq + 1;
  }
}

}  // namespace alos::surface
