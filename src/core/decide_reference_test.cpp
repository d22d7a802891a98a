// The decision agrees with an independent reference over many capability sets, and so do views of
// subtrees.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/decide.h"
#include "core/test_job.h"

namespace alos::core::test {
namespace {

using abi::Delegation;
using abi::GrantEffect;
using abi::Reach;
using abi::Resource;
using abi::Right;
using base::CapId;
using base::Digest;
using base::Time;

const Time kNow{1'763'829'797'000'000};
const Digest kCall = Digest::of("this call");

abi::Need need(Right right, std::string_view resource) {
  return {Resource::from_text(resource).value(), right, Reach::exact};
}

// ---- an independent reference ----

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out(1);
  for (const char c : text) c == '/' ? out.emplace_back() : out.back() += c, void();
  return out;
}

bool covers(const std::vector<std::string>& pattern, const std::vector<std::string>& place) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == "**") return true;
    if (i >= place.size() || (pattern[i] != "*" && pattern[i] != place[i])) return false;
  }
  return pattern.size() == place.size();
}

// Literal, star, subtree; an exact pattern is as one of literals without end.
std::vector<int> weights(const std::vector<std::string>& pattern) {
  std::vector<int> out(12, pattern.back() == "**" ? 0 : 2);
  for (std::size_t i = 0; i < pattern.size(); ++i)
    out[i] = pattern[i] == "**" ? 0 : pattern[i] == "*" ? 1 : 2;
  return out;
}

bool names_trapdoor(const std::vector<std::string>& path) {  // the world below has one: .git/hooks
  for (std::size_t i = 0; i + 1 < path.size(); ++i)
    if (path[i] == ".git" && path[i + 1] == "hooks") return true;
  return false;
}

bool opens_trapdoor(const std::vector<std::string>& pattern) {
  const auto wild = std::find_if(pattern.begin(), pattern.end(),
                                 [](const std::string& s) { return s.starts_with('*'); });
  return wild == pattern.end() || names_trapdoor({pattern.begin(), wild});
}

Verdict reference(const JobState& state, std::uint32_t holder, const abi::Need& asked,
                  const Digest& call) {
  const auto place = split(asked.resource.text());
  bool approved = false;
  std::vector<int> best;
  Verdict verdict = Verdict::denied;
  for (const Capability& cap : state.caps) {
    const auto pattern = split(cap.grant.resource.text());
    const bool live =
        !cap.revoked && cap.uses_left != 0U && !(cap.grant.until && *cap.grant.until <= kNow);
    if (cap.holder != holder || !live || !cap.grant.rights.has(asked.right) ||
        cap.grant.delegation == Delegation::only)
      continue;
    if ((cap.bound_call && *cap.bound_call != call) || !covers(pattern, place)) continue;
    if (cap.grant.effect == GrantEffect::deny) return Verdict::denied;
    if (asked.right == Right::write && names_trapdoor(place) && !opens_trapdoor(pattern)) continue;
    if (cap.bound_call) approved = true;
    const auto weight = weights(pattern);
    const Verdict says = cap.grant.effect == GrantEffect::ask ? Verdict::asked : Verdict::allowed;
    if (cap.bound_call || weight < best) continue;
    verdict = weight > best ? says : std::max(verdict, says);  // asked comes after allowed
    best = weight;
  }
  return approved ? Verdict::allowed : verdict;
}

std::string any_body(const std::vector<std::string>& letters, int segments_max) {
  std::string out = "fs:";
  for (int i = *rc::gen::inRange(1, segments_max + 1); i > 0; --i) {
    const std::string segment = *rc::gen::elementOf(letters);
    out += '/' + segment;
    if (segment == "**") break;
  }
  return out;
}

std::string any_place() { return any_body({"w", "src", "a", ".git", "hooks"}, 5); }

