// apply: the one function that changes a job's state. Deterministic; no I/O, clock, randomness or
// threads.
#pragma once

#include "core/state.h"

namespace alos::core {

// Applies a record that follows state.seq. Errors are `corrupt`: the record does not fit this
// state. `head` becomes the state's chain head.
base::Result<void> apply(JobState& state, const Record& record, const base::Digest& head);

// The whole state as canonical JSON, and back. decode(encode(s)) == s in everything but derived
// indexes.
std::string encode_state(const JobState& state);
base::Result<JobState> decode_state(std::string_view text);

// Folds canonical lines (each ended by '\n') onto a state, checking sequence and chain. Errors are
// `corrupt`.
base::Result<void> fold(JobState& state, std::string_view lines);

}  // namespace alos::core
