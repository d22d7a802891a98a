// The capability decision once more, from the words of DESIGN section 5 and nothing of the kernel's
// code: slow, short, by string segments.
#pragma once

#include <string>
#include <vector>

#include "core/record.h"

namespace alos::sim {

struct Verdict {
  bool allowed = false;
  bool denied = false;      // a deny covers it
  bool must_spend = false;  // all that allows it has limited uses
  std::vector<base::CapId> by;
  std::string why;
};

// Whether `pattern` (SCHEME:BODY, `*` a segment, a last `**` a subtree) covers `resource`.
bool covers(const std::string& pattern, const std::string& resource);

// It and all that it is derived from.
bool is_live(const std::vector<core::Capability>& caps, const core::Capability& cap,
             base::Time now);

// What is left of its uses and of those it shares; nothing: no limit.
std::optional<std::uint64_t> uses_left(const std::vector<core::Capability>& caps,
                                       const core::Capability& cap);

Verdict reference_decision(const std::vector<core::Capability>& caps,
                           const std::vector<std::string>& trapdoors, std::uint32_t holder,
                           const core::NeedText& need, const base::Digest& call, base::Time now);

}  // namespace alos::sim
