// Journal: the only maker of Intents and Receipts, and the only one that appends to a job.
//
// A Journal stands for one durable call of one process while it runs. Syscalls are numbered in the
// order they are made; what an earlier run saw is answered from the records (`recall`), what has no
// record yet is done. What a syscall without an intent came to is recorded only when something
// depends on it: an effect, a wait, or another change. A call that merely reads and returns costs
// no record but its beginning and its end.
#pragma once

#include "kernel/services.h"

namespace alos::kernel {

// Appends one record: gives it its number, time and place in the chain, moves large payloads out,
// changes the state. Returns its seq. Errors: what the job was lost for.
base::Result<base::Seq> append(const Services& services, const JobPtr& job, const Lock& lock,
                               std::uint32_t process, base::Seq cause, core::Body body);

class Journal {
 public:
  Journal(const Services& services, Place place) : services_(services), place_(std::move(place)) {}

  const Place& place() const { return place_; }
  std::uint32_t n() const { return n_; }

  // The next syscall of this call. Answers from the journal when it can: a value, an error, or
  // `parked`. Nothing: it has to be done (again).
  template <abi::Call C>
  std::optional<base::Result<typename C::Reply>> recall(const C& call, const base::Digest& digest);

  // What a person made of the current syscall before saying yes to it; nothing when it is to be
  // done as it is.
  template <abi::Call C>
  base::Result<std::optional<C>> edited();

  // Durable when it returns, except for observations, of which nothing leaves.
  template <abi::ExternalCall C>
  base::Result<ports::Intent<C>> begin(ports::Permit<C> permit);

  template <abi::ExternalCall C>
  base::Result<ports::Receipt<C>> settle(ports::Intent<C> intent,
                                         ports::Outcome<typename C::Reply> outcome);

  // An internal call: its effect is records.
  template <abi::InternalCall C>
  base::Result<typename C::Reply> enact(ports::Permit<C> permit);

  // A refusal is an answer too, and replay must give it again.
  void observe(const base::Digest& digest, std::string_view name, base::Error error);

  // With the lock held: records what was seen so far, then this. For the parts of the kernel.
  base::Result<base::Seq> append_after_observations(const Lock& lock, base::Seq cause,
                                                    core::Body body);
  // Whether what the call may spend is there. Errors: `exhausted` (which is its answer), `parked`.
  base::Result<void> afford(const Lock& lock, const ports::Grounds& grounds, std::string_view name);
  const Services& services() const { return services_; }

  // What is recorded of syscall `n` of this call; null when nothing is.
  const core::Syscall* find(const Lock& lock, std::uint32_t n) const;

 private:
  using Observed = std::function<core::CallObserved(std::vector<store::Blob>&)>;

  template <typename Reply>
  static base::RawJson encode_reply(Reply& reply, std::vector<store::Blob>& blobs);
  template <abi::Call C>
  base::Result<typename C::Reply> answer_of(const core::Syscall& syscall);
  base::Result<void> flush(const Lock& lock);
  template <abi::Call C>
  void note(const base::Digest& digest, const base::Result<typename C::Reply>& result);
  // Whether what is there is what the person saw who approved of this call. Errors: `conflict`; the
  // approval is void then.
  base::Result<void> as_seen(const Lock& lock, const ports::Grounds& grounds,
                             const ports::Preimage& found, std::string_view name);
  std::string key() const;  // names the current syscall among all
  base::Unexpected mismatch(const core::Syscall& past, std::string_view name) const;
  core::CallIntended intended(const ports::Grounds& grounds, std::string_view name,
                              abi::EffectClass effect) const;
  template <abi::ExternalCall C>
  abi::Usage spent(const ports::Outcome<typename C::Reply>& outcome,
                   const abi::Usage& reserved) const;

  const Services& services_;
  Place place_;
  std::uint32_t n_ = 0;  // of the current syscall, from 1
  std::vector<Observed> unrecorded_;
};

// Moves payloads that belong into blobs out of `value`, which keeps references.
template <typename T>
void detach_payloads(T& value, std::vector<store::Blob>& blobs) {
  base::for_each_payload(value, [&](auto& payload) {
    if (!base::wants_blob(payload)) return;
    const base::Digest digest = base::Digest::of(payload.data);
    payload.blob = base::BlobRef{digest, payload.data.size()};
    blobs.push_back({digest, std::exchange(payload.data, {})});
  });
}

// A payload's bytes, also while the store does not have them yet. Errors: `corrupt`, `unavailable`.
base::Result<std::string> bytes_of(const Services& services, const JobPtr& job, const Lock& lock,
                                   const base::Payload& payload);

// Brings the bytes of all payloads in `value` back.
template <typename T>
base::Result<void> attach_payloads(const Services& services, const JobPtr& job, const Lock& lock,
                                   T& value) {
  base::Result<void> result;
  base::for_each_payload(value, [&](auto& payload) {
    if (!payload.blob || !result) return;
    auto bytes = bytes_of(services, job, lock, payload);
    if (!bytes)
      result = base::Unexpected(bytes.error());
    else
      payload.data = std::move(*bytes), payload.blob.reset();
  });
  return result;
}

}  // namespace alos::kernel

#include "kernel/journal_inl.h"
