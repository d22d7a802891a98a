// Mail: messages from one process to another. Within a job a message is one record. Across jobs it
// waits in the sender's job until the receiver's has it, and both say so; what a crash leaves
// undecided is sent again, and the sender's numbers tell what has come already.
#pragma once

#include "kernel/services.h"

namespace alos::kernel {

inline constexpr std::size_t kMailboxMax = 1000;  // messages that nobody has taken yet

// Calls of a process that wait for a message, and have one now, are answered.
base::Result<void> hand_out(const Services& services, const JobPtr& job, const Lock& lock,
                            std::uint32_t process);

// A message from another job, or from a person, unless it has come before. Errors: `conflict` (the
// process has ended), `exhausted` (its mailbox is full).
base::Result<void> put_in_mailbox(const Services& services, const JobPtr& job, const Lock& lock,
                                  std::uint32_t process, abi::Letter letter);

}  // namespace alos::kernel
