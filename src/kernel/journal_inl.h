// Implementation of journal.h's templates.
#pragma once

#include "kernel/budget.h"
#include "kernel/enact.h"
#include "kernel/journal.h"

namespace alos::kernel {

inline constexpr std::uint64_t kPreimageBytesMax = 16U
                                                   << 20;  // larger files keep only their digest

template <typename Reply>
base::RawJson Journal::encode_reply(Reply& reply, std::vector<store::Blob>& blobs) {
  detach_payloads(reply, blobs);
  return {base::to_json(reply)};
}

template <abi::Call C>
base::Result<typename C::Reply> Journal::answer_of(const core::Syscall& syscall) {
  if (syscall.error) return base::Unexpected(*syscall.error);
  CHECK(syscall.reply.has_value());
  auto reply = TRY(base::from_json<typename C::Reply>(syscall.reply->text, base::Source::journal));
  const Lock lock(place_.job->mutex);
  TRY(attach_payloads(services_, place_.job, lock, reply));
  return reply;
}

template <abi::Call C>
std::optional<base::Result<typename C::Reply>> Journal::recall(const C&,
                                                               const base::Digest& digest) {
  using Past = base::Result<typename C::Reply>;
  ++n_;
  Lock lock(place_.job->mutex);
  const core::Process* process = place_.job->state.process(place_.process);
  const core::Frame* frame = process == nullptr ? nullptr : process->frame(place_.call);
  if (frame == nullptr)
    return Past(base::fail(base::Code::cancelled, "the call was ended from outside"));
  const core::Syscall* past = frame->find(n_);
  if (past == nullptr) return std::nullopt;
  if (past->digest != digest || past->name != C::kName) return Past(mismatch(*past, C::kName));
  if (past->stage == core::Stage::edited) return std::nullopt;
  if (past->stage == core::Stage::waiting) return Past(base::fail(base::Code::parked, "waits"));
  if (past->stage == core::Stage::intended) {
    if (place_.job->in_flight.contains({place_.process, place_.call, n_}))
      return Past(base::fail(base::Code::parked, "in flight"));
    return std::nullopt;  // interrupted by a crash: the door knows what to do
  }
  const core::Syscall copy = *past;
  lock.unlock();
  return answer_of<C>(copy);
}

template <abi::Call C>
base::Result<std::optional<C>> Journal::edited() {
  const Lock lock(place_.job->mutex);
  const core::Syscall* syscall = find(lock, n_);
  if (syscall == nullptr || !syscall->replacement) return std::optional<C>();
  const std::string json = TRY(bytes_of(services_, place_.job, lock, *syscall->replacement));
  return std::optional<C>(TRY(base::from_json<C>(json, base::Source::outside)));
}

// Whether what is there is what the call would make of it.
template <abi::Call C>
bool is_done_already(const C& call, const ports::Preimage& found) {
  if constexpr (std::is_same_v<C, abi::FsWrite>)
    return found.digest && *found.digest == call.content.digest();
  return false;
}

template <abi::ExternalCall C>
base::Result<ports::Intent<C>> Journal::begin(ports::Permit<C> permit) {
  ports::Grounds& grounds = permit.grounds_;
  grounds.n = n_;
  std::string key = this->key();
  const auto intent = [&](ports::IntentState state) {
    return ports::Intent<C>(std::move(permit.call_), std::move(permit.pin_),
                            std::move(permit.view_), std::move(grounds), std::move(state),
                            std::move(key));
  };
  if constexpr (C::kClass == abi::EffectClass::observe)
    if (grounds.spends.empty()) return intent({});

  std::optional<ports::Preimage> preimage;
  std::string kept;
  if constexpr (C::kClass == abi::EffectClass::verifiable)
    preimage = TRY(services_.hands.files.preimage(*permit.pin_, 0, kPreimageBytesMax, kept));

  Lock lock(place_.job->mutex);
  if (const core::Syscall* open = find(lock, n_);
      open != nullptr && open->stage == core::Stage::intended) {
    ports::IntentState state{
        open->seq, grounds.settle_only ? ports::Attempt::settle : ports::Attempt::again, {}};
    if (open->existed) state.preimage = ports::Preimage{*open->existed, open->preimage};
    if constexpr (abi::DeferredCall<C>)
      place_.job->in_flight.insert({place_.process, place_.call, n_});
    return intent(std::move(state));
  }
  TRY(still_granted(place_, lock, grounds, services_.hands.clock.now()));
  if (preimage && !is_done_already(permit.call_, *preimage))
    TRY(as_seen(lock, grounds, *preimage, C::kName));
  TRY(afford(lock, grounds, C::kName));
  core::CallIntended body = intended(grounds, C::kName, C::kClass);
  if (preimage) {
    body.existed = preimage->existed;
    body.preimage = preimage->digest;
    if (preimage->digest && kept.size() <= kPreimageBytesMax)
      body.kept = base::Text(std::move(kept));
  }
  const base::Seq seq = TRY(append_after_observations(lock, place_.cause, std::move(body)));
  if constexpr (abi::DeferredCall<C>)
    place_.job->in_flight.insert({place_.process, place_.call, n_});
  lock.unlock();
  TRY(services_.committer.wait(place_.job, seq));
  return intent({seq, ports::Attempt::first, std::move(preimage)});
}

template <abi::Call C>
void Journal::note(const base::Digest& digest, const base::Result<typename C::Reply>& result) {
  unrecorded_.push_back(
      [call = place_.call, n = n_, digest, result](std::vector<store::Blob>& blobs) {
        core::CallObserved body{call, n, std::string(C::kName), digest, {}, {}};
        if (result) {
          auto reply = *result;
          body.reply = encode_reply(reply, blobs);
        } else {
          body.error = result.error();
        }
        return body;
      });
}

// Charged when it was done, and at its most when nobody can say.
template <abi::ExternalCall C>
abi::Usage Journal::spent(const ports::Outcome<typename C::Reply>& outcome,
                          const abi::Usage& reserved) const {
  if (outcome.not_started() != nullptr || outcome.failed() != nullptr) return {};
  if constexpr (std::is_same_v<C, abi::ModelGenerate>) {
    const Lock lock(place_.job->mutex);
    const core::Process* process = place_.job->state.process(place_.process);
    if (outcome.done() != nullptr && process != nullptr)
      return usage_of(*process, *outcome.done(), reserved);
  }
  return reserved;
}

template <abi::ExternalCall C>
base::Result<ports::Receipt<C>> Journal::settle(ports::Intent<C> intent,
                                                ports::Outcome<typename C::Reply> outcome) {
  using Reply = typename C::Reply;
  base::Result<Reply> reply = outcome.done() != nullptr ? base::Result<Reply>(*outcome.done())
                                                        : base::Unexpected(outcome.error());
  if (intent.state_.seq == 0) {
    note<C>(intent.grounds_.digest, reply);
    return ports::Receipt<C>(std::move(reply));
  }
  core::CallSettled body{place_.call, intent.grounds_.n, core::OutcomeKind::done, {}, {}, {}};
  std::vector<store::Blob> blobs;
  body.usage = spent<C>(outcome, intent.grounds_.reserves);
  if (Reply* done = outcome.done()) {
    body.reply = encode_reply(*done, blobs);
  } else {
    body.outcome = outcome.not_started() != nullptr ? core::OutcomeKind::not_started
                   : outcome.failed() != nullptr    ? core::OutcomeKind::failed
                                                    : core::OutcomeKind::unknown;
    body.error = outcome.error();
  }
  const Lock lock(place_.job->mutex);
  place_.job->in_flight.erase({place_.process, place_.call, intent.grounds_.n});
  const core::Syscall* open = find(lock, intent.grounds_.n);
  if (open == nullptr || open->stage != core::Stage::intended)
    return ports::Receipt<C>(base::fail(base::Code::cancelled,
                                        "the call was ended from outside while it was under way"));
  for (store::Blob& blob : blobs) place_.job->tail.blobs.push_back(std::move(blob));
  TRY(append(services_, place_.job, lock, place_.process, intent.state_.seq, std::move(body)));
  return ports::Receipt<C>(std::move(reply));
}

template <abi::InternalCall C>
base::Result<typename C::Reply> Journal::enact(ports::Permit<C> permit) {
  using Reply = typename C::Reply;
  ports::Grounds& grounds = permit.grounds_;
  const Lock lock(place_.job->mutex);
  TRY(still_granted(place_, lock, grounds, services_.hands.clock.now()));
  grounds.reserves = reservation(place_.job->state, place_.process, permit.call_);
  TRY(afford(lock, grounds, C::kName));
  const bool spends = !grounds.spends.empty();
  if (spends)
    TRY(append_after_observations(lock, place_.cause, intended(grounds, C::kName, C::kClass)));
  Enactment act(*this, lock, grounds);
  base::Result<Reply> reply = carry_out(act, permit.call_);
  if (!reply && reply.error().code == base::Code::parked) return reply;
  if (!spends && !act.changed()) {
    note<C>(grounds.digest, reply);
    return reply;
  }
  std::vector<store::Blob> blobs;
  std::optional<base::RawJson> text;
  std::optional<base::Error> error;
  if (reply) {
    Reply copy = *reply;
    text = encode_reply(copy, blobs);
  } else {
    error = reply.error();
  }
  for (store::Blob& blob : blobs) place_.job->tail.blobs.push_back(std::move(blob));
  if (spends) {
    const auto outcome = reply ? core::OutcomeKind::done : core::OutcomeKind::not_started;
    TRY(append(services_, place_.job, lock, place_.process, place_.cause,
               core::CallSettled{place_.call, n_, outcome, text, error, {}}));
  } else {
    TRY(append_after_observations(
        lock, place_.cause,
        core::CallObserved{place_.call, n_, std::string(C::kName), grounds.digest, text, error}));
  }
  return reply;
}

}  // namespace alos::kernel
