#include "core/derive.h"

#include <fmt/format.h>

#include <algorithm>

namespace alos::core {
namespace {

using abi::Delegation;
using abi::GrantEffect;
using base::Code;
using base::fail;
using base::Result;

// Why a capability is not what `wanted` can come from; the later, the nearer it was.
enum class Fit : std::uint8_t { elsewhere, trapdoor, not_delegable, only_ask, fits };

Fit fit_of(const JobState& state, const Capability& cap, const abi::Grant& wanted) {
  const abi::Grant& held = cap.grant;
  if (held.effect == GrantEffect::deny || cap.bound_call || !held.covers(wanted))
    return Fit::elsewhere;
  if (wanted.rights.has(abi::Right::write) &&
      !names_trapdoors(held.resource, wanted.resource.literal_prefix(), state.trapdoors))
    return Fit::trapdoor;
  if (held.delegation == Delegation::none) return Fit::not_delegable;
  if (held.effect == GrantEffect::ask &&
      (wanted.effect != GrantEffect::ask || wanted.asking != held.asking))
    return Fit::only_ask;
  return Fit::fits;
}

base::Unexpected refuse(Fit nearest, const abi::Grant& wanted) {
  const std::string what = wanted.to_text();
  switch (nearest) {
    case Fit::trapdoor:
      return fail(
          Code::denied,
          fmt::format("`{}` cannot be handed on: it names a trapdoor, and what is held does "
                      "not name it literally",
                      what),
          "hand on the parts that other programs do not execute or obey");
    case Fit::not_delegable:
      return fail(Code::denied,
                  fmt::format("`{}` cannot be handed on: it is held for use only", what),
                  "a person can grant it with `delegate` or `delegate-only`");
    case Fit::only_ask:
      return fail(Code::denied,
                  fmt::format("`{}` cannot be handed on: it is held as an ask only", what),
                  "hand it on as the same ask");
    default:
      return fail(Code::denied,
                  fmt::format("`{}` cannot be handed on: nothing that is held covers it", what),
                  "list_capabilities shows what is held; only a part of it can be handed on");
  }
}

// An ask or deny of the giver, as far as it speaks of what is handed on.
std::optional<abi::Grant> carried(const abi::Grant& held, const abi::Grant& wanted) {
  if (!held.rights.intersects(wanted.rights)) return std::nullopt;
  auto both = held.resource.intersection(wanted.resource);
  if (!both) return std::nullopt;
  abi::Grant out = held;
  out.rights = held.rights.common(wanted.rights);  // to be asked is more than to be denied
  out.resource = std::move(*both);
  out.uses.reset();  // those of its parent count
  out.delegation = held.effect == GrantEffect::deny ? Delegation::none : wanted.delegation;
  if (held.effect == GrantEffect::ask)
    for (const abi::Condition& condition : wanted.conditions)
      if (std::find(out.conditions.begin(), out.conditions.end(), condition) ==
          out.conditions.end())
        out.conditions.push_back(condition);
  return out;
}

bool decides_before(const abi::Grant& one, const abi::Grant& other) {
  if (one.resource.specificity() != other.resource.specificity())
    return one.resource.specificity() > other.resource.specificity();
  return one.conditions.size() >= other.conditions.size();
}

}  // namespace

Result<std::vector<Derived>> derive(const JobState& state, std::uint32_t giver,
                                    const abi::Grant& wanted, base::Time now) {
  if (wanted.effect == GrantEffect::deny)
    return fail(Code::invalid, "a deny is not handed on", "hand on less instead");
  std::vector<const Capability*> held, asked;  // live; and asks that are spent, which bind as well
  for (const base::CapId id : state.index.of(giver)) {
    const Capability& cap = *state.cap(id);
    if (is_live(state, cap, now)) held.push_back(&cap);
    if (is_spent_ask(state, cap, now)) asked.push_back(&cap);
  }
  const Capability* source = nullptr;
  Fit nearest = Fit::elsewhere;
  for (const Capability* cap : held) {
    const Fit fit = fit_of(state, *cap, wanted);
    nearest = std::max(nearest, fit);
    // The most specific one is the one that would decide for the giver.
    if (fit == Fit::fits && (source == nullptr || decides_before(cap->grant, source->grant)))
      source = cap;
  }
  if (source == nullptr) return refuse(nearest, wanted);
  std::vector<Derived> out{{wanted, source->id}};
  abi::Grant& handed = out.front().grant;
  if (source->grant.until)
    handed.until = std::min(handed.until.value_or(*source->grant.until), *source->grant.until);
  held.insert(held.end(), asked.begin(), asked.end());
  for (const Capability* cap : held) {
    if (cap == source || cap->grant.effect == GrantEffect::allow) continue;
    if (cap->grant.effect == GrantEffect::ask && !decides_before(cap->grant, source->grant))
      continue;
    if (auto grant = carried(cap->grant, wanted)) out.push_back({std::move(*grant), cap->id});
  }
  return out;
}

std::vector<base::CapId> subtree(const JobState& state, base::CapId top) {
  // A parent is always older than what is derived from it.
  std::vector<bool> inside(state.caps.size() + 1, false);
  std::vector<base::CapId> out;
  // A restriction that came with an allow outlives it: without it, what else its holder has would
  // reach further.
  const bool restricts = state.cap(top)->grant.effect != GrantEffect::allow;
  for (std::uint64_t id = top.value; id <= state.caps.size(); ++id) {
    const Capability& cap = state.caps[id - 1];
    const bool follows = restricts || cap.grant.effect == GrantEffect::allow;
    inside[id] = cap.id == top || (follows && cap.parent && inside[cap.parent->value]);
    if (inside[id] && !cap.revoked) out.push_back(cap.id);
  }
  return out;
}

}  // namespace alos::core
