// The capability decision: a pure function of what a process holds and what it needs.
//
// Over the holder's live capabilities that speak of the need: any `deny` -> denied; else one bound
// to this very call -> allowed; else the most specific of the `ask` and `allow` patterns wins (of
// the same pattern the one with more conditions), and a tie asks, unless the allow is a person's
// answer to that very ask (its parent); none -> denied. What is to be asked may have a standing
// answer, given for the whole job beforehand. An ask that is used up or over denies where it would
// decide. Writing to a trapdoor (a file that others execute or obey) is covered only by a pattern
// that names it literally.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/state.h"

namespace alos::core {

struct Decision {
  Verdict verdict = Verdict::denied;
  std::vector<base::CapId>
      matched;  // what decided: the denies, the approval, or the most specific ones
  std::vector<base::CapId> spends;  // have limited uses: one of each is taken by the intent
  std::string reason;               // for people; only when not plainly allowed
  bool is_deny = false;             // denied by a deny, not for want of a grant
};

// `call`: digest of the call for bound approvals.
Decision decide(const JobState& state, std::uint32_t holder, const abi::Need& need,
                const base::Digest& call, base::Time now);

// A copy of the holder's capabilities that touch a subtree, to ask about places in it without the
// job's lock.
class SubtreeView {
 public:
  SubtreeView(const JobState& state, std::uint32_t holder, const abi::Resource& top,
              base::Time now);

  // `list`: shown unless denied (the directory itself was allowed). Other rights: shown when
  // plainly allowed.
  bool shows(const abi::Resource& resource, abi::Right right) const;

 private:
  std::vector<Capability> caps_;   // `uses_left` with those it shares
  std::vector<Capability> spent_;  // asks that are used up or over
  std::vector<std::string> trapdoors_;
};

// Whether it and all that it is derived from are in force.
bool is_live(const JobState& state, const Capability& cap, base::Time now);

// An ask that was not taken back, but whose uses or time, or what it is derived from, are over.
bool is_spent_ask(const JobState& state, const Capability& cap, base::Time now);

// How many uses it has left, its own and those it shares with what it is derived from; absent: no
// limit.
std::optional<std::uint64_t> uses_left(const JobState& state, const Capability& cap);

// Itself and all that it is derived from, of which each has limited uses.
std::vector<base::CapId> limited_line(const JobState& state, const Capability& cap);

// Whether the place is one of the trapdoors, at or beneath it. A trapdoor is a run of whole path
// segments that may stand anywhere: `.git/hooks`; one that ends in `$` is the place itself only:
// `.git$`.
bool is_trapdoor(std::string_view resource, std::span<const std::string> trapdoors);

// Whether a pattern may speak of these trapdoors: all that `place` lies in must be in what it names
// literally.
bool names_trapdoors(const abi::Pattern& pattern, std::string_view place,
                     std::span<const std::string> trapdoors);
std::vector<std::string> builtin_trapdoors();

}  // namespace alos::core
