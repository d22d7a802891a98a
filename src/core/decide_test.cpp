// The decision: DESIGN section 5 as a table, every reason.
#include "core/decide.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

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

enum class Mark : std::uint8_t { live, revoked, used_up, of_another, bound, bound_elsewhere };

struct Held {
  const char* grant;
  Mark mark = Mark::live;
};

JobState holding(const std::vector<Held>& held) {
  JobState state;
  state.trapdoors = builtin_trapdoors();
  for (const Held& one : held) {
    Capability cap =
        capability(state.caps.size() + 1, one.mark == Mark::of_another ? 2 : 1, one.grant);
    cap.revoked = one.mark == Mark::revoked;
    if (one.mark == Mark::used_up) cap.uses_left = 0;
    if (one.mark == Mark::bound) cap.bound_call = kCall;
    if (one.mark == Mark::bound_elsewhere) cap.bound_call = Digest::of("another call");
    state.caps.push_back(cap);
  }
  state.reindex();
  return state;
}

abi::Need need(Right right, std::string_view resource) {
  return {Resource::from_text(resource).value(), right, Reach::exact};
}

constexpr std::string_view kNone = "no capability covers it";
constexpr std::string_view kDeny = "a deny covers it";
constexpr std::string_view kAsk = "a capability says to ask";
constexpr std::string_view kBound = "approved for this very call";
constexpr std::string_view kTrapdoor =
    "it is a trapdoor: other programs execute or obey it; only a grant that names it literally "
    "covers it";

struct Row {
  const char* name;
  std::vector<Held> held;
  Right right;
  const char* resource;
  Verdict verdict;
  std::vector<std::uint64_t> matched;
  std::string_view reason;
  std::uint64_t spends = 0;  // 0: nothing
};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Decision decision =
        decide(holding(row.held), 1, need(row.right, row.resource), kCall, kNow);
    EXPECT_EQ(base::name_of(decision.verdict), base::name_of(row.verdict));
    std::vector<std::uint64_t> matched;
    for (const CapId id : decision.matched) matched.push_back(id.value);
    std::sort(matched.begin(), matched.end());
    EXPECT_EQ(matched, row.matched);
    EXPECT_EQ(decision.reason, row.reason);
    EXPECT_EQ(decision.spends.empty() ? 0 : decision.spends.front().value, row.spends);
  }
}

constexpr auto kRead = Right::read, kWrite = Right::write;
constexpr auto kYes = Verdict::allowed, kAsked = Verdict::asked, kNo = Verdict::denied;

TEST(Decide, Covers) {
  check({
      {"nothing held", {}, kRead, "fs:/w/a", kNo, {}, kNone},
      {"allow", {{"read fs:/w/**"}}, kRead, "fs:/w/a", kYes, {1}, ""},
      {"exact", {{"read fs:/w/a"}}, kRead, "fs:/w/a", kYes, {1}, ""},
      {"one of several rights", {{"read,write fs:/w/**"}}, kWrite, "fs:/w/a", kYes, {1}, ""},
      {"another right", {{"read,list,execute fs:/w/**"}}, kWrite, "fs:/w/a", kNo, {}, kNone},
      {"another place", {{"read fs:/w/src/**"}}, kRead, "fs:/w/src2/a", kNo, {}, kNone},
      {"another scheme", {{"read object:7.1/**"}}, kRead, "fs:/w/a", kNo, {}, kNone},
      {"above", {{"read fs:/w/a/b"}}, kRead, "fs:/w/a", kNo, {}, kNone},
      {"ask", {{"read fs:/w/** ask"}}, kRead, "fs:/w/a", kAsked, {1}, kAsk},
      {"everything", {{"read fs:/**"}}, kRead, "fs:/", kYes, {1}, ""},
      {"absolute script",
       {{"execute model:script:/**"}},
       Right::execute,
       "model:script:/tmp/turns.jsonl",
       kYes,
       {1},
       ""},
      {"absolute script, denied",
       {{"execute model:**"}, {"execute model:script:/** deny"}},
       Right::execute,
       "model:script:/tmp/turns.jsonl",
       kNo,
       {2},
       kDeny},
  });
}

