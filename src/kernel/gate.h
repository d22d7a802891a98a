// Gate: the one door. Every effect outside the runtime passes Gate::run, every internal one
// Gate::enact.
#pragma once

#include "kernel/authority.h"

namespace alos::kernel {

// What an interrupted call comes to when it cannot be finished.
base::Error withdrawn(std::string_view name);
base::Error neither_old_nor_new(std::string_view name, std::string_view what);
base::Error nobody_can_say(std::string_view name);

class Gate {
 public:
  explicit Gate(Journal& journal) : journal_(journal), authority_(journal) {}

  template <abi::ExternalCall C>
  base::Result<typename C::Reply> run(C call, const base::Digest& digest) {
    auto permit = TRY(authority_.decide(std::move(call), digest));  // denied and parked leave here
    auto intent = TRY(journal_.begin(std::move(permit)));  // durable before the world moves
    if constexpr (abi::DeferredCall<C>) {
      return hand_over(std::move(intent));  // parks; its completion settles this intent
    } else {
      auto outcome = attempt(intent);  // the only line that touches the world
      auto receipt = TRY(journal_.settle(std::move(intent), std::move(outcome)));
      return std::move(receipt).reply();
    }
  }

  template <abi::InternalCall C>
  base::Result<typename C::Reply> enact(C call, const base::Digest& digest) {
    auto permit = TRY(authority_.decide(std::move(call), digest));
    return journal_.enact(std::move(permit));
  }

 private:
  template <abi::ExternalCall C>
  ports::Outcome<typename C::Reply> attempt(const ports::Intent<C>& intent);

  // Starts a call that takes long and parks; its completion settles this very intent and wakes the
  // process.
  template <abi::DeferredCall C>
  base::Result<typename C::Reply> hand_over(ports::Intent<C> intent);

  Journal& journal_;
  Authority authority_;
};

// A first attempt acts. After a crash it goes by the effect class: look, do it again, or never
// again.
template <abi::ExternalCall C>
ports::Outcome<typename C::Reply> Gate::attempt(const ports::Intent<C>& intent) {
  auto& hand = journal_.services().hands.of<C>();
  if (intent.state().attempt == ports::Attempt::first) return hand.perform(intent);
  const bool may_act = intent.state().attempt == ports::Attempt::again;
  if constexpr (C::kClass == abi::EffectClass::verifiable) {
    auto seen = hand.look(intent);
    if (!seen) return ports::Unknown{seen.error()};
    if (seen->sight == ports::Sight::done) return std::move(seen->reply);
    if (seen->sight == ports::Sight::conflict)
      return ports::Unknown{neither_old_nor_new(C::kName, seen->what)};
    if (may_act) return hand.perform(intent);
    return ports::NotStarted{withdrawn(C::kName)};
  } else if constexpr (C::kClass == abi::EffectClass::once) {
    return ports::Unknown{nobody_can_say(C::kName)};
  } else {
    if (may_act) return hand.perform(intent);
    return ports::NotStarted{withdrawn(C::kName)};
  }
}

template <abi::DeferredCall C>
base::Result<typename C::Reply> Gate::hand_over(ports::Intent<C> intent) {
  using Reply = typename C::Reply;
  // Lives until the completion has come. When it comes before start() returns, nobody need park.
  struct Flight {
    ports::Intent<C> intent;
    const Services& services;
    Place place;
    std::mutex mutex;
    bool starting = true;
    std::optional<ports::Outcome<Reply>> early;
  };
  const Services& services = journal_.services();
  auto flight = std::shared_ptr<Flight>(
      new Flight{std::move(intent), services, journal_.place(), {}, true, {}});
  if (flight->intent.state().attempt == ports::Attempt::settle) {
    auto receipt = TRY(journal_.settle(
        std::move(flight->intent), ports::Outcome<Reply>(ports::NotStarted{withdrawn(C::kName)})));
    return std::move(receipt).reply();
  }
  services.hands.of<C>().start(flight->intent, [flight](ports::Outcome<Reply> outcome) {
    {
      const std::lock_guard lock(flight->mutex);
      if (flight->starting) return void(flight->early = std::move(outcome));
    }
    Journal journal(flight->services, flight->place);
    const auto receipt = journal.settle(std::move(flight->intent), std::move(outcome));
    if (receipt) flight->services.wakes.wake(flight->place.job, flight->place.process);
  });
  std::unique_lock lock(flight->mutex);
  flight->starting = false;
  if (!flight->early) return base::fail(base::Code::parked, "in flight");
  auto outcome = std::move(*flight->early);
  lock.unlock();
  auto receipt = TRY(journal_.settle(std::move(flight->intent), std::move(outcome)));
  return std::move(receipt).reply();
}

}  // namespace alos::kernel
