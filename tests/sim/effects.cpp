#include "sim/effects.h"

#include <algorithm>

namespace alos::sim {

using abi::EffectClass;

void Effects::check(const Attempt& attempt) {
  world_.say("   {} {} performs (durable to {})", attempt.key, attempt.name,
             ledger_.job(attempt.pid.job) == nullptr ? 0 : ledger_.job(attempt.pid.job)->seq);
  if (world_.crashed()) return;  // nothing happens any more
  for (const core::NeedText& need : attempt.needs)
    if (is_forbidden(need.resource.text()))
      world_.violation(fmt::format("{} touches {}", attempt.name, need.resource.text()));
  if (attempt.effect == EffectClass::observe && attempt.seq == 0)
    check_observation(attempt);
  else
    check_intent(attempt);
}

void Effects::check_observation(const Attempt& attempt) {
  for (const core::NeedText& need : attempt.needs) {
    const Verdict verdict = ledger_.decide(attempt.pid, need, attempt.digest, world_.clock().now());
    if (!verdict.allowed)
      world_.violation(fmt::format("{} {} without authority for {} {}: {}", attempt.key,
                                   attempt.name, base::name_of(need.right), need.resource.text(),
                                   verdict.why));
    if (verdict.must_spend)
      world_.violation(
          fmt::format("{} {} of {} takes no use", attempt.key, attempt.name, need.resource.text()));
  }
}

void Effects::check_intent(const Attempt& attempt) {
  const std::string what = fmt::format("{} {}", attempt.key, attempt.name);
  const IntentFact* intent = ledger_.intent(attempt.key);
  if (intent == nullptr)
    return world_.violation(what + " is performed and its intent is not durable");
  if (intent->body.digest != attempt.digest || intent->body.name != attempt.name ||
      intent->seq != attempt.seq || intent->body.effect != attempt.effect)
    world_.violation(what + " is not the call its intent names");
  if (intent->outcome) world_.violation(what + " is performed and has an outcome already");
  for (const core::NeedText& need : attempt.needs) {
    const bool listed = std::any_of(
        intent->body.needs.begin(), intent->body.needs.end(), [&](const core::NeedText& one) {
          return one.right == need.right && one.resource == need.resource;
        });
    if (ledger_.decide(attempt.pid, need, attempt.digest, world_.clock().now()).denied)
      world_.violation(
          fmt::format("{} is performed and {} is denied by now", what, need.resource.text()));
    if (!listed)
      world_.violation(fmt::format("{} also touches {} {}, of which its intent says nothing", what,
                                   base::name_of(need.right), need.resource.text()));
  }
  const JobFact* job = ledger_.job(attempt.pid.job);
  for (const base::CapId id : intent->body.matched)
    if (job->caps.at(id.value - 1).revoked)
      world_.violation(fmt::format("{} is performed and {} has been revoked", what,
                                   base::to_string(attempt.pid.job, id)));
  const unsigned before = attempts_[attempt.key]++;
  if (before == 0) return;
  world_.mark("performed again");
  if (attempt.effect == EffectClass::once) world_.violation(what + " is performed a second time");
  if (attempt.effect != EffectClass::verifiable) return;
  const auto look = last_look_.find(attempt.key);
  if (look == last_look_.end() || look->second != ports::Sight::not_done)
    world_.violation(what + " is performed again without a look that says it was not done");
}

void Effects::took_effect(const std::string& key) {
  ++effects_[key];
  in_effect_.insert(key);
  last_look_.erase(key);
}

void Effects::looked(const std::string& key, ports::Sight sight) {
  last_look_[key] = sight;
  if (sight == ports::Sight::done) looked_done_.insert(key);
  if (sight == ports::Sight::not_done) in_effect_.erase(key);
  world_.mark(fmt::format("look {}", base::name_of(sight)));
  world_.say("   {} looked: {}", key, base::name_of(sight));
}

unsigned Effects::times(const std::string& key) const {
  const auto found = effects_.find(key);
  return found == effects_.end() ? 0 : found->second;
}

void Effects::check_end() {
  for (const auto& [id, job] : ledger_.jobs()) {
    std::map<std::uint64_t, std::uint64_t> used;
    for (const auto& [key, intent] : job.intents) {
      const bool outside = intent.body.effect != EffectClass::internal;
      if (outside && intent.outcome == core::OutcomeKind::done && times(key) == 0 &&
          !looked_done_.contains(key))
        world_.violation(
            fmt::format("{} {} is recorded as done and never happened", key, intent.body.name));
      const bool nothing = intent.outcome == core::OutcomeKind::not_started ||
                           intent.outcome == core::OutcomeKind::failed;
      if (nothing && in_effect_.contains(key) && intent.body.effect == EffectClass::verifiable)
        world_.violation(fmt::format("{} {} is recorded as {} and happened", key, intent.body.name,
                                     base::name_of(*intent.outcome)));
      if (times(key) != 0)
        for (const base::CapId cap : intent.body.spends) ++used[cap.value];
    }
    for (const auto& [cap, times] : used)
      if (times > job.caps.at(cap - 1).grant.uses.value_or(0))
        world_.violation(fmt::format("capability {} was used {} times",
                                     base::to_string(id, base::CapId{cap}), times));
  }
}

}  // namespace alos::sim
