// Internal calls: their whole effect is records, made under the job's lock.
#pragma once

#include "abi/calls.h"
#include "core/decide.h"
#include "kernel/services.h"

namespace alos::kernel {

class Journal;

// What an internal call may do: look at the state, append, and wait.
class Enactment {
 public:
  Enactment(Journal& journal, const Lock& lock, const ports::Grounds& grounds)
      : journal_(journal), lock_(lock), grounds_(grounds) {}

  const core::JobState& state() const;
  const core::Process& process() const;
  base::Pid pid() const;
  base::Time now() const;
  base::Result<base::Seq> append(base::Seq cause, core::Body body);
  base::Seq cause() const;
  // The payload's bytes, also when they are in the store or on their way there.
  base::Result<std::string> load(const base::Payload& payload) const;

  // Parks the call, until a time or a request's answer. Always an error: `parked`, or what went
  // wrong.
  base::Unexpected park_until(base::Time when, std::string_view name);
  base::Unexpected park_on(core::RequestOpened request);
  base::Unexpected park_for(std::uint32_t child, std::string_view name);  // until it has ended
  base::Unexpected park_for_any(std::vector<std::uint32_t> children, std::string_view name);
  base::Unexpected park_for_letter(const abi::LetterFilter& which,
                                   std::optional<std::uint64_t> timeout_ms);

  void wake(std::uint32_t process) const;
  base::Result<void> hand_out(std::uint32_t process);  // after a message (mail.h)
  base::Result<void> release_orphans();                // after a revocation (answers.h)
  const std::vector<abi::Image>& images() const;
  std::span<const base::CapId> matched() const { return grounds_.matched; }

  bool changed() const { return changed_; }

 private:
  Journal& journal_;
  const Lock& lock_;
  const ports::Grounds& grounds_;
  bool changed_ = false;
};

base::Result<abi::TimeSleep::Reply> carry_out(Enactment& act, const abi::TimeSleep& call);
base::Result<abi::HumanAsk::Reply> carry_out(Enactment& act, const abi::HumanAsk& call);
base::Result<abi::HumanTell::Reply> carry_out(Enactment& act, const abi::HumanTell& call);
base::Result<abi::CapRequest::Reply> carry_out(Enactment& act, const abi::CapRequest& call);
base::Result<abi::CapList::Reply> carry_out(Enactment& act, const abi::CapList& call);
base::Result<abi::MemPut::Reply> carry_out(Enactment& act, const abi::MemPut& call);
base::Result<abi::MemGet::Reply> carry_out(Enactment& act, const abi::MemGet& call);
base::Result<abi::MemAppend::Reply> carry_out(Enactment& act, const abi::MemAppend& call);
base::Result<abi::MemList::Reply> carry_out(Enactment& act, const abi::MemList& call);
base::Result<abi::ProcInfo::Reply> carry_out(Enactment& act, const abi::ProcInfo& call);
base::Result<abi::ProcChdir::Reply> carry_out(Enactment& act, const abi::ProcChdir& call);
base::Result<abi::ProcExit::Reply> carry_out(Enactment& act, const abi::ProcExit& call);
base::Result<abi::ProcSpawn::Reply> carry_out(Enactment& act, const abi::ProcSpawn& call);
base::Result<abi::ProcWait::Reply> carry_out(Enactment& act, const abi::ProcWait& call);
base::Result<abi::ProcWaitAny::Reply> carry_out(Enactment& act, const abi::ProcWaitAny& call);
base::Result<abi::ProcList::Reply> carry_out(Enactment& act, const abi::ProcList& call);
base::Result<abi::MsgSend::Reply> carry_out(Enactment& act, const abi::MsgSend& call);
base::Result<abi::MsgReceive::Reply> carry_out(Enactment& act, const abi::MsgReceive& call);
base::Result<abi::CapDerive::Reply> carry_out(Enactment& act, const abi::CapDerive& call);
base::Result<abi::CapDrop::Reply> carry_out(Enactment& act, const abi::CapDrop& call);

// How a process ended, for whoever waits for it.
abi::ProcWait::Reply end_of(const core::JobState& state, const core::Process& process);

// Whether a process is another, or comes from it.
bool is_below(const core::JobState& state, std::uint32_t one, std::uint32_t ancestor);

// Opens a request and lets the syscall `n` of `place` wait for it. With the lock held.
base::Result<base::RequestId> open_request(Journal& journal, const Lock& lock, base::Seq cause,
                                           core::RequestOpened request);

// Decides each of the grounds' needs by the state as it is, and sets what matched and what is to be
// spent.
std::vector<core::Decision> weigh(const Place& place, const Lock& lock, ports::Grounds& grounds,
                                  base::Time now);

// Whether a decision still holds when the state has changed since; renews its grounds. Errors:
// `denied`.
base::Result<void> still_granted(const Place& place, const Lock& lock, ports::Grounds& grounds,
                                 base::Time now);

}  // namespace alos::kernel
