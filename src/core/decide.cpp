#include "core/decide.h"

#include <fmt/format.h>

#include <algorithm>

namespace alos::core {
namespace {

using abi::GrantEffect;

// Whether a file is at or beneath one trapdoor.
bool is_at(std::string_view resource, std::string_view trapdoor) {
  const bool alone = trapdoor.ends_with('$');
  if (alone) trapdoor.remove_suffix(1);
  if (trapdoor.empty() || !resource.starts_with("fs:")) return false;
  for (std::size_t at = resource.find(trapdoor); at != std::string_view::npos;
       at = resource.find(trapdoor, at + 1)) {
    const std::size_t end = at + trapdoor.size();
    if (at > 0 && resource[at - 1] == '/' &&
        (end == resource.size() || (!alone && resource[end] == '/')))
      return true;
  }
  return false;
}

// What the matching capabilities come to, one after another.
class Tally {
 public:
  Tally(const abi::Need& need, const base::Digest& call, base::Time now,
        std::span<const std::string> trapdoors)
      : need_(need), call_(call), now_(now) {
    if (need.right != abi::Right::write) return;
    for (const std::string& trapdoor : trapdoors)
      if (is_at(need.resource.text(), trapdoor)) traps_.push_back(trapdoor);
  }

  void add(const Capability& cap) {
    const abi::Grant& grant = cap.grant;
    if (!grant.rights.has(need_.right) || !is_live(cap, now_) ||
        grant.delegation == abi::Delegation::only)
      return;
    if (cap.bound_call && *cap.bound_call != call_) return;
    if (!grant.resource.matches(need_.resource)) return;
    if (grant.effect == GrantEffect::deny) return denies_.push_back(cap.id);
    if (!traps_.empty() && grant.resource.has_wildcard() &&
        !names_traps(grant.resource.literal_prefix())) {
      past_trapdoor_.push_back(cap.id);
      return;
    }
    if (cap.bound_call) return void(bound_ = bound_ == nullptr ? &cap : bound_);
    const std::uint64_t rank = grant.resource.specificity();
    if (best_.empty() || rank > rank_) best_.clear(), rank_ = rank;
    if (rank == rank_) best_.push_back(&cap);
  }

  Decision decision() const {
    if (!denies_.empty()) return {Verdict::denied, denies_, {}, "a deny covers it", true};
    if (bound_ != nullptr)
      return {
          Verdict::allowed, {bound_->id}, limited(*bound_), "approved for this very call", false};
    if (best_.empty() && !past_trapdoor_.empty())
      return {Verdict::denied,
              past_trapdoor_,
              {},
              "it is a trapdoor: other programs execute or obey it; only a grant that names it "
              "literally covers it",
              false};
    if (best_.empty()) return {Verdict::denied, {}, {}, "no capability covers it", false};
    Decision decision{Verdict::allowed, {}, {}, {}, false};
    for (const Capability* cap : best_)
      if (cap->grant.effect == GrantEffect::ask && !is_answered(*cap))
        decision.verdict = Verdict::asked;
    const GrantEffect deciding =
        decision.verdict == Verdict::asked ? GrantEffect::ask : GrantEffect::allow;
    for (const Capability* cap : best_)
      if (cap->grant.effect == deciding) decision.matched.push_back(cap->id);
    if (decision.verdict == Verdict::asked)
      decision.reason = "a capability says to ask";
    else
      decision.spends = cheapest();
    return decision;
  }

 private:
  static std::optional<base::CapId> limited(const Capability& cap) {
    return cap.uses_left ? std::optional<base::CapId>(cap.id) : std::nullopt;
  }

  bool names_traps(std::string_view literal) const {
    return std::all_of(traps_.begin(), traps_.end(),
                       [&](std::string_view trap) { return is_at(literal, trap); });
  }

  // A person has said yes to what this one asks, for more than one call.
  bool is_answered(const Capability& ask) const {
    return std::any_of(best_.begin(), best_.end(), [&](const Capability* cap) {
      return cap->grant.effect == GrantEffect::allow && cap->parent == ask.id;
    });
  }

  // Of several equally specific allows, one without a limit is used before one with.
  std::optional<base::CapId> cheapest() const {
    const Capability* chosen = nullptr;
    for (const Capability* cap : best_) {
      if (cap->grant.effect != GrantEffect::allow) continue;
      if (!cap->uses_left) return std::nullopt;
      if (chosen == nullptr) chosen = cap;
    }
    return chosen->id;
  }

  const abi::Need& need_;
  const base::Digest& call_;
  base::Time now_;
  std::vector<std::string_view> traps_;  // that the place is in
  std::vector<base::CapId> denies_;
  std::vector<base::CapId> past_trapdoor_;
  const Capability* bound_ = nullptr;
  std::vector<const Capability*> best_;
  std::uint64_t rank_ = 0;
};

}  // namespace

bool is_live(const Capability& cap, base::Time now) {
  return !cap.revoked && (!cap.uses_left || *cap.uses_left > 0) &&
         (!cap.grant.until || now < *cap.grant.until);
}

bool is_trapdoor(std::string_view resource, std::span<const std::string> trapdoors) {
  return std::any_of(trapdoors.begin(), trapdoors.end(),
                     [&](const std::string& trapdoor) { return is_at(resource, trapdoor); });
}

std::vector<std::string> builtin_trapdoors() {
  // clang-format off
  return {".git", ".git/hooks", ".git/config", ".gitmodules", ".gitconfig", ".config/git",
          ".envrc", ".bashrc", ".bash_profile", ".bash_login", ".profile", ".zshrc", ".zshenv", ".zprofile", ".zlogin",
          ".login", ".inputrc", ".ssh", ".npmrc", ".cargo/config.toml", ".gdbinit", ".husky", ".pre-commit-config.yaml",
          ".vscode", ".idea", ".devcontainer", ".claude", ".cursor", ".mcp.json",
          ".github/workflows", ".gitea/workflows", ".gitlab-ci.yml", ".circleci", "Jenkinsfile", ".alos"};
  // clang-format on
}

Decision decide(const JobState& state, std::uint32_t holder, const abi::Need& need,
                const base::Digest& call, base::Time now) {
  Tally tally(need, call, now, state.trapdoors);
  state.index.candidates(holder, need.resource.text(), [&](base::CapId id) {
    const Capability& cap = state.caps[id.value - 1];
    if (cap.holder == holder)
      tally.add(cap);  // the index goes by a hash, which another's may share
  });
  return tally.decision();
}

SubtreeView::SubtreeView(const JobState& state, std::uint32_t holder, const abi::Resource& top,
                         base::Time now)
    : trapdoors_(state.trapdoors), now_(now) {
  const auto subtree =
      abi::Pattern::from_text(top.text() + (top.text().ends_with('/') ? "**" : "/**"));
  CHECK(subtree.has_value());
  for (const Capability& cap : state.caps)
    if (cap.holder == holder && is_live(cap, now) && !cap.bound_call &&
        cap.grant.resource.overlaps(*subtree))
      caps_.push_back(cap);
}

bool SubtreeView::shows(const abi::Resource& resource, abi::Right right) const {
  const abi::Need need{resource, right, abi::Reach::exact};
  Tally tally(need, {}, now_, trapdoors_);
  for (const Capability& cap : caps_) tally.add(cap);
  const Decision decision = tally.decision();
  // A walk spends nothing, so what has limited uses is not for it.
  if (right != abi::Right::list) return decision.verdict == Verdict::allowed && !decision.spends;
  return decision.verdict != Verdict::denied || decision.matched.empty();
}

}  // namespace alos::core
