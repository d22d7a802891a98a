#include "core/decide.h"

#include <fmt/format.h>

namespace alos::core {
namespace {

using abi::GrantEffect;

// What the matching capabilities come to, one after another.
class Tally {
 public:
  Tally(const abi::Need& need, const base::Digest& call, base::Time now, std::span<const std::string> trapdoors)
      : need_(need), call_(call), now_(now),
        trapdoor_(need.right == abi::Right::write && is_trapdoor(need.resource.text(), trapdoors)), trapdoors_(trapdoors) {}

  void add(const Capability& cap) {
    const abi::Grant& grant = cap.grant;
    if (!grant.rights.has(need_.right) || !is_live(cap, now_) || grant.delegation == abi::Delegation::only) return;
    if (cap.bound_call && *cap.bound_call != call_) return;
    if (!grant.resource.matches(need_.resource)) return;
    if (grant.effect == GrantEffect::deny) return denies_.push_back(cap.id);
    if (trapdoor_ && grant.resource.has_wildcard() && !is_trapdoor(grant.resource.literal_prefix(), trapdoors_)) {
      past_trapdoor_.push_back(cap.id);
      return;
    }
    if (cap.bound_call) return void(bound_ = bound_ == nullptr ? &cap : bound_);
    const std::uint64_t rank = grant.resource.specificity();
    if (best_.empty() || rank > rank_) best_.clear(), rank_ = rank;
    if (rank == rank_) best_.push_back(&cap);
  }

  Decision decision() const {
    if (!denies_.empty()) return {Verdict::denied, denies_, {}, "a deny covers it"};
    if (bound_ != nullptr) return {Verdict::allowed, {bound_->id}, limited(*bound_), "approved for this very call"};
    if (best_.empty() && !past_trapdoor_.empty())
      return {Verdict::denied, past_trapdoor_, {}, "it is a trapdoor: other programs execute or obey it; only a grant that names it literally covers it"};
    if (best_.empty()) return {Verdict::denied, {}, {}, "no capability covers it"};
    Decision decision{Verdict::allowed, {}, {}, {}};
    for (const Capability* cap : best_) {
      decision.matched.push_back(cap->id);
      if (cap->grant.effect == GrantEffect::ask) decision.verdict = Verdict::asked;
    }
    if (decision.verdict == Verdict::asked) decision.reason = "a capability says to ask";
    else decision.spends = cheapest();
    return decision;
  }

 private:
  static std::optional<base::CapId> limited(const Capability& cap) {
    return cap.uses_left ? std::optional<base::CapId>(cap.id) : std::nullopt;
  }

  // Of several equally specific allows, one without a limit is used before one with.
  std::optional<base::CapId> cheapest() const {
    for (const Capability* cap : best_)
      if (!cap->uses_left) return std::nullopt;
    return best_.front()->id;
  }

  const abi::Need& need_;
  const base::Digest& call_;
  base::Time now_;
  bool trapdoor_;
  std::span<const std::string> trapdoors_;
  std::vector<base::CapId> denies_;
  std::vector<base::CapId> past_trapdoor_;
  const Capability* bound_ = nullptr;
  std::vector<const Capability*> best_;
  std::uint64_t rank_ = 0;
};

}  // namespace

bool is_live(const Capability& cap, base::Time now) {
  return !cap.revoked && (!cap.uses_left || *cap.uses_left > 0) && (!cap.grant.until || now < *cap.grant.until);
}

bool is_trapdoor(std::string_view resource, std::span<const std::string> trapdoors) {
  if (!resource.starts_with("fs:")) return false;
  for (std::string_view trapdoor : trapdoors) {
    const bool alone = trapdoor.ends_with('$');
    if (alone) trapdoor.remove_suffix(1);
    if (trapdoor.empty()) continue;
    for (std::size_t at = resource.find(trapdoor); at != std::string_view::npos; at = resource.find(trapdoor, at + 1)) {
      const std::size_t end = at + trapdoor.size();
      if (resource[at - 1] == '/' && (end == resource.size() || (!alone && resource[end] == '/'))) return true;
    }
  }
  return false;
}

std::vector<std::string> builtin_trapdoors() {
  return {".git$",         ".git/hooks",   ".git/config",    ".git/info",        ".git/modules", ".gitmodules", ".envrc",        ".vscode",
          ".idea",        ".github/workflows", ".gitlab-ci.yml", ".circleci",    ".bashrc",     ".bash_profile", ".bash_login",
          ".profile",     ".zshrc",         ".zshenv",          ".zprofile",    ".login",      ".ssh",          ".npmrc",
          ".pre-commit-config.yaml", ".husky", ".alos"};
}

Decision decide(const JobState& state, std::uint32_t holder, const abi::Need& need, const base::Digest& call, base::Time now) {
  Tally tally(need, call, now, state.trapdoors);
  state.index.candidates(holder, need.resource.text(), [&](base::CapId id) {
    const Capability& cap = state.caps[id.value - 1];
    if (cap.holder == holder) tally.add(cap);  // the index goes by a hash, which another's may share
  });
  return tally.decision();
}

SubtreeView::SubtreeView(const JobState& state, std::uint32_t holder, const abi::Resource& top, base::Time now)
    : trapdoors_(state.trapdoors), now_(now) {
  const auto subtree = abi::Pattern::from_text(top.text() + (top.text().ends_with('/') ? "**" : "/**"));
  CHECK(subtree.has_value());
  for (const Capability& cap : state.caps)
    if (cap.holder == holder && is_live(cap, now) && !cap.bound_call && cap.grant.resource.overlaps(*subtree)) caps_.push_back(cap);
}

bool SubtreeView::shows(const abi::Resource& resource, abi::Right right) const {
  const abi::Need need{resource, right, abi::Reach::exact};
  Tally tally(need, {}, now_, trapdoors_);
  for (const Capability& cap : caps_) tally.add(cap);
  const Decision decision = tally.decision();
  if (right != abi::Right::list) return decision.verdict == Verdict::allowed;
  return decision.verdict != Verdict::denied || decision.matched.empty();
}

}  // namespace alos::core
