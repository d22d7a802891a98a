// What every store checks alike: that a segment continues its job, and that lines bear out their
// heads. Private to this room.
#pragma once

#include "store/store.h"

namespace alos::store {

// The chain: head_i = SHA-256(head_{i-1} || line_i without its '\n').
// Errors: `corrupt` when `lines` is not `count` lines that lead from `before` to `head`; names job
// and seq.
base::Result<void> verify(const Segment& segment);

// Errors: `conflict` when `segment` does not begin right after `job`'s last record, with its head.
base::Result<void> continues(const JobRow& job, const Segment& segment);

// `job` with `segment` behind it.
void advance(JobRow& job, const Segment& segment);

// Errors: `conflict` when `mine` is not `current`.
base::Result<void> check_epoch(Epoch current, Epoch mine);

inline base::Seq last_seq(const Segment& segment) { return segment.first + segment.count - 1; }

}  // namespace alos::store
