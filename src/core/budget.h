// Budgets: who may still spend what.
//
// A process that states a limit is the pool of itself and of all below it that state none. A stated
// limit of a child is carved out of its parent's pool while the child lives; what it has not used
// then goes back. What a call may take at most is reserved by its intent, and settled by its
// outcome.
#pragma once

#include "core/state.h"

namespace alos::core {

Amounts amounts_of(const Usage& usage);

// The limit that holds for a process: its own, or that of the nearest process above that states
// one.
struct Pool {
  std::uint32_t process = 0;
  std::uint64_t limit = 0;
  std::uint64_t committed = 0;  // used, reserved, or handed out to a child that lives
  std::uint64_t reserved = 0;   // by calls that are under way: some of it will come back
  std::uint64_t left() const { return limit - std::min(limit, committed); }
  std::uint64_t used() const { return committed - std::min(committed, reserved); }
};
std::optional<Pool> pool_of(const JobState& state, std::uint32_t process, abi::BudgetKind kind);

// What cannot be paid: the first kind of which there is not enough.
struct Shortage {
  abi::BudgetKind kind = abi::BudgetKind::tool_calls;
  Pool pool;
  std::uint64_t needed = 0;
};
std::optional<Shortage> shortage(const JobState& state, std::uint32_t process,
                                 const Amounts& needed);

// Whether a process, or one above it, has been there longer than it may.
std::optional<Shortage> out_of_time(const JobState& state, std::uint32_t process, base::Time now);

// ---- for apply() ----

// Adds to what a process has spent and reserved; both differences, so that less is a large number.
void charge(JobState& state, std::uint32_t process, const Amounts& committed,
            const Amounts& reserved);

// Changes something that the claim of a process on its parent depends on: its limits, its life.
template <typename Change>
void change_claim(JobState& state, std::uint32_t process, Change&& change);

// Works out all sums anew, after decoding.
void recount(JobState& state);

// ---- inline ----

// What a process takes of its parent's pool.
Amounts claim_of(const Process& process);
void charge_above(JobState& state, std::uint32_t process, const Amounts& before,
                  const Amounts& after);

template <typename Change>
void change_claim(JobState& state, std::uint32_t process, Change&& change) {
  const Amounts before = claim_of(*state.process(process));
  change(*state.process(process));
  charge_above(state, process, before, claim_of(*state.process(process)));
}

}  // namespace alos::core
