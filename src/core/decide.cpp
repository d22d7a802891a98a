#include "core/decide.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace alos::core {
namespace {

using abi::GrantEffect;

bool is_limited(const Capability& cap) { return cap.uses_left.has_value(); }

// A list that seldom has more than a few items, and then does not allocate.
class Few {
 public:
  void add(const Capability* cap) {
    if (size_ < few_.size())
      few_[size_] = cap;
    else
      more_.push_back(cap);
    ++size_;
  }
  void clear() { size_ = 0, more_.clear(); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const Capability* operator[](std::size_t i) const {
    return i < few_.size() ? few_[i] : more_[i - few_.size()];
  }
  template <typename Test>
  const Capability* find(Test&& test) const {
    for (std::size_t i = 0; i < size_; ++i)
      if (test(*(*this)[i])) return (*this)[i];
    return nullptr;
  }
  std::vector<base::CapId> ids() const {
    std::vector<base::CapId> out;
    out.reserve(size_);
    for (std::size_t i = 0; i < size_; ++i) out.push_back((*this)[i]->id);
    return out;
  }

 private:
  std::array<const Capability*, 6> few_;
  std::vector<const Capability*> more_;
  std::size_t size_ = 0;
};

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

// What the capabilities that speak of a need come to, one after another. All of them are live.
class Tally {
 public:
  Tally(const abi::Need& need, const base::Digest& call, std::span<const std::string> trapdoors)
      : need_(need), call_(call), trapdoors_(trapdoors) {
    if (need.right == abi::Right::write) trapped_ = is_trapdoor(need.resource.text(), trapdoors);
  }

  bool wants(const Capability& cap) const {
    return cap.grant.delegation != abi::Delegation::only &&
           (!cap.bound_call || *cap.bound_call == call_) && cap.grant.fits(need_);
  }

  // An ask that is used up or over, and was not taken back: where it would decide, it now denies.
  // Authority does not grow because time passes.
  void add_spent(const Capability& ask) {
    const Rank rank = rank_of(ask);
    if (spent_ == nullptr || rank > rank_of(*spent_)) spent_ = &ask;
  }

  void add(const Capability& cap) {
    if (cap.grant.effect == GrantEffect::deny) return denies_.add(&cap);
    if (trapped_ && !names_trapdoors(cap.grant.resource, need_.resource.text(), trapdoors_))
      return past_trapdoor_.add(&cap);
    if (cap.bound_call)  // the oldest
      return void(bound_ = bound_ == nullptr || cap.id < bound_->id ? &cap : bound_);
    const Rank rank = rank_of(cap);
    if (best_.empty() || rank > rank_) best_.clear(), rank_ = rank;
    if (rank == rank_) best_.add(&cap);
  }

  Verdict verdict() const {
    if (!denies_.empty()) return Verdict::denied;
    if (bound_ != nullptr) return Verdict::allowed;
    if (best_.empty() || is_spent()) return Verdict::denied;
    return unanswered() == nullptr ? Verdict::allowed : Verdict::asked;
  }

  Decision decision() const {
    if (!denies_.empty()) return {Verdict::denied, denies_.ids(), {}, "a deny covers it", true};
    if (bound_ != nullptr)
      return {Verdict::allowed, {bound_->id}, {}, "approved for this very call", false};
    if (best_.empty() && !past_trapdoor_.empty())
      return {Verdict::denied,
              past_trapdoor_.ids(),
              {},
              "it is a trapdoor: other programs execute or obey it; only a grant that names it "
              "literally covers it",
              false};
    if (is_spent())
      return {
          Verdict::denied, {spent_->id}, {}, "the ask that covers it is used up or over", false};
    if (best_.empty()) return {Verdict::denied, {}, {}, "no capability covers it", false};
    Decision decision;
    const bool asks = unanswered() != nullptr;
    decision.verdict = asks ? Verdict::asked : Verdict::allowed;
    if (asks) decision.reason = "a capability says to ask";
    decision.matched.reserve(best_.size());
    for (std::size_t i = 0; i < best_.size(); ++i)
      if (asks ? is_unanswered(*best_[i]) : best_[i]->grant.effect == GrantEffect::allow)
        decision.matched.push_back(best_[i]->id);
    return decision;
  }

  const Capability* bound() const { return bound_; }
  const Few& best() const { return best_; }

  // An ask of the most specific ones that nobody has said yes to for more than one call.
  const Capability* unanswered() const {
    return best_.find([&](const Capability& cap) { return is_unanswered(cap); });
  }

