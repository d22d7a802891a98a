// Effects: the book of every perform and look, and the laws that hold at the instant a hand moves:
// a durable intent for exactly this call, a live grant for the name and for the real place, at most
// once, never a denied place.
#pragma once

#include <set>

#include "ports/hands.h"
#include "sim/ledger.h"

namespace alos::sim {

class Effects {
 public:
  Effects(World& world, Ledger& ledger) : world_(world), ledger_(ledger) {}

  // A place no agent of this world may ever touch.
  static bool is_forbidden(std::string_view place) {
    return place.find("/secret") != std::string_view::npos;
  }

  template <abi::ExternalCall C>
  void performs(const ports::Intent<C>& intent) {
    Attempt attempt{std::string(C::kName),         C::kClass, intent.key(),
                    abi::digest_of(intent.call()), {},        intent.state().seq};
    const std::string& key = intent.key();
    const auto pid = base::parse_pid(key.substr(0, key.find('.', key.find('.') + 1)));
    if (!pid) return world_.violation("the key " + key + " names no process");
    attempt.pid = *pid;
    for (const abi::Need& need : intent.call().needs({*pid}))
      attempt.needs.push_back({need.resource, need.right});
    if constexpr (abi::PinnedCall<C>) {
      C real = intent.call();
      std::size_t i = 0;
      for (base::Path* path : real.paths()) *path = intent.pin()->real_paths()[i++];
      for (const abi::Need& need : real.needs({*pid}))
        attempt.needs.push_back({need.resource, need.right});
    }
    check(attempt);
  }

  void took_effect(const std::string& key);
  void looked(const std::string& key, ports::Sight sight);
  // How often, in the whole run.
  unsigned times(const std::string& key) const;
  bool looked_done(const std::string& key) const { return looked_done_.contains(key); }

  // At the end: what the records say was done, was done, and capabilities with N uses had at most N
  // effects.
  void check_end();

 private:
  struct Attempt {
    std::string name;
    abi::EffectClass effect;
    std::string key;
    base::Digest digest;
    std::vector<core::NeedText> needs;
    base::Seq seq = 0;
    base::Pid pid;
  };
  void check(const Attempt& attempt);
  void check_intent(const Attempt& attempt);
  void check_observation(const Attempt& attempt);

  World& world_;
  Ledger& ledger_;
  std::map<std::string, unsigned> attempts_;
  std::map<std::string, unsigned> effects_;
  std::map<std::string, ports::Sight> last_look_;  // since the last effect
  std::set<std::string> in_effect_;                // and no look since has found nothing of it
  std::set<std::string> looked_done_;
};

}  // namespace alos::sim
