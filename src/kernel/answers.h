// Answers: an edited call, and the form of an answer.
#pragma once

#include "abi/calls.h"
#include "core/state.h"
#include "kernel/services.h"

namespace alos::kernel {

// Who answered where nobody did in time.
inline constexpr const char* kDeadline = "deadline";

// A call that a person has changed before saying yes to it.
struct EditedCall {
  std::string json;  // canonical
  base::Digest digest;
  abi::Needs needs;
};

// `name` is the call's; `json` is read as strictly as a journal is. Errors: `invalid`, with the
// field.
base::Result<EditedCall> read_edited(std::string_view name, std::string_view json, base::Pid pid);

// Whether the text is JSON that the schema accepts. Errors: `invalid`, with where and why.
base::Result<void> check_form_answer(const base::Json& schema, std::string_view text);

// Questions that nothing says to ask any more are void; the calls that wait for them are decided
// again.
base::Result<void> release_orphans(const Services& services, const JobPtr& job, const Lock& lock,
                                   const std::string& by);

// Who must say yes, in words: "2 of owner, ops".
std::string who_in_words(const core::RequestOpened& opened);

}  // namespace alos::kernel