JobState any_state(std::size_t caps_max) {
  JobState state;
  state.trapdoors = {".git/hooks"};
  const auto count = *rc::gen::inRange<std::size_t>(0, caps_max + 1);
  while (state.caps.size() < count) {
    const std::string options = *rc::gen::element<std::string>(
        "", "", "", " ask", " ask", " deny", " uses=2", " delegate", " delegate-only",
        " until=2025-01-01T00:00:00Z", " until=2027-01-01T00:00:00Z");
    const std::string rights = *rc::gen::element<std::string>("read", "write", "read,write",
                                                              "write,list", "list", "read,list");
    const std::string grant =
        rights + ' ' + any_body({"w", "w", "src", "a", "*", "**", "**", ".git", "hooks"}, 4) +
        options;
    Capability cap = capability(state.caps.size() + 1, *rc::gen::element(1U, 1U, 1U, 2U), grant);
    cap.revoked = *rc::gen::inRange(0, 10) == 0;
    if (cap.uses_left && *rc::gen::arbitrary<bool>()) cap.uses_left = 0;
    if (*rc::gen::inRange(0, 8) == 0)
      cap.bound_call = *rc::gen::element(kCall, Digest::of("another"));
    state.caps.push_back(std::move(cap));
  }
  state.reindex();
  return state;
}

const char* right_name(Right right) { return base::name_of(right).data(); }

// 2,500 capability sets by 8 questions: 20,000 decisions, which must meet every verdict.
TEST(Decide, AgreesWithTheReference) {
  std::array<std::size_t, 3> met{};
  const bool holds = rc::check("decide agrees with the reference", [&] {
    for (int set = 0; set < 25; ++set) {
      const JobState state = any_state(8);
      for (int question = 0; question < 8; ++question) {
        const abi::Need asked =
            need(*rc::gen::element(Right::read, Right::write, Right::list), any_place());
        const std::uint32_t holder = *rc::gen::element(1U, 1U, 2U);
        const Decision decision = decide(state, holder, asked, kCall, kNow);
        const Verdict expected = reference(state, holder, asked, kCall);
        if (decision.verdict != expected)
          RC_LOG() << right_name(asked.right) << ' ' << asked.resource.text() << " of "
                   << base::to_json(state.caps) << '\n';
        RC_ASSERT(decision.verdict == expected);
        RC_ASSERT(decision.verdict == Verdict::denied || !decision.matched.empty());
        RC_ASSERT(decision.verdict == Verdict::allowed || !decision.reason.empty());
        for (const CapId id : decision.spends)
          RC_ASSERT(decision.verdict == Verdict::allowed && *state.cap(id)->uses_left > 0);
        ++met[static_cast<std::size_t>(expected)];
      }
    }
  });
  EXPECT_TRUE(holds);
  for (const std::size_t count : met) EXPECT_GT(count, 100U);
}

TEST(SubtreeView, ShowsWhatDecideWouldAllow) {
  std::array<std::size_t, 2> met{};
  const bool holds = rc::check("shows agrees with decide", [&] {
    for (int set = 0; set < 25; ++set) {
      const JobState state = any_state(8);
      const std::string top =
          *rc::gen::element<std::string>("fs:/", "fs:/w", "fs:/w/src", "fs:/w/.git");
      const SubtreeView view(state, 1, Resource::from_text(top).value(), kNow);
      for (int i = 0; i < 8; ++i) {
        const std::string place = top == "fs:/" ? any_place() : top + any_place().substr(3);
        const abi::Need asked =
            need(*rc::gen::element(Right::read, Right::write, Right::list), place);
        const Decision decision = decide(state, 1, asked, Digest{}, kNow);
        const bool refused = decision.verdict == Verdict::denied && !decision.matched.empty();
        const bool expected = asked.right == Right::list
                                  ? !refused
                                  : decision.verdict == Verdict::allowed &&
                                        decision.spends.empty();  // a walk spends nothing
        if (view.shows(asked.resource, asked.right) != expected)
          RC_LOG() << right_name(asked.right) << ' ' << place << " of " << base::to_json(state.caps)
                   << '\n';
        RC_ASSERT(view.shows(asked.resource, asked.right) == expected);
        ++met[expected ? 1 : 0];
      }
    }
  });
  EXPECT_TRUE(holds);
  for (const std::size_t count : met) EXPECT_GT(count, 100U);
}

}  // namespace
}  // namespace alos::core::test
