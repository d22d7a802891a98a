// Handing on: whatever a receiver may do with what it was handed, its giver's capability covers;
// where the giver asks or is denied, so is the receiver.
#include "core/derive.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>

#include "core/test_job.h"

namespace alos::core::test {
namespace {

using abi::Grant;
using base::CapId;
using base::Digest;

const base::Time kNow{1'763'829'797'000'000};

JobState holding(const std::vector<std::string>& grants) {
  JobState state;
  state.trapdoors = {".git/hooks"};
  for (const std::string& grant : grants)
    state.caps.push_back(capability(state.caps.size() + 1, 1, grant));
  state.reindex();
  return state;
}

// Gives process 2 what was derived.
void hand(JobState& state, const std::vector<Derived>& derived) {
  for (const Derived& one : derived) {
    Capability cap;
    cap.id = CapId{state.caps.size() + 1};
    cap.holder = 2;
    cap.grant = one.grant;
    cap.uses_left = one.grant.uses;
    cap.parent = one.parent;
    cap.from = "process:7.1";
    state.caps.push_back(cap);
    state.index.add(state.caps.back());
  }
}

std::vector<std::string> texts(const std::vector<Derived>& derived) {
  std::vector<std::string> out;
  for (const Derived& one : derived)
    out.push_back(std::to_string(one.parent.value) + " " + one.grant.to_text());
  return out;
}

struct Row {
  const char* name;
  std::vector<std::string> held;
  const char* wanted;
  std::vector<std::string> derived;  // empty: refused
  const char* why = "";
};

// clang-format off: one row a case
TEST(Derive, HandsOnNoMoreThanIsHeld) {
  const std::vector<Row> rows{
      {"the same", {"write fs:/w/** delegate"}, "write fs:/w/**", {"1 write fs:/w/**"}},
      {"a part", {"read,write fs:/w/** delegate"}, "read fs:/w/src/a", {"1 read fs:/w/src/a"}},
      {"more rights", {"read fs:/w/** delegate"}, "read,write fs:/w/**", {}, "nothing that is held covers it"},
      {"a wider place", {"read fs:/w/src/** delegate"}, "read fs:/w/**", {}, "nothing that is held covers it"},
      {"a longer name", {"read fs:/w/src/** delegate"}, "read fs:/w/src2/**", {}, "nothing that is held covers it"},
      {"not to be handed on", {"read fs:/w/**"}, "read fs:/w/**", {}, "held for use only"},
      {"only to be handed on", {"read fs:/w/** delegate-only"}, "read fs:/w/a", {"1 read fs:/w/a"}},
      {"to hand on further", {"read fs:/w/** delegate-only"}, "read fs:/w/a delegate", {"1 read fs:/w/a delegate"}},
      {"no later", {"read fs:/w/** until=2027-01-01T00:00:00Z delegate"}, "read fs:/w/a", {"1 read fs:/w/a until=2027-01-01T00:00:00.000000Z"}},
      {"sooner", {"read fs:/w/** until=2027-01-01T00:00:00Z delegate"}, "read fs:/w/a until=2026-01-01T00:00:00Z", {"1 read fs:/w/a until=2026-01-01T00:00:00.000000Z"}},
      {"over", {"read fs:/w/** until=2025-01-01T00:00:00Z delegate"}, "read fs:/w/a", {}, "nothing that is held covers it"},
      {"a condition dropped", {"write fs:/w/** name=*.md delegate"}, "write fs:/w/**", {}, "nothing that is held covers it"},
      {"a condition kept", {"write fs:/w/** name=*.md delegate"}, "write fs:/w/** name=*.md bytes<=9", {"1 write fs:/w/** name=*.md bytes<=9"}},
      {"a condition narrowed", {"write fs:/w/** bytes<=9 delegate"}, "write fs:/w/a bytes<=8", {"1 write fs:/w/a bytes<=8"}},
      {"a condition widened", {"write fs:/w/** bytes<=9 delegate"}, "write fs:/w/a bytes<=10", {}, "nothing that is held covers it"},
      {"a place in the set", {"write fs:/w/** under=fs:/w/a/**|fs:/w/b/** delegate"}, "write fs:/w/b/c", {"1 write fs:/w/b/c"}},
      {"an ask as an allow", {"write fs:/w/** ask delegate"}, "write fs:/w/a", {}, "held as an ask only"},
      {"an ask as an ask", {"write fs:/w/** ask delegate"}, "write fs:/w/a ask", {"1 write fs:/w/a ask"}},
      {"fewer who must agree", {"write fs:/w/** ask 2 of a,b delegate"}, "write fs:/w/a ask", {}, "held as an ask only"},
      {"a deny goes along", {"write fs:/w/** delegate", "write fs:/w/*/key deny"}, "write fs:/w/a/**", {"1 write fs:/w/a/**", "2 write fs:/w/a/key deny"}},
      {"a narrower ask goes along", {"write fs:/w/** delegate", "read,write fs:/w/docs/** ask"}, "write fs:/w/**", {"1 write fs:/w/**", "2 write fs:/w/docs/** ask"}},
      {"a wider ask does not", {"write fs:/w/src/** delegate", "write fs:/w/** ask"}, "write fs:/w/src/a", {"1 write fs:/w/src/a"}},
      {"an ask of other rights does not", {"write fs:/w/** delegate", "read fs:/w/docs/** ask"}, "write fs:/w/**", {"1 write fs:/w/**"}},
      {"a trapdoor by a wildcard", {"write fs:/w/** delegate"}, "write fs:/w/.git/hooks/run", {}, "trapdoor"},
      {"a trapdoor by its name", {"write fs:/w/.git/hooks/** delegate"}, "write fs:/w/.git/hooks/run", {"1 write fs:/w/.git/hooks/run"}},
      {"a deny", {"read fs:/w/** delegate"}, "read fs:/w/a deny", {}, "a deny is not handed on"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const JobState state = holding(row.held);
    const auto got = derive(state, 1, Grant::from_text(row.wanted).value(), kNow);
    EXPECT_EQ(got.has_value(), !row.derived.empty());
    if (got) {
      EXPECT_EQ(texts(*got), row.derived);
    } else {
      EXPECT_NE(got.error().what.find(row.why), std::string::npos) << got.error().what;
    }
  }
}
// clang-format on

std::string any_body(const std::vector<std::string>& letters, int segments_max) {
  std::string out = "fs:";
  for (int i = *rc::gen::inRange(1, segments_max + 1); i > 0; --i) {
    const std::string segment = *rc::gen::elementOf(letters);
    out += '/' + segment;
    if (segment == "**") break;
  }
  return out;
}

std::string any_grant(const std::vector<std::string>& options) {
  return *rc::gen::element<std::string>("read", "write", "read,write", "read,write,list") + ' ' +
         any_body({"w", "w", "src", "a", "*", "**", "**", ".git", "hooks"}, 4) +
         *rc::gen::elementOf(options);
}

abi::Need any_need() {
  abi::Need need{abi::Resource::from_text(any_body({"w", "src", "a", ".git", "hooks"}, 5)).value(),
                 *rc::gen::element(abi::Right::read, abi::Right::write, abi::Right::list),
                 abi::Reach::exact,
                 {}};
  need.facts.bytes = *rc::gen::element<std::uint64_t>(1, 50, 500);
  return need;
}

// Verdicts from strict to lax.
int laxity(Verdict verdict) {
  return verdict == Verdict::denied ? 0 : verdict == Verdict::asked ? 1 : 2;
}

// A giver's own verdict where what it may only hand on counts as its own.
Verdict of_giver(JobState state, const abi::Need& need) {
  for (Capability& cap : state.caps)
    if (cap.holder == 1) cap.grant.delegation = abi::Delegation::none;
  return decide(state, 1, need, Digest{}, kNow).verdict;
}

TEST(Derive, NoReceiverMayMoreThanItsGiver) {
  std::size_t handed = 0, allowed = 0;
  const bool holds = rc::check("derived authority is a part of the giver's", [&] {
    for (int set = 0; set < 40; ++set) {
      std::vector<std::string> grants;
      for (int i = *rc::gen::inRange(1, 7); i > 0; --i)
        grants.push_back(any_grant({" delegate", " delegate", " delegate-only", " ask", " deny", "",
                                    " ask delegate", " bytes<=100 delegate", " bytes<=100 ask",
                                    " name=a|src delegate", " uses=2 delegate"}));
      JobState state = holding(grants);
      // Several at once: pieces must not add up to more either.
      for (int i = 0; i < 3; ++i) {
        const auto wanted = Grant::from_text(
            any_grant({"", "", " delegate", " ask", " bytes<=100", " bytes<=10", " name=a"}));
        const auto derived = derive(state, 1, *wanted, kNow);
        if (!derived) continue;
        hand(state, *derived);
        ++handed;
      }
      for (int question = 0; question < 12; ++question) {
        const abi::Need need = any_need();
        const Verdict receiver = decide(state, 2, need, Digest{}, kNow).verdict;
        const Verdict giver = of_giver(state, need);
        if (laxity(receiver) > laxity(giver))
          RC_LOG() << base::name_of(need.right) << ' ' << need.resource.text() << " of "
                   << base::to_json(state.caps) << '\n';
        RC_ASSERT(laxity(receiver) <= laxity(giver));
        if (receiver == Verdict::allowed) ++allowed;
      }
    }
  });
  EXPECT_TRUE(holds);
  EXPECT_GT(handed, 1000U);
  EXPECT_GT(allowed, 300U);
}

TEST(Derive, UsesAreShared) {
  JobState state = holding({"write fs:/w/** uses=3 delegate"});
  hand(state, derive(state, 1, *Grant::from_text("write fs:/w/a uses=2"), kNow).value());
  const abi::Need need{
      abi::Resource::from_text("fs:/w/a").value(), abi::Right::write, abi::Reach::exact, {}};
  EXPECT_EQ(decide(state, 2, need, Digest{}, kNow).spends, (std::vector<CapId>{{2}, {1}}));
  EXPECT_EQ(uses_left(state, state.caps[1]), 2U);
  state.caps[0].uses_left = 1;
  EXPECT_EQ(uses_left(state, state.caps[1]), 1U);
  state.caps[0].uses_left = 0;
  EXPECT_EQ(decide(state, 2, need, Digest{}, kNow).verdict, Verdict::denied);
}

TEST(Derive, RevokingIsTotal) {
  std::size_t revoked = 0;
  const bool holds = rc::check("nothing below a revoked capability decides", [&] {
    JobState state = holding({"read fs:/w/** delegate", "read fs:/w/a/** delegate"});
    for (int i = 0; i < 30; ++i) {
      Capability cap =
          capability(state.caps.size() + 1, *rc::gen::inRange(1U, 4U), "read fs:/w/a delegate");
      cap.parent = CapId{*rc::gen::inRange<std::uint64_t>(1, state.caps.size() + 1)};
      state.caps.push_back(cap);
    }
    state.reindex();
    const CapId top{*rc::gen::inRange<std::uint64_t>(1, state.caps.size() + 1)};
    const auto gone = subtree(state, top);
    for (const CapId id : gone) state.caps[id.value - 1].revoked = true;
    revoked += gone.size();
    for (const Capability& cap : state.caps) {
      bool below = false;
      for (const Capability* one = &cap; one != nullptr;
           one = one->parent ? state.cap(*one->parent) : nullptr)
        below = below || one->id == top;
      RC_ASSERT(is_live(state, cap, kNow) == !below);
    }
  });
  EXPECT_TRUE(holds);
  EXPECT_GT(revoked, 200U);
}

}  // namespace
}  // namespace alos::core::test
