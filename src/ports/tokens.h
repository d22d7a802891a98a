// Permit, Intent, Receipt: the three tokens of the door, in the order in which an effect needs
// them.
//
//   Permit   authority said yes to exactly this call        made only by kernel::Authority
//   Intent   and that is durable                            made only by kernel::Journal, from a
//   Permit Receipt  and what the provider saw is recorded          made only by kernel::Journal,
//   from an Intent
//
// The call travels inside, so what was authorised is what is done. A provider accepts an Intent and
// nothing else. Tokens are moved, never copied; there is no other way to make one, not for tests
// either.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "abi/call.h"

namespace alos::kernel {
class Authority;
class Journal;
}  // namespace alos::kernel

namespace alos::ports {

// The real files behind a call's paths, held open by a provider between decision and effect.
class Pin {
 public:
  virtual ~Pin() = default;

  // In the order of the call's paths(): where each really is, links followed.
  virtual const std::vector<base::Path>& real_paths() const = 0;

  // The missing directories above them that the call would make, too.
  virtual std::vector<base::Path> made_on_the_way() const { return {}; }
};

// Whether a call that walks a subtree may show this place to its caller.
using View = std::function<bool(const abi::Resource&, abi::Right)>;

// What the target of a verifiable effect held before it: what recovery compares with and undo
// restores.
struct Preimage {
  bool existed = false;
  std::optional<base::Digest> digest;  // of a file's content
  ALOS_FIELDS(existed, digest)
  bool operator==(const Preimage&) const = default;
};

// What the decision rests on; the kernel's own, carried by the permit.
struct Grounds {
  abi::Needs needs;
  std::vector<base::CapId> matched;
  std::vector<base::CapId> spends;      // one use of each is taken when the intent is recorded
  base::Digest digest;                  // of the call
  std::uint64_t authority_version = 0;  // of the job's authority when it was decided
  std::uint32_t n = 0;                  // which syscall of its durable call
  bool settle_only = false;             // authority is gone since the intent: look, do not act
  abi::Usage reserves;                  // what it may spend at most
};

template <abi::Call C>
class [[nodiscard]] Permit {
 public:
  Permit(Permit&&) noexcept = default;
  Permit& operator=(Permit&&) noexcept = default;
  const C& call() const { return call_; }

 private:
  friend class ::alos::kernel::Authority;
  friend class ::alos::kernel::Journal;
  Permit(C call, std::unique_ptr<Pin> pin, View view, Grounds grounds)
      : call_(std::move(call)),
        pin_(std::move(pin)),
        view_(std::move(view)),
        grounds_(std::move(grounds)) {}

  C call_;
  std::unique_ptr<Pin> pin_;
  View view_;
  Grounds grounds_;
};

ALOS_ENUM(Attempt,
          first,   // act
          again,   // an earlier attempt may have happened: by effect class
          settle)  // the same, but look only: authority is gone
struct IntentState {
  base::Seq seq = 0;  // of the intent's record; 0 for observations, which have none
  Attempt attempt = Attempt::first;
  std::optional<Preimage> preimage;
};

template <abi::Call C>
class [[nodiscard]] Intent {
 public:
  Intent(Intent&&) noexcept = default;
  Intent& operator=(Intent&&) noexcept = default;

  const C& call() const { return call_; }
  const Pin* pin() const { return pin_.get(); }  // of a PinnedCall: never null
  bool shows(const abi::Resource& resource, abi::Right right) const {
    return !view_ || view_(resource, right);
  }
  const IntentState& state() const { return state_; }
  // Names this intent among all of all jobs and stays the same over restarts: an idempotency key.
  const std::string& key() const { return key_; }

 private:
  friend class ::alos::kernel::Journal;
  Intent(C call, std::unique_ptr<Pin> pin, View view, Grounds grounds, IntentState state,
         std::string key)
      : call_(std::move(call)),
        pin_(std::move(pin)),
        view_(std::move(view)),
        grounds_(std::move(grounds)),
        state_(std::move(state)),
        key_(std::move(key)) {}

  C call_;
  std::unique_ptr<Pin> pin_;
  View view_;
  Grounds grounds_;
  IntentState state_;
  std::string key_;
};

template <abi::Call C>
class [[nodiscard]] Receipt {
 public:
  Receipt(Receipt&&) noexcept = default;
  base::Result<typename C::Reply> reply() && { return std::move(reply_); }

 private:
  friend class ::alos::kernel::Journal;
  explicit Receipt(base::Result<typename C::Reply> reply) : reply_(std::move(reply)) {}
  base::Result<typename C::Reply> reply_;
};

}  // namespace alos::ports
