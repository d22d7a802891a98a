// fold: a state is what its lines say, and no line can be changed, left out, moved or put in
// unseen.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

#include "core/test_job.h"

namespace alos::core::test {
namespace {

using base::Code;

// A job of many kinds of records.
const TestJob& life() {
  static const TestJob made = [] {
    TestJob job;
    job.put(JobCreated{"owner", {{"workspace", "/home/me/w"}}, {".git/hooks"}});
    job.put(JobOpened{1});
    job.put(spawned(1, 0, "root"));
    job.put(CapGranted{capability(1, 1, "write fs:/workspace/** ask uses=3")});
    job.put(CapGranted{capability(2, 1, "read fs:/workspace/** until=2027-01-01T00:00:00Z")});
    for (std::uint32_t turn = 1; turn <= 5; ++turn) {
      const std::uint64_t first = turn * 2U - 1U;
      job.put(TurnStarted{{first}, turn});
      job.put(intended(first, 1));
      job.put(CallSettled{
          {first},
          1,
          OutcomeKind::done,
          base::RawJson{
              R"({"text":"t","tool_calls":[{"id":"c","name":"n","arguments":"{}"}],"input_tokens":1,"output_tokens":2,"finish":"tool_calls"})"},
          {},
          {1, 2, 1, 0, 3}});
      job.put(ToolCalled{{first + 1}, "n", "c", {}});
      job.put(intended(first + 1, 1,
                       turn <= 3 ? std::vector<base::CapId>{{1}} : std::vector<base::CapId>{}));
      job.put(CallSettled{
          {first + 1}, 1, turn == 2 ? OutcomeKind::unknown : OutcomeKind::done, {}, {}, {}});
      job.put(AuthorityDecided{{first + 1},
                               2,
                               "fs.read",
                               abi::Resource::from_text("fs:/workspace/.env").value(),
                               abi::Right::read,
                               Verdict::denied,
                               {},
                               "no"});
      job.put(CallObserved{{first + 1},
                           2,
                           "fs.read",
                           base::Digest::of("d"),
                           {},
                           base::Error{Code::denied, "no", ""}});
      job.put(ObjectPut{"7.1", "notes", "text", turn,
                        base::Json::trusted("{\"n\":" + std::to_string(turn) + "}")});
      job.put(ToolReturned{{first + 1}, "n", true, base::Json::trusted(R"({"ok":true})"), {}});
    }
    job.put(ToolCalled{{11}, "n", {}, base::Text(std::string(3000, 'x'))});
    job.put(opened(1, RequestKind::approval));
    job.put(CallWaiting{{11},
                        1,
                        "fs.write",
                        base::Digest::of("w"),
                        base::Time{1'800'000'000'000'000},
                        base::RequestId{1}});
    job.put(HumanTold{"owner", "waiting"});
    job.put(CapRevoked{{{2}}, "owner"});
    return job;
  }();
  return made;
}

std::vector<std::string> split_lines(const std::string& lines) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = lines.find('\n', at);
    out.push_back(lines.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::string join(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) (out += line) += '\n';
  return out;
}

// What a reader sees: whether it folds, and whether the end is the one that was promised.
bool sound(const std::string& lines, const base::Digest& head) {
  JobState state;
  return fold(state, lines).has_value() && state.head == head;
}

TEST(Fold, GivesTheStateThatLived) {
  JobState state;
  const auto done = fold(state, life().lines);
  ASSERT_TRUE(done.has_value()) << done.error().what;
  EXPECT_EQ(state.head, life().state.head);
  // A payload too large for a record is a reference once read; in everything else the two are the
  // same bytes.
  EXPECT_EQ(encode_state(state), encode_state(life().state));
  EXPECT_GT(state.seq, 55U);
}

TEST(Fold, GoesOnFromAnyPlace) {
  const auto lines = split_lines(life().lines);
  for (std::size_t cut = 0; cut <= lines.size(); cut += 7) {
    JobState state;
    ASSERT_TRUE(fold(state, join({lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(cut)}))
                    .has_value());
    const auto resumed = decode_state(encode_state(state));  // a snapshot in between
    ASSERT_TRUE(cut == 0 || resumed.has_value());
    JobState rest = cut == 0 ? JobState{} : *resumed;
    ASSERT_TRUE(fold(rest, join({lines.begin() + static_cast<std::ptrdiff_t>(cut), lines.end()}))
                    .has_value());
    EXPECT_EQ(encode_state(rest), encode_state(life().state)) << "cut after " << cut;
  }
}

TEST(Fold, AnyChangedByteIsSeen) {
  const std::string& lines = life().lines;
  const base::Digest head = life().state.head;
  ASSERT_TRUE(sound(lines, head));
  for (std::size_t at = 0; at < lines.size(); at += 13) {
    std::string changed = lines;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    ASSERT_FALSE(sound(changed, head)) << "byte " << at << " of " << lines.substr(at, 40);
  }
}

TEST(Fold, ALineLeftOutMovedOrPutInIsSeen) {
  const auto lines = split_lines(life().lines);
  const base::Digest head = life().state.head;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto without = lines, twice = lines, swapped = lines, replaced = lines;
    const auto at = static_cast<std::ptrdiff_t>(i);
    without.erase(without.begin() + at);
    twice.insert(twice.begin() + at, lines[i]);
    EXPECT_FALSE(sound(join(without), head)) << "without line " << i;
    EXPECT_FALSE(sound(join(twice), head)) << "line " << i << " twice";
    if (i + 1 < lines.size()) {
      std::swap(swapped[i], swapped[i + 1]);
      EXPECT_FALSE(sound(join(swapped), head)) << "lines " << i << " and the next swapped";
    }
  }
}

// With the numbers made to fit, only the chain tells.
TEST(Fold, ARenumberedForgeryHasAnotherHead) {
  TestJob forged;
  const auto lines = split_lines(life().lines);
  for (const std::string& line : lines) {
    Record record = parse_record(line).value();
    if (std::holds_alternative<AuthorityDecided>(record.body))
      continue;  // the refusals never happened
    ASSERT_TRUE(forged.add(record.body, record.process).has_value());
  }
  EXPECT_LT(forged.state.seq, life().state.seq);
  JobState state;
  ASSERT_TRUE(fold(state, forged.lines).has_value()) << "well-formed in itself";
  EXPECT_NE(state.head, life().state.head);
}

TEST(Fold, ACutLineIsCorrupt) {
  const std::string& lines = life().lines;
  JobState state;
  const auto cut = fold(state, std::string_view(lines).substr(0, lines.size() - 1));
  ASSERT_FALSE(cut.has_value());
  EXPECT_EQ(cut.error().code, Code::corrupt);
  EXPECT_NE(cut.error().what.find("cut off"), std::string::npos);
  JobState other;
  EXPECT_EQ(fold(other, "{}\n").error().code, Code::corrupt);
  EXPECT_TRUE(fold(other, "").has_value());
}

TEST(State, IsWrittenAndRead) {
  const JobState& state = life().state;
  const std::string text = encode_state(state);
  const auto back = decode_state(text);
  ASSERT_TRUE(back.has_value()) << back.error().what;
  EXPECT_EQ(encode_state(*back), text);
  EXPECT_EQ(back->process(1)->transcript.head(), state.process(1)->transcript.head());
  std::vector<std::uint64_t> before, after;  // the index is made anew
  state.index.candidates(1, "fs:/workspace/a", [&](base::CapId id) { before.push_back(id.value); });
  back->index.candidates(1, "fs:/workspace/a", [&](base::CapId id) { after.push_back(id.value); });
  EXPECT_EQ(before, after);
  EXPECT_EQ(before, std::vector<std::uint64_t>{1});
}

TEST(State, RefusesWhatIsNone) {
  for (const std::string_view text : {"", "{}", "[]", R"({"job":7})"}) {
    const auto bad = decode_state(text);
    ASSERT_FALSE(bad.has_value()) << text;
    EXPECT_EQ(bad.error().code, Code::corrupt);
    EXPECT_NE(bad.error().details.find("store rebuild"), std::string::npos);
  }
}

TEST(State, LooksUpByNumberOnly) {
  const JobState& state = life().state;
  EXPECT_EQ(state.process(0), nullptr);
  EXPECT_EQ(state.process(2), nullptr);
  EXPECT_EQ(state.cap({0}), nullptr);
  EXPECT_EQ(state.cap({3}), nullptr);
  EXPECT_EQ(state.request({2}), nullptr);
  EXPECT_EQ(state.process(1)->number, 1U);
  EXPECT_EQ(state.cap({2})->id.value, 2U);
}

// The index finds everything that matches, whatever the patterns look like.
RC_GTEST_PROP(CapabilityIndex, MissesNoMatchAndListsNothingTwice, ()) {
  static const std::vector<std::string> kSegments{"a", "b", "https:", "", "*", "**"};
  const std::string scheme = *rc::gen::element<std::string>("object:", "net:", "model:");
  const auto body = [&](std::size_t kinds) {
    std::string out;
    for (int i = *rc::gen::inRange(1, 5); i > 0; --i) {
      const std::string segment = kSegments[*rc::gen::inRange<std::size_t>(0, kinds)];
      out += segment;
      if (segment == "**" || i == 1) break;
      out += '/';
    }
    return out;
  };
  CapabilityIndex index;
  std::vector<Capability> caps;
  for (int i = 0; i < 6; ++i) {
    const auto pattern = abi::Pattern::from_text(scheme + body(kSegments.size()));
    if (!pattern) continue;
    caps.push_back(capability(caps.size() + 1, 1, "read fs:/a"));
    caps.back().grant.resource = *pattern;
    index.add(caps.back());
  }
  const auto place = abi::Resource::from_text(scheme + body(4)).value();
  std::vector<int> found(caps.size(), 0);
  index.candidates(1, place.text(), [&](base::CapId id) { ++found[id.value - 1]; });
  for (const Capability& cap : caps) {
    RC_ASSERT(found[cap.id.value - 1] <= 1);
    if (cap.grant.resource.matches(place)) RC_ASSERT(found[cap.id.value - 1] == 1);
    index.remove(cap);
  }
  index.candidates(1, place.text(), [&](base::CapId) { RC_FAIL("removed, and still found"); });
}

}  // namespace
}  // namespace alos::core::test
