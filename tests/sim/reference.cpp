#include "sim/reference.h"

#include <algorithm>

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

Verdict reference_decision(const std::vector<core::Capability>& caps,
                           const std::vector<std::string>& trapdoors, std::uint32_t holder,
                           const core::NeedText& need, const base::Digest& call, base::Time now) {
  const bool trap = need.right == abi::Right::write && need.resource.text().starts_with("fs:") &&
                    holds_trapdoor(need.resource.text(), trapdoors);
  std::vector<const core::Capability*> best;
  const core::Capability* bound = nullptr;
  for (const core::Capability& cap : caps) {
    const std::string& pattern = cap.grant.resource.text();
    const bool live = !cap.revoked && (!cap.uses_left || *cap.uses_left > 0) &&
                      (!cap.grant.until || now < *cap.grant.until);
    if (cap.holder != holder || !live || !cap.grant.rights.has(need.right) ||
        !covers(pattern, need.resource.text()))
      continue;
    if (cap.bound_call && *cap.bound_call != call) continue;
    if (cap.grant.effect == abi::GrantEffect::deny)
      return {false, true, false, {cap.id}, "a deny covers it"};
    const bool wild = pattern.find('*') != std::string::npos;
    if (trap && wild && !holds_trapdoor(literal_part(pattern), trapdoors)) continue;
    if (cap.bound_call) {
      if (bound == nullptr) bound = &cap;  // the oldest
      continue;
    }
    if (!best.empty() && ranks_of(pattern) > ranks_of(best.front()->grant.resource.text()))
      best.clear();
    if (best.empty() || ranks_of(pattern) == ranks_of(best.front()->grant.resource.text()))
      best.push_back(&cap);
  }
  if (bound != nullptr) return {true, false, bound->uses_left.has_value(), {bound->id}, "bound"};
  if (best.empty()) return {false, false, false, {}, "nothing covers it"};
  Verdict verdict{true, false, true, {}, "allowed"};
  for (const core::Capability* cap : best) {
    const auto answers = [&](const core::Capability* other) {
      return other->grant.effect == abi::GrantEffect::allow && other->parent == cap->id;
    };
    if (cap->grant.effect == abi::GrantEffect::ask &&
        std::none_of(best.begin(), best.end(), answers))
      return {false, false, false, {cap->id}, "it is to be asked"};
    if (cap->grant.effect == abi::GrantEffect::ask) continue;
    verdict.must_spend = verdict.must_spend && cap->uses_left.has_value();
    verdict.by.push_back(cap->id);
  }
  return verdict;
}

}  // namespace alos::sim
