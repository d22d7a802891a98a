// Declared needs before the run: what the grants of a plan say to each. A need is a pattern, so it
// is decided pattern by pattern, by the rules of core/decide.h.
#include <fmt/format.h>

#include <algorithm>

#include "core/decide.h"
#include "kernel/looking.h"

namespace alos::kernel {
namespace {

using abi::GrantEffect;

// What decides about the whole of one right of a need; nothing: no grant does.
const GrantFrom* decider(const abi::Grant& part, const Plan& plan) {
  const bool trapped = part.rights.has(abi::Right::write) &&
                       core::is_trapdoor(part.resource.literal_prefix(), plan.trapdoors);
  const GrantFrom* best = nullptr;
  for (const GrantFrom& held : plan.grants) {
    if (held.grant.delegation == abi::Delegation::only || !held.grant.covers(part)) continue;
    if (held.grant.effect == GrantEffect::deny) return &held;
    if (trapped &&
        !core::names_trapdoors(held.grant.resource, part.resource.literal_prefix(), plan.trapdoors))
      continue;
    const auto rank = [](const GrantFrom& one) {
      return std::pair{one.grant.resource.specificity(), one.grant.conditions.size()};
    };
    const bool better = best == nullptr || rank(held) > rank(*best) ||
                        (rank(held) == rank(*best) && held.grant.effect == GrantEffect::ask);
    if (better) best = &held;
  }
  return best;
}

std::string_view state_under(const GrantFrom* by, const abi::Grant& part,
                             const std::vector<Standing>& standing) {
  if (by == nullptr) return "unmet";
  if (by->grant.effect != GrantEffect::ask)
    return by->grant.effect == GrantEffect::deny ? "denied" : "granted";
  std::string_view state = "asked";
  for (const Standing& one : standing) {
    if (!one.grant.covers(part)) continue;
    if (one.grant.effect == GrantEffect::deny) return "denied";
    state = "answered";
  }
  return state;
}

int weight(std::string_view state) {
  return state == "unmet" ? 4 : state == "denied" ? 3 : state == "asked" ? 2 : state == "answered";
}

// Grants that say something else than the decider about a part of it.
void add_exceptions(const abi::Grant& part, const GrantFrom& by, const Plan& plan,
                    std::vector<std::string>& out) {
  for (const GrantFrom& held : plan.grants) {
    if (&held == &by || !held.grant.rights.intersects(part.rights) ||
        !held.grant.resource.overlaps(part.resource) || held.grant.covers(part))
      continue;
    const bool decides = held.grant.effect == GrantEffect::deny ||
                         held.grant.resource.specificity() > by.grant.resource.specificity();
    std::string text = held.grant.to_text();
    if (decides && held.grant.effect != by.grant.effect &&
        std::find(out.begin(), out.end(), text) == out.end())
      out.push_back(std::move(text));
  }
}

}  // namespace

NeedView view_of_need(const abi::Grant& wanted, const std::string& need, const Plan& plan,
                      const std::vector<Standing>& standing) {
  NeedView view;
  view.need = need;
  view.state = "granted";
  abi::Grant missing = wanted;
  missing.rights = {};
  for (const abi::Right right :
       {abi::Right::read, abi::Right::write, abi::Right::list, abi::Right::execute}) {
    if (!wanted.rights.has(right)) continue;
    abi::Grant part = wanted;
    part.rights = {right};
    const GrantFrom* by = decider(part, plan);
    const std::string_view state = state_under(by, part, standing);
    if (by == nullptr)
      missing.rights.add(right);
    else if (by->grant.effect != GrantEffect::deny)
      add_exceptions(part, *by, plan, view.except);
    if (by != nullptr && (view.by.empty() || weight(state) > weight(view.state)))
      view.by = fmt::format("{} from {}", by->grant.to_text(), by->from);
    if (weight(state) > weight(view.state)) view.state = state;
  }
  if (view.state == "unmet") view.by.clear(), view.missing = missing.to_text();
  return view;
}

}  // namespace alos::kernel