TEST(Decide, ADenyDominates) {
  check({
      {"over a wider allow",
       {{"read fs:/w/**"}, {"read fs:/w/.env deny"}},
       kRead,
       "fs:/w/.env",
       kNo,
       {2},
       kDeny},
      {"over a narrower allow",
       {{"read fs:/w/** deny"}, {"read fs:/w/a"}},
       kRead,
       "fs:/w/a",
       kNo,
       {1},
       kDeny},
      {"over an ask",
       {{"read fs:/w/a ask"}, {"read fs:/w/* deny"}},
       kRead,
       "fs:/w/a",
       kNo,
       {2},
       kDeny},
      {"over an approval of this call",
       {{"read fs:/w/** deny"}, {"read fs:/w/a uses=1", Mark::bound}},
       kRead,
       "fs:/w/a",
       kNo,
       {1},
       kDeny},
      {"all that deny are named",
       {{"read fs:/w/** deny"}, {"read fs:/w/a"}, {"read fs:/** deny"}},
       kRead,
       "fs:/w/a",
       kNo,
       {1, 3},
       kDeny},
      {"not beside it",
       {{"read fs:/w/**"}, {"read fs:/w/.env deny"}},
       kRead,
       "fs:/w/.env2",
       kYes,
       {1},
       ""},
      {"not of another right",
       {{"read,write fs:/w/**"}, {"write fs:/w/a deny"}},
       kRead,
       "fs:/w/a",
       kYes,
       {1},
       ""},
      {"not when revoked",
       {{"read fs:/w/**"}, {"read fs:/w/a deny", Mark::revoked}},
       kRead,
       "fs:/w/a",
       kYes,
       {1},
       ""},
      {"not when over",
       {{"read fs:/w/**"}, {"read fs:/w/a deny until=2025-01-01T00:00:00Z"}},
       kRead,
       "fs:/w/a",
       kYes,
       {1},
       ""},
      {"a trapdoor too",
       {{"write fs:/w/.git/hooks/** deny"}, {"write fs:/w/.git/hooks/x"}},
       kWrite,
       "fs:/w/.git/hooks/x",
       kNo,
       {1},
       kDeny},
  });
}

TEST(Decide, TheMostSpecificOfAskAndAllowWins) {
  check({
      {"allow within ask",
       {{"write fs:/w/src/**"}, {"write fs:/w/** ask"}},
       kWrite,
       "fs:/w/src/a",
       kYes,
       {1},
       ""},
      {"ask beside it",
       {{"write fs:/w/src/**"}, {"write fs:/w/** ask"}},
       kWrite,
       "fs:/w/doc",
       kAsked,
       {2},
       kAsk},
      {"ask within allow",
       {{"read fs:/w/**"}, {"read fs:/w/secrets/** ask"}},
       kRead,
       "fs:/w/secrets/a",
       kAsked,
       {2},
       kAsk},
      {"allow beside it",
       {{"read fs:/w/**"}, {"read fs:/w/secrets/** ask"}},
       kRead,
       "fs:/w/a",
       kYes,
       {1},
       ""},
      {"literal over star",
       {{"read fs:/w/* ask"}, {"read fs:/w/a"}},
       kRead,
       "fs:/w/a",
       kYes,
       {2},
       ""},
      {"star over subtree",
       {{"read fs:/w/* ask"}, {"read fs:/w/**"}},
       kRead,
       "fs:/w/a",
       kAsked,
       {1},
       kAsk},
      {"early literal over late literal",
       {{"read fs:/w/*/x"}, {"read fs:/*/a/x ask"}},
       kRead,
       "fs:/w/a/x",
       kYes,
       {1},
       ""},
      {"the place itself over its subtree",
       {{"read fs:/w/** ask"}, {"read fs:/w"}},
       kRead,
       "fs:/w",
       kYes,
       {2},
       ""},
      {"a tie asks",
       {{"read fs:/w/**"}, {"read fs:/w/** ask"}},
       kRead,
       "fs:/w/a",
       kAsked,
       {2},
       kAsk},
      {"a tie asks in either order",
       {{"read fs:/w/** ask"}, {"read fs:/w/**"}},
       kRead,
       "fs:/w/a",
       kAsked,
       {1},
       kAsk},
      {"equal allows", {{"read fs:/w/**"}, {"read fs:/w/**"}}, kRead, "fs:/w/a", kYes, {1, 2}, ""},
      {"the more specific one is over",
       {{"read fs:/w/** ask"}, {"read fs:/w/a until=2025-01-01T00:00:00Z"}},
       kRead,
       "fs:/w/a",
       kAsked,
       {1},
       kAsk},
  });
}