 private:
  using Rank = std::pair<std::uint64_t, std::size_t>;
  static Rank rank_of(const Capability& cap) {
    return {cap.grant.resource.specificity(), cap.grant.conditions.size()};
  }
  bool is_spent() const {
    return spent_ != nullptr && (best_.empty() || rank_of(*spent_) >= rank_);
  }
  bool is_unanswered(const Capability& ask) const {
    return ask.grant.effect == GrantEffect::ask && best_.find([&](const Capability& cap) {
      return cap.grant.effect == GrantEffect::allow && cap.parent == ask.id;
    }) == nullptr;
  }

  const abi::Need& need_;
  const base::Digest& call_;
  std::span<const std::string> trapdoors_;
  bool trapped_ = false;
  Few denies_;
  Few past_trapdoor_;
  const Capability* bound_ = nullptr;
  const Capability* spent_ = nullptr;
  Few best_;
  Rank rank_{};
};

bool in_force(const Capability& cap, base::Time now) {
  return !cap.revoked && (!cap.uses_left || *cap.uses_left > 0) &&
         (!cap.grant.until || now < *cap.grant.until);
}

// Of several equally specific allows, one without a limit is used before one with.
std::vector<base::CapId> spends_of(const JobState& state, const Tally& tally) {
  if (tally.bound() != nullptr) return limited_line(state, *tally.bound());
  std::optional<std::vector<base::CapId>> oldest;
  for (std::size_t i = 0; i < tally.best().size(); ++i) {
    const Capability& cap = *tally.best()[i];
    if (cap.grant.effect != GrantEffect::allow) continue;
    std::vector<base::CapId> line = limited_line(state, cap);
    if (line.empty()) return line;
    if (!oldest || line.front() < oldest->front()) oldest = std::move(line);
  }
  return oldest.value_or(std::vector<base::CapId>{});
}

void tally_all(const JobState& state, std::uint32_t holder, const abi::Need& need, base::Time now,
               Tally& tally) {
  state.index.candidates(holder, need.resource.text(), [&](base::CapId id) {
    const Capability& cap = state.caps[id.value - 1];
    // The index goes by a hash, which another's may share.
    if (cap.holder != holder || !tally.wants(cap)) return;
    if (is_live(state, cap, now))
      tally.add(cap);
    else if (is_spent_ask(state, cap, now))
      tally.add_spent(cap);
  });
}

// Whether a yes given beforehand may answer all these asks: none of them wants other people than
// the owner, or is more specific than what the yes speaks of.
bool may_answer(const JobState& state, const Decision& asked, const Decision& answer) {
  std::uint64_t specificity = 0;
  for (const base::CapId id : answer.matched)
    specificity = std::max(specificity, state.cap(id)->grant.resource.specificity());
  return std::all_of(asked.matched.begin(), asked.matched.end(), [&](base::CapId id) {
    const abi::Grant& ask = state.cap(id)->grant;
    return ask.asking.votes <= 1 && ask.asking.of.empty() &&
           ask.resource.specificity() <= specificity;
  });
}

// What was answered beforehand for the whole job. It answers a question and grants nothing by
// itself: without an ask it is not looked at.
void answer_beforehand(const JobState& state, const abi::Need& need, const base::Digest& call,
                       base::Time now, Decision& decision) {
  Tally standing(need, call, state.trapdoors);
  tally_all(state, kStanding, need, now, standing);
  const Decision answer = standing.decision();
  if (answer.verdict != Verdict::allowed && !answer.is_deny) return;
  if (!answer.is_deny && !may_answer(state, decision, answer)) return;
  decision.verdict = answer.verdict;
  decision.matched.insert(decision.matched.end(), answer.matched.begin(), answer.matched.end());
  if (answer.is_deny) {
    decision.is_deny = true;
    decision.reason = "a person has said no to this for good";
    return;
  }
  decision.reason.clear();
  decision.spends = spends_of(state, standing);
}

}  // namespace

bool is_live(const JobState& state, const Capability& cap, base::Time now) {
  const Capability* one = &cap;
  while (in_force(*one, now)) {
    if (!one->parent) return true;
    one = state.cap(*one->parent);
  }
  return false;
}

bool is_spent_ask(const JobState& state, const Capability& cap, base::Time now) {
  return cap.grant.effect == GrantEffect::ask && !cap.revoked && !is_live(state, cap, now);
}

std::optional<std::uint64_t> uses_left(const JobState& state, const Capability& cap) {
  std::optional<std::uint64_t> least;
  for (const Capability* one = &cap; one != nullptr;
       one = one->parent ? state.cap(*one->parent) : nullptr)
    if (is_limited(*one)) least = std::min(least.value_or(*one->uses_left), *one->uses_left);
  return least;
}

std::vector<base::CapId> limited_line(const JobState& state, const Capability& cap) {
  std::vector<base::CapId> out;
  for (const Capability* one = &cap; one != nullptr;
       one = one->parent ? state.cap(*one->parent) : nullptr)
    if (is_limited(*one)) out.push_back(one->id);
  return out;
}

bool is_trapdoor(std::string_view resource, std::span<const std::string> trapdoors) {
  return resource.starts_with("fs:") &&
         std::any_of(trapdoors.begin(), trapdoors.end(),
                     [&](const std::string& trapdoor) { return is_at(resource, trapdoor); });
}

bool names_trapdoors(const abi::Pattern& pattern, std::string_view place,
                     std::span<const std::string> trapdoors) {
  return !pattern.has_wildcard() ||
         std::all_of(trapdoors.begin(), trapdoors.end(), [&](const std::string& trapdoor) {
           return !is_at(place, trapdoor) || is_at(pattern.literal_prefix(), trapdoor);
         });
}

std::vector<std::string> builtin_trapdoors() {
  // clang-format off
  return {".git", ".git/hooks", ".git/config", ".gitmodules", ".gitconfig", ".config/git",
          ".envrc", ".bashrc", ".bash_profile", ".bash_login", ".profile", ".zshrc", ".zshenv", ".zprofile", ".zlogin",
          ".login", ".inputrc", ".ssh", ".npmrc", ".cargo/config.toml", ".gdbinit", ".husky", ".pre-commit-config.yaml",
          ".pre-commit-config.yml", ".bash_aliases", ".bash_logout", ".zlogout", ".xprofile", ".xinitrc", ".tmux.conf",
          ".vimrc", ".exrc", ".lldbinit", ".cargo/config", ".config/fish", ".config/nvim", ".config/autostart",
          ".config/systemd", ".gitattributes", "sitecustomize.py", "usercustomize.py", "CLAUDE.md", "AGENTS.md", "GEMINI.md", ".cursorrules",
          ".vscode", ".idea", ".devcontainer", ".claude", ".cursor", ".mcp.json",
          ".github/workflows", ".gitea/workflows", ".gitlab-ci.yml", ".circleci", "Jenkinsfile", ".alos"};
  // clang-format on
}

Decision decide(const JobState& state, std::uint32_t holder, const abi::Need& need,
                const base::Digest& call, base::Time now) {
  Tally tally(need, call, state.trapdoors);
  tally_all(state, holder, need, now, tally);
  Decision decision = tally.decision();
  if (decision.verdict == Verdict::allowed) decision.spends = spends_of(state, tally);
  if (decision.verdict == Verdict::asked) answer_beforehand(state, need, call, now, decision);
  return decision;
}

SubtreeView::SubtreeView(const JobState& state, std::uint32_t holder, const abi::Resource& top,
                         base::Time now)
    : trapdoors_(state.trapdoors) {
  const auto subtree =
      abi::Pattern::from_text(top.text() + (top.text().ends_with('/') ? "**" : "/**"));
  CHECK(subtree.has_value());
  for (const base::CapId id : state.index.of(holder)) {
    const Capability& cap = *state.cap(id);
    if (cap.bound_call || !cap.grant.resource.overlaps(*subtree)) continue;
    const bool spent = is_spent_ask(state, cap, now);
    if (!spent && !is_live(state, cap, now)) continue;
    // A walk spends nothing, so an allow of limited uses is not for it: it counts as not there for
    // reading, but hides nothing from a list.
    Capability copy = cap;
    copy.uses_left = uses_left(state, cap);
    (spent ? spent_ : caps_).push_back(std::move(copy));
  }
}

bool SubtreeView::shows(const abi::Resource& resource, abi::Right right) const {
  const abi::Need need{resource, right, abi::Reach::exact, {}};
  const base::Digest no_call{};
  Tally tally(need, no_call, trapdoors_);
  for (const Capability& cap : caps_)
    if (tally.wants(cap)) tally.add(cap);
  for (const Capability& ask : spent_)
    if (tally.wants(ask)) tally.add_spent(ask);
  if (right == abi::Right::list) {
    const Decision decision = tally.decision();
    return decision.verdict != Verdict::denied || decision.matched.empty();
  }
  return tally.verdict() == Verdict::allowed && tally.best().find([](const Capability& cap) {
    return cap.grant.effect == GrantEffect::allow && !is_limited(cap);
  }) != nullptr;
}

}  // namespace alos::core
