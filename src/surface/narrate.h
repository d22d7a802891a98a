// Narration: records in words. One line each, printable, for people.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "kernel/kernel.h"
#include "surface/output.h"

namespace alos::surface {

// What a record says, without its place; for `log` and `why`.
std::string summary_of(const kernel::RecordView& record);

// 17:04:05, in UTC.
std::string clock_of(base::Time time);

// A field of a record's body as text: strings as they are, anything else as JSON; empty when it is
// not there.
std::string field_of(const kernel::RecordView& record, std::string_view name);

// Follows a run: what an agent says, does, is refused and asks. It remembers what the model asked
// for, so that the end of a tool call can be told in one line.
class Narrator {
 public:
  explicit Narrator(Style style) : style_(style) {}

  // The line for people, with newline; empty when there is nothing to say.
  std::string tell(const kernel::RecordView& record);

  // Shows each line's process when there is more than one.
  void name_processes() { names_ = true; }

 private:
  std::string tell_reply(const kernel::RecordView& record);
  std::string tell_return(const kernel::RecordView& record);
  std::string prefix(const kernel::RecordView& record) const;

  Style style_;
  bool names_ = false;
  std::map<std::pair<base::Pid, std::string>, std::string>
      arguments_;  // by the model's id of the request
  std::map<std::pair<base::Pid, std::string>, std::string>
      requests_;  // call number -> the model's id
};

}  // namespace alos::surface
