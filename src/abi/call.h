// What a call is: a struct that names its need, its effect class and its reply.
#pragma once

#include <concepts>
#include <string_view>

#include "abi/budget.h"
#include "abi/grant.h"
#include "base/describe.h"
#include "base/id.h"
#include "base/json.h"

namespace alos::abi {

// What must be durable before a call is performed, and what recovery does with an intent that has
// no outcome.
ALOS_ENUM(EffectClass,
          internal,    // happens in the journal alone
          observe,     // nothing leaves; do it again
          repeatable,  // do it again: it may cost, it cannot harm
          verifiable,  // look at the world: done, not done, or conflict
          keyed,       // do it again under the same idempotency key
          once)        // never again: the outcome is unknown

// Who asks: the process and the call frame's place in it.
struct Caller {
  base::Pid pid;
};

template <typename C>
concept Call = base::Described<C> && base::Described<typename C::Reply> &&
               requires(const C& call, const Caller& caller) {
                 { C::kName } -> std::convertible_to<std::string_view>;
                 { C::kClass } -> std::convertible_to<EffectClass>;
                 { call.needs(caller) } -> std::same_as<Needs>;
               };

template <typename C>
concept InternalCall = Call<C> && C::kClass == EffectClass::internal;
template <typename C>
concept ExternalCall = Call<C> && C::kClass != EffectClass::internal;
// Performed by `start` with a completion; its caller parks.
template <typename C>
concept DeferredCall = ExternalCall<C> && requires { requires C::kDeferred; };
// Names files: resolved to real paths and pinned before anything is decided.
template <typename C>
concept PinnedCall = ExternalCall<C> && requires(C& call) { call.paths(); };

template <typename... C>
struct CallList {};

// Digest of a call: what an approval is bound to and what replay compares.
template <Call C>
base::Digest digest_of(const C& call) {
  std::string text(C::kName);
  base::encode(text, call);
  return base::Digest::of(text);
}

}  // namespace alos::abi
