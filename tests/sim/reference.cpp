#include "sim/reference.h"

#include <algorithm>

#include "core/state.h"

namespace alos::sim {
namespace {

std::vector<std::string> segments_of(const std::string& text) {
  std::vector<std::string> out{""};
  for (const char c : text) {
    if (c == '/')
      out.emplace_back();
    else
      out.back() += c;
  }
  return out;
}

// Literal 3, `*` 2, `**` 1; what goes on past its end is compared as if it were literal.
std::vector<int> ranks_of(const std::string& pattern) {
  std::vector<int> out;
  for (const std::string& segment : segments_of(pattern))
    out.push_back(segment == "**" ? 1 : segment == "*" ? 2 : 3);
  out.resize(40, out.back() == 1 ? 1 : 3);
  return out;
}

// The trapdoor's own segments stand one after another somewhere in the place.
bool holds_trapdoor(const std::string& place, const std::vector<std::string>& trapdoors) {
  const std::vector<std::string> there = segments_of(place);
  return std::any_of(trapdoors.begin(), trapdoors.end(), [&](const std::string& trapdoor) {
    const bool alone = trapdoor.ends_with('$');
    const std::vector<std::string> run =
        segments_of(alone ? trapdoor.substr(0, trapdoor.size() - 1) : trapdoor);
    const auto found = std::search(there.begin(), there.end(), run.begin(), run.end());
    return found != there.end() &&
           (!alone || found + static_cast<std::ptrdiff_t>(run.size()) == there.end());
  });
}

std::string literal_part(const std::string& pattern) {
  std::string out;
  for (const std::string& segment : segments_of(pattern)) {
    if (segment == "*" || segment == "**") break;
    (out += out.empty() ? "" : "/") += segment;
  }
  return out;
}

}  // namespace

bool covers(const std::string& pattern, const std::string& resource) {
  const std::vector<std::string> wanted = segments_of(pattern);
  const std::vector<std::string> given = segments_of(resource);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "**") return true;  // the place itself and all beneath
    if (i >= given.size() || (wanted[i] != "*" && wanted[i] != given[i])) return false;
  }
  return given.size() == wanted.size();
}

namespace {

using Caps = std::vector<core::Capability>;

const core::Capability* parent_of(const Caps& caps, const core::Capability& cap) {
  return cap.parent ? &caps.at(cap.parent->value - 1) : nullptr;
}

// What the capabilities of one holder say of a need.
struct Says {
  std::optional<base::CapId> deny;
  const core::Capability* bound = nullptr;
  std::vector<const core::Capability*> best;
  const core::Capability* spent = nullptr;  // an ask that is used up or over
};

Says what_they_say(const Caps& caps, const std::vector<std::string>& trapdoors,
                   std::uint32_t holder, const core::NeedText& need, const base::Digest& call,
                   base::Time now) {
  const bool trap = need.right == abi::Right::write && need.resource.text().starts_with("fs:") &&
                    holds_trapdoor(need.resource.text(), trapdoors);
  Says says;
  const auto ranks = [](const core::Capability* cap) {
    return ranks_of(cap->grant.resource.text());
  };
  for (const core::Capability& cap : caps) {
    const std::string& pattern = cap.grant.resource.text();
    if (cap.holder != holder || cap.grant.delegation == abi::Delegation::only ||
        !cap.grant.rights.has(need.right) || !covers(pattern, need.resource.text()) ||
        (cap.bound_call && *cap.bound_call != call))
      continue;
    const bool live = is_live(caps, cap, now);
    const bool ask = cap.grant.effect == abi::GrantEffect::ask;
    if (!live && ask && !cap.revoked && (says.spent == nullptr || ranks(&cap) > ranks(says.spent)))
      says.spent = &cap;
    if (!live) continue;
    if (cap.grant.effect == abi::GrantEffect::deny) says.deny = cap.id;
    const bool wild = pattern.find('*') != std::string::npos;
    if (trap && wild && !holds_trapdoor(literal_part(pattern), trapdoors)) continue;
    if (cap.bound_call) {
      if (says.bound == nullptr) says.bound = &cap;  // the oldest
      continue;
    }
    if (!says.best.empty() && ranks(&cap) > ranks(says.best.front())) says.best.clear();
    if (says.best.empty() || ranks(&cap) == ranks(says.best.front())) says.best.push_back(&cap);
  }
  return says;
}

// The asks of the best ones that have no answer among them.
std::vector<const core::Capability*> unanswered(const Says& says) {
  std::vector<const core::Capability*> out;
  for (const core::Capability* cap : says.best)
    if (cap->grant.effect == abi::GrantEffect::ask &&
        std::none_of(says.best.begin(), says.best.end(), [&](const core::Capability* other) {
          return other->grant.effect == abi::GrantEffect::allow && other->parent == cap->id;
        }))
      out.push_back(cap);
  return out;
}

// All whose uses count when this one is used.
std::vector<base::CapId> limited(const Caps& caps, const core::Capability* cap) {
  std::vector<base::CapId> out;
  for (; cap != nullptr; cap = parent_of(caps, *cap))
    if (cap->uses_left) out.push_back(cap->id);
  return out;
}

Verdict allowed(const Caps& caps, const std::vector<const core::Capability*>& by) {
  Verdict verdict{true, false, true, {}, "allowed"};
  for (const core::Capability* cap : by) {
    if (cap->grant.effect != abi::GrantEffect::allow) continue;
    const auto line = limited(caps, cap);
    verdict.must_spend = verdict.must_spend && !line.empty();
    verdict.by.insert(verdict.by.end(), line.begin(), line.end());
  }
  return verdict;
}

}  // namespace

