#include "kernel/mail.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "kernel/enact.h"
#include "kernel/journal.h"
#include "kernel/owner.h"

namespace alos::kernel {

using base::Code;
using base::fail;
using base::Result;

namespace {

constexpr auto kRetryPause = std::chrono::seconds(1);  // where a mailbox is full
constexpr std::uint64_t kPatienceMsMax = 366ULL * 24 * 3600 * 1000;

Result<void> check_letter(const abi::MsgSend& call) {
  if (call.kind.size() > abi::kMessageKindBytesMax || !base::is_utf8(call.kind))
    return fail(Code::invalid, "a message's kind is a word",
                fmt::format("at most {} bytes", abi::kMessageKindBytesMax));
  if (call.text.size_bytes() == 0 || call.text.size_bytes() > abi::kMessageBytesMax)
    return fail(Code::invalid, fmt::format("a message has {} bytes", call.text.size_bytes()),
                fmt::format("from 1 to {}; put the rest into an object", abi::kMessageBytesMax));
  return {};
}

Result<void> check_mailbox(const core::JobState& state, std::uint32_t number) {
  const core::Process* process = state.process(number);
  const std::string pid = base::to_string(base::Pid{state.job, number});
  if (process == nullptr) return fail(Code::not_found, fmt::format("there is no process {}", pid));
  if (!process->live()) return fail(Code::conflict, fmt::format("process {} has ended", pid));
  if (process->mailbox.size() >= kMailboxMax)
    return fail(Code::exhausted,
                fmt::format("the mailbox of {} is full: {} messages", pid, kMailboxMax),
                "send again when it has read some");
  return {};
}

abi::MsgReceive::Reply reply_of(const core::Process& process, const abi::Letter& letter) {
  return {letter, process.mailbox.size() - 1};
}

}  // namespace

Result<abi::MsgSend::Reply> carry_out(Enactment& act, const abi::MsgSend& call) {
  TRY(check_letter(call));
  // Of another job nothing is known here: what cannot be delivered there is told by a message.
  if (call.to.job == act.pid().job) TRY(check_mailbox(act.state(), call.to.number));
  const std::uint64_t number = act.process().sent + 1;
  TRY(act.append(act.cause(), core::MessageSent{number, call.to, call.kind, call.text, call.re}));
  if (call.to.job == act.pid().job) TRY(act.hand_out(call.to.number));
  return abi::MsgSend::Reply{number};
}

Result<abi::MsgReceive::Reply> carry_out(Enactment& act, const abi::MsgReceive& call) {
  const core::Process& process = act.process();
  const auto found =
      std::find_if(process.mailbox.begin(), process.mailbox.end(),
                   [&](const abi::Letter& letter) { return call.which.fits(letter); });
  if (found == process.mailbox.end()) {
    if (call.timeout_ms && *call.timeout_ms > kPatienceMsMax)
      return fail(Code::invalid, "a message is waited for at most 366 days");
    return act.park_for_letter(call.which, call.timeout_ms);
  }
  abi::MsgReceive::Reply reply = reply_of(process, *found);
  reply.letter.text = base::Text(TRY(act.load(found->text)));
  TRY(act.append(act.cause(), core::MessageTaken{found->from, found->number}));
  return reply;
}

Result<void> hand_out(const Services& services, const JobPtr& job, const Lock& lock,
                      std::uint32_t number) {
  for (;;) {
    const core::Process& process = *job->state.process(number);
    const abi::Letter* letter = nullptr;
    core::Syscall syscall;
    base::CallId call;
    for (const core::Frame& frame : process.frames) {
      const core::Syscall* pending = frame.pending();
      if (letter != nullptr || pending == nullptr || pending->stage != core::Stage::waiting ||
          !pending->letter)
        continue;
      for (const abi::Letter& one : process.mailbox)
        if (letter == nullptr && pending->letter->fits(one)) letter = &one;
      if (letter != nullptr) syscall = *pending, call = frame.call;
    }
    if (letter == nullptr) return {};
    const abi::MsgReceive::Reply reply = reply_of(process, *letter);
    const base::Seq cause = TRY(append(services, job, lock, number, process.last_seq,
                                       core::MessageTaken{letter->from, letter->number}));
    TRY(append(services, job, lock, number, cause,
               core::CallObserved{call,
                                  syscall.n,
                                  syscall.name,
                                  syscall.digest,
                                  base::RawJson{base::to_json(reply)},
                                  {}}));
    job->changed.notify_all();
    services.wakes.wake_locked(job, lock, number);
  }
}

Result<void> put_in_mailbox(const Services& services, const JobPtr& job, const Lock& lock,
                            std::uint32_t number, abi::Letter letter) {
  const core::Process* process = job->state.process(number);
  if (process != nullptr) {
    const auto heard = process->heard.find(letter.from);
    if (heard != process->heard.end() && letter.number <= heard->second) return {};
  }
  TRY(check_mailbox(job->state, number));
  TRY(append(services, job, lock, number, process->last_seq,
             core::MessageReceived{std::move(letter)}));
  return hand_out(services, job, lock, number);
}

// ---- from job to job ----

// The oldest message of a job that waits for another and is durable; nothing when there is none.
std::optional<core::Outgoing> Owner::next_outgoing(const JobPtr& job, abi::Letter& letter) {
  const Lock lock(job->mutex);
  if (job->lost || job->state.outbox.empty()) return std::nullopt;
  core::Outgoing out = job->state.outbox.front();
  if (out.seq > job->durable) return std::nullopt;
  letter = {base::to_string(base::Pid{job->id(), out.process}), out.number, out.kind, out.text,
            out.re};
  (void)attach_payloads(services_, job, lock, letter);
  return out;
}

// Delivers what waits in a job's outbox, in order. One message is under way at a time, so that the
// order of each sender is kept. Never holds two jobs' locks.
void Owner::pump(const JobPtr& job) {
  abi::Letter letter;
  while (const auto out = next_outgoing(job, letter)) {
    Result<void> done = fail(Code::not_found, "there is no such job");
    if (auto target = hold(out->to.job)) {
      done = put_in_mailbox(services_, target->job, target->lock, out->to.number, letter);
      if (done) done = durable(target->job, std::move(target->lock));
    } else {
      done = base::Unexpected(target.error());
    }
    if (!done && (done.error().code == Code::exhausted || done.error().code == Code::unavailable ||
                  done.error().code == Code::corrupt)) {
      hands_.executor.post_at(hands_.clock.now() + kRetryPause, [weak = weak_from_this(), job] {
        if (const auto self = weak.lock()) self->pump(job);
      });
      return;
    }
    const Lock lock(job->mutex);
    if (job->lost || job->state.outbox.empty() || job->state.outbox.front().number != out->number ||
        job->state.outbox.front().process != out->process)
      return;
    if (!append(services_, job, lock, 1, out->seq,
                core::MessageDelivered{out->process, out->number,
                                       done ? std::nullopt : std::optional(done.error())}))
      return;
  }
}

Result<void> Owner::send(base::Pid pid, const std::string& text, const std::string& by) {
  auto [job, lock] = TRY(hold(pid));
  if (text.empty() || text.size() > abi::kMessageBytesMax || !base::is_utf8(text))
    return fail(Code::invalid, "a message is UTF-8 text",
                fmt::format("from 1 to {} bytes", abi::kMessageBytesMax));
  TRY(put_in_mailbox(services_, job, lock, pid.number,
                     {by, job->state.seq + 1, "message", base::Text(text), {}}));
  return durable(job, std::move(lock));
}

}  // namespace alos::kernel
