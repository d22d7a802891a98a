// Records as they are printed: one JSON object a line, or a table's row.
#pragma once

#include <string>

#include "kernel/kernel.h"
#include "surface/output.h"

namespace alos::surface {

// {"type":"record","job","seq","at","kind","pid","cause","body":{...}} and a newline.
std::string json_line(const kernel::RecordView& record);

// Seq, time, pid, kind and what it says; with newline.
std::string text_line(const Style& style, const kernel::RecordView& record);

// All records of a job in pages, oldest first, until `visit` says false.
base::Result<void> each_record(kernel::Kernel& kernel, base::JobId job, base::Seq from,
                               const std::function<bool(const kernel::RecordView&)>& visit);

}  // namespace alos::surface