// A yes for more than one call is an allow as exact as the ask may be; it wins only over the ask
// that it answers.
TEST(Decide, AnAnsweredAskIsNotAskedAgain) {
  JobState state =
      holding({{"write fs:/w/a ask"}, {"write fs:/w/a uses=2"}, {"write fs:/w/a ask"}});
  const auto verdict = [&] {
    return decide(state, 1, need(kWrite, "fs:/w/a"), kCall, kNow).verdict;
  };
  EXPECT_EQ(verdict(), kAsked);
  state.caps[1].parent = CapId{1};
  EXPECT_EQ(verdict(), kAsked);  // the third asks too
  state.caps[2].revoked = true;
  const Decision decision = decide(state, 1, need(kWrite, "fs:/w/a"), kCall, kNow);
  EXPECT_EQ(decision.verdict, kYes);
  EXPECT_EQ(decision.matched, std::vector<CapId>{CapId{2}});
  EXPECT_EQ(decision.spends, std::vector<CapId>{CapId{2}});
  state.caps[1].uses_left = 0;
  EXPECT_EQ(verdict(), kAsked);
}

TEST(Decide, AnApprovalFitsItsCallOnly) {
  check({
      {"over an ask",
       {{"write fs:/w/** ask"}, {"write fs:/w/a uses=1", Mark::bound}},
       kWrite,
       "fs:/w/a",
       kYes,
       {2},
       kBound,
       2},
      {"even over a more specific ask",
       {{"write fs:/w/a ask"}, {"write fs:/w/** uses=1", Mark::bound}},
       kWrite,
       "fs:/w/a",
       kYes,
       {2},
       kBound,
       2},
      {"without a limit", {{"write fs:/w/a", Mark::bound}}, kWrite, "fs:/w/a", kYes, {1}, kBound},
      {"of another call",
       {{"write fs:/w/** ask"}, {"write fs:/w/a uses=1", Mark::bound_elsewhere}},
       kWrite,
       "fs:/w/a",
       kAsked,
       {1},
       kAsk},
      {"of another call alone",
       {{"write fs:/w/a uses=1", Mark::bound_elsewhere}},
       kWrite,
       "fs:/w/a",
       kNo,
       {},
       kNone},
      {"of this call for another place",
       {{"write fs:/w/a uses=1", Mark::bound}},
       kWrite,
       "fs:/w/b",
       kNo,
       {},
       kNone},
      {"opens a trapdoor it names",
       {{"write fs:/w/.envrc uses=1", Mark::bound}},
       kWrite,
       "fs:/w/.envrc",
       kYes,
       {1},
       kBound,
       1},
  });
}

TEST(Decide, OnlyTheLiveCount) {
  check({
      {"revoked", {{"read fs:/w/**", Mark::revoked}}, kRead, "fs:/w/a", kNo, {}, kNone},
      {"used up", {{"read fs:/w/** uses=3", Mark::used_up}}, kRead, "fs:/w/a", kNo, {}, kNone},
      {"expired", {{"read fs:/w/** until=2025-11-22T16:43:16Z"}}, kRead, "fs:/w/a", kNo, {}, kNone},
      {"expires now",
       {{"read fs:/w/** until=2025-11-22T16:43:17Z"}},
       kRead,
       "fs:/w/a",
       kNo,
       {},
       kNone},
      {"not yet",
       {{"read fs:/w/** until=2025-11-22T16:43:17.000001Z"}},
       kRead,
       "fs:/w/a",
       kYes,
       {1},
       ""},
      {"of another process",
       {{"read fs:/w/**", Mark::of_another}},
       kRead,
       "fs:/w/a",
       kNo,
       {},
       kNone},
      {"a deny of another process",
       {{"read fs:/w/**"}, {"read fs:/w/** deny", Mark::of_another}},
       kRead,
       "fs:/w/a",
       kYes,
       {1},
       ""},
      {"delegate-only is never exercised",
       {{"read fs:/w/** delegate-only"}},
       kRead,
       "fs:/w/a",
       kNo,
       {},
       kNone},
      {"nor does it hide another",
       {{"read fs:/w/a delegate-only"}, {"read fs:/w/** ask"}},
       kRead,
       "fs:/w/a",
       kAsked,
       {2},
       kAsk},
      {"delegate also is", {{"read fs:/w/** delegate"}}, kRead, "fs:/w/a", kYes, {1}, ""},
  });
}

