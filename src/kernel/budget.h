// Budget: what a call may spend at most, and what happens when there is not so much.
#pragma once

#include "core/budget.h"
#include "kernel/services.h"

namespace alos::kernel {

// Whether a process can pay this now. Errors: `exhausted`; `parked` (its owner is asked for more,
// or calls under way hold what may come back).
base::Result<void> afford(const Services& services, const JobPtr& job, const Lock& lock,
                          std::uint32_t process, const abi::Usage& needed);

// The same of one kind, with nobody asked.
base::Result<void> has_left(const core::JobState& state, std::uint32_t process, base::Time now,
                            const abi::Usage& needed);

// A process that asks for more and has enough by now goes on; its request is answered.
inline constexpr std::string_view kEnoughAgain = "alos";
base::Result<void> answer_enough(const Services& services, const JobPtr& job, const Lock& lock,
                                 std::uint32_t process, std::string_view by);

// Whether a process may have this limit: its parent's pool has what it adds.
base::Result<void> check_limit(const core::JobState& state, std::uint32_t process,
                               abi::BudgetKind kind, std::optional<std::uint64_t> limit);

// A limit in usd needs a price. Errors: `invalid`.
base::Result<void> check_price(const core::Process& process);

// The budget as a spawned process gets it: what it states is there to be carved out.
base::Result<void> check_carve(const core::JobState& state, std::uint32_t parent,
                               const abi::Budget& budget);

// What a call may spend at most.
template <abi::Call C>
abi::Usage reservation(const core::JobState&, std::uint32_t, const C& call) {
  if constexpr (requires { call.spends(); }) return call.spends();
  return {};
}
abi::Usage reservation(const core::JobState& state, std::uint32_t process,
                       const abi::ModelGenerate& call);
abi::Usage reservation(const core::JobState& state, std::uint32_t process,
                       const abi::MemAppend& call);

// What a model's reply cost. One that does not say so cost what was reserved.
abi::Usage usage_of(const core::Process& process, const abi::ModelGenerate::Reply& reply,
                    const abi::Usage& reserved);

std::string used_up(const core::JobState& state, const core::Shortage& shortage);

}  // namespace alos::kernel