bool is_live(const Caps& caps, const core::Capability& cap, base::Time now) {
  const core::Capability* parent = parent_of(caps, cap);
  return !cap.revoked && (!cap.uses_left || *cap.uses_left > 0) &&
         (!cap.grant.until || now < *cap.grant.until) &&
         (parent == nullptr || is_live(caps, *parent, now));
}

std::optional<std::uint64_t> uses_left(const Caps& caps, const core::Capability& cap) {
  std::optional<std::uint64_t> least;
  for (const base::CapId id : limited(caps, &cap)) {
    const std::uint64_t left = *caps.at(id.value - 1).uses_left;
    least = std::min(least.value_or(left), left);
  }
  return least;
}

Verdict reference_decision(const Caps& caps, const std::vector<std::string>& trapdoors,
                           std::uint32_t holder, const core::NeedText& need,
                           const base::Digest& call, base::Time now) {
  const Says says = what_they_say(caps, trapdoors, holder, need, call, now);
  if (says.deny) return {false, true, false, {*says.deny}, "a deny covers it"};
  if (says.bound != nullptr) return allowed(caps, {says.bound});
  if (says.spent != nullptr &&
      (says.best.empty() || ranks_of(says.spent->grant.resource.text()) >=
                                ranks_of(says.best.front()->grant.resource.text())))
    return {false, false, false, {says.spent->id}, "its ask is over"};
  if (says.best.empty()) return {false, false, false, {}, "nothing covers it"};
  const auto asks = unanswered(says);
  if (asks.empty()) return allowed(caps, says.best);
  const Says before = what_they_say(caps, trapdoors, core::kStanding, need, call, now);
  if (before.deny) return {false, true, false, {*before.deny}, "no, for good"};
  const bool answered = !before.best.empty() && unanswered(before).empty() &&
                        std::all_of(asks.begin(), asks.end(), [&](const core::Capability* ask) {
                          return ask->grant.asking.votes <= 1 && ask->grant.asking.of.empty() &&
                                 ranks_of(ask->grant.resource.text()) <=
                                     ranks_of(before.best.front()->grant.resource.text());
                        });
  if (answered) return allowed(caps, before.best);
  return {false, false, false, {asks.front()->id}, "it is to be asked"};
}

}  // namespace alos::sim