TEST(Decide, UsesAreSpentSparingly) {
  check({
      {"one of one", {{"read fs:/w/a uses=1"}}, kRead, "fs:/w/a", kYes, {1}, "", 1},
      {"unlimited first",
       {{"read fs:/w/a uses=1"}, {"read fs:/w/a"}},
       kRead,
       "fs:/w/a",
       kYes,
       {1, 2},
       ""},
      {"the more specific is spent, though a wider is free",
       {{"read fs:/w/**"}, {"read fs:/w/a uses=2"}},
       kRead,
       "fs:/w/a",
       kYes,
       {2},
       "",
       2},
      {"an ask spends nothing", {{"read fs:/w/a ask uses=2"}}, kRead, "fs:/w/a", kAsked, {1}, kAsk},
      {"used up leaves the other",
       {{"read fs:/w/a uses=1", Mark::used_up}, {"read fs:/w/a uses=1"}},
       kRead,
       "fs:/w/a",
       kYes,
       {2},
       "",
       2},
  });
}

TEST(Decide, ATrapdoorIsNamedLiterally) {
  check({
      {"no wildcard",
       {{"write fs:/w/**"}},
       kWrite,
       "fs:/w/.git/hooks/pre-commit",
       kNo,
       {1},
       kTrapdoor},
      {"not even of the folder above",
       {{"write fs:/w/.git/**"}},
       kWrite,
       "fs:/w/.git/hooks/pre-commit",
       kNo,
       {1},
       kTrapdoor},
      {"nor one segment",
       {{"write fs:/w/.git/*"}},
       kWrite,
       "fs:/w/.git/config",
       kNo,
       {1},
       kTrapdoor},
      {"nor before it",
       {{"write fs:/*/.git/hooks/x"}},
       kWrite,
       "fs:/w/.git/hooks/x",
       kNo,
       {1},
       kTrapdoor},
      {"nor with ask", {{"write fs:/w/** ask"}}, kWrite, "fs:/w/.envrc", kNo, {1}, kTrapdoor},
      {"named whole",
       {{"write fs:/w/.git/hooks/pre-commit"}},
       kWrite,
       "fs:/w/.git/hooks/pre-commit",
       kYes,
       {1},
       ""},
      {"named, then a subtree",
       {{"write fs:/w/.git/hooks/**"}},
       kWrite,
       "fs:/w/.git/hooks/pre-commit",
       kYes,
       {1},
       ""},
      {"named, then a star",
       {{"write fs:/w/.git/hooks/*"}},
       kWrite,
       "fs:/w/.git/hooks/pre-commit",
       kYes,
       {1},
       ""},
      {"named, asking",
       {{"write fs:/w/**"}, {"write fs:/w/.github/workflows/** ask"}},
       kWrite,
       "fs:/w/.github/workflows/ci.yml",
       kAsked,
       {2},
       kAsk},
      {"workflows",
       {{"write fs:/w/**"}},
       kWrite,
       "fs:/w/.github/workflows/ci.yml",
       kNo,
       {1},
       kTrapdoor},
      {"beside them", {{"write fs:/w/**"}}, kWrite, "fs:/w/.github/CODEOWNERS", kYes, {1}, ""},
      {"deep down",
       {{"write fs:/w/**"}},
       kWrite,
       "fs:/w/sub/module/.git/hooks/x",
       kNo,
       {1},
       kTrapdoor},
      {"the place itself", {{"write fs:/w/**"}}, kWrite, "fs:/w/.vscode", kNo, {1}, kTrapdoor},
      {"only whole segments", {{"write fs:/w/**"}}, kWrite, "fs:/w/x.git/hooks/a", kYes, {1}, ""},
      {"only whole segments, at the end",
       {{"write fs:/w/**"}},
       kWrite,
       "fs:/w/.github/workflows2/a",
       kYes,
       {1},
       ""},
      {"the place alone", {{"write fs:/w/**"}}, kWrite, "fs:/w/.git", kNo, {1}, kTrapdoor},
      {"named alone", {{"write fs:/w/.git"}}, kWrite, "fs:/w/.git", kYes, {1}, ""},
      {"reading is free", {{"read fs:/w/**"}}, kRead, "fs:/w/.git/hooks/pre-commit", kYes, {1}, ""},
      {"objects have none", {{"write object:7.1/**"}}, kWrite, "object:7.1/.envrc", kYes, {1}, ""},
  });
}

TEST(Trapdoor, IsARunOfWholeSegments) {
  const std::vector<std::string> list{".git/hooks", ".envrc", "", "fs:/w"};
  struct One {
    std::string_view resource;
    bool trapdoor;
  };
  for (const One& one : std::vector<One>{{"fs:/w/.git/hooks", true},
                                         {"fs:/w/.git/hooks/a/b", true},
                                         {"fs:/.envrc", true},
                                         {"fs:/w/.git", false},
                                         {"fs:/w/.git/hooksx", false},
                                         {"fs:/w/x.envrc", false},
                                         {"fs:/w/.git/x/hooks", false},
                                         {"fs:/w/a", false},
                                         {"fs:/w/.git/hooksx/.git/hooks", true},
                                         {"fs:/", false},
                                         {"object:7.1/.envrc", false},
                                         {"", false}})
    EXPECT_EQ(is_trapdoor(one.resource, list), one.trapdoor) << one.resource;
  const auto built_in = builtin_trapdoors();
  for (const std::string_view file :
       {".git/hooks/x", ".git/config", ".envrc", ".github/workflows/ci.yml", ".vscode/tasks.json",
        ".bashrc", ".ssh/authorized_keys", ".alos/store.db"})
    EXPECT_TRUE(is_trapdoor("fs:/home/" + std::string(file), built_in)) << file;
  for (const std::string_view file : {"src/main.cc", ".gitignore", "README.md"})
    EXPECT_FALSE(is_trapdoor("fs:/home/" + std::string(file), built_in)) << file;
}

TEST(SubtreeView, HidesDeniedPartsAndIsACopy) {
  JobState state = holding(
      {{"read,list fs:/w/**"}, {"read,list fs:/w/.env deny"}, {"read fs:/w/secrets/** ask"}});
  const auto place = [](std::string_view text) { return Resource::from_text(text).value(); };
  const SubtreeView view(state, 1, place("fs:/w"), kNow);
  state.caps.clear();
  EXPECT_TRUE(view.shows(place("fs:/w/a"), Right::list));
  EXPECT_FALSE(view.shows(place("fs:/w/.env"), Right::list));
  EXPECT_FALSE(view.shows(place("fs:/w/.env"), Right::read));
  EXPECT_TRUE(view.shows(place("fs:/w/secrets/a"), Right::list));
  EXPECT_FALSE(view.shows(place("fs:/w/secrets/a"), Right::read)) << "asked is not allowed";
}

TEST(SubtreeView, OfTheLongestPath) {
  std::string text;
  while (text.size() + 256 <= base::kPathBytesMax) text += '/' + std::string(255, ' ');
  const Resource top = Resource::file(base::Path::parse(text).value());
  const SubtreeView view(holding({{"list fs:/**"}}), 1, top, kNow);
  EXPECT_TRUE(view.shows(top, Right::list));
  EXPECT_FALSE(view.shows(top, Right::read));
}

}  // namespace
}  // namespace alos::core::test
