// apply: what each kind does to a job, and that a record which does not fit changes nothing.
#include "core/apply.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/decide.h"
#include "core/test_job.h"

namespace alos::core::test {
namespace {

using abi::ProcessState;
using base::CapId;
using base::Code;

base::Path path(std::string_view text) { return base::Path::parse(text).value(); }

constexpr const char* kReply =
    R"({"text":"thinking","tool_calls":[{"id":"c1","name":"read_file","arguments":"{}"}],"input_tokens":10,"output_tokens":5,"finish":"tool_calls"})";

// Process 1 has a tool call from outside open (1) with an intent (1), an outcome (2) and a wait for
// request 1 (3); process 2 is in a turn (1) with its intent (1); process 3 was killed. Capability 1
// has one use left, 2 has no limit. Request 2 is answered. Object notes is at version 1.
TestJob busy() {
  TestJob job;
  job.put(JobCreated{"owner", {{"workspace", "/home/me/w"}}, builtin_trapdoors()});
  job.put(spawned(1, 0, "root"));
  job.put(spawned(2, 1, "helper"));
  job.put(spawned(3, 1, "gone"));
  job.put(ProcessKilled{"owner", "kill"}, 3);
  job.put(CapGranted{capability(1, 1, "write fs:/workspace/a uses=1")});
  job.put(CapGranted{capability(2, 1, "read fs:/workspace/**")});
  job.put(ToolCalled{{1}, "read_file", {}, base::Text("{}")});
  job.put(intended(1, 1));
  job.put(CallObserved{{1}, 2, "time.now", base::Digest::of("x"), base::RawJson{"{}"}, {}});
  job.put(opened(1, RequestKind::question));
  job.put(opened(2, RequestKind::approval));
  job.put(RequestAnswered{{2}, AnswerKind::denied, "owner", "", "no"});
  job.put(CallWaiting{{1}, 3, "human.ask", base::Digest::of("y"), {}, base::RequestId{1}});
  job.put(ObjectPut{"7.1", "notes", "text", 1, base::Json::trusted("\"a\"")});
  job.put(TurnStarted{{1}, 1}, 2);
  CallIntended turn = intended(1, 1);
  turn.effect = abi::EffectClass::repeatable;
  turn.name = "model.generate";
  job.put(turn, 2);
  return job;
}

struct Misfit {
  const char* name;
  Body body;
  std::uint32_t process;
  std::string_view why;
};

void expect_misfits(const std::vector<Misfit>& rows) {
  const TestJob before = busy();
  for (const Misfit& row : rows) {
    SCOPED_TRACE(row.name);
    TestJob job = before;
    const auto done = job.add(row.body, row.process);
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, Code::corrupt);
    EXPECT_NE(done.error().what.find(row.why), std::string::npos) << done.error().what;
    EXPECT_NE(done.error().what.find("record 7:18"), std::string::npos)
        << "does not say where: " << done.error().what;
    EXPECT_EQ(encode_state(job.state), encode_state(before.state))
        << "a record that does not fit has changed the state";
  }
}

TEST(Apply, OnlyTheLivingActAndChange) {
  constexpr std::string_view kWhy = "its process does not exist or has ended";
  const std::vector<Body> bodies{ProcessMoved{path("/workspace")},
                                 ProcessPaused{"owner", ""},
                                 ProcessResumed{"owner"},
                                 ProcessExiting{"r"},
                                 ProcessExited{"r"},
                                 ProcessFailed{{}},
                                 ProcessKilled{"owner", ""},
                                 TurnStarted{{1}, 1},
                                 ToolCalled{{1}, "t", {}, {}},
                                 ToolReturned{{1}, "t", true, {}, {}},
                                 intended(1, 1),
                                 CallSettled{{1}, 1, OutcomeKind::done, {}, {}, {}},
                                 CallObserved{{1}, 1, "n", {}, {}, {}},
                                 CallWaiting{{1}, 1, "n", {}, {}, {}},
                                 opened(3, RequestKind::question)};
  std::vector<Misfit> rows;
  for (const Body& body : bodies)
    for (const std::uint32_t process : {3U, 4U, 0U})
      rows.push_back({"ended, unknown, none", body, process, kWhy});
  expect_misfits(rows);
}

TEST(Apply, RefusesWhatDoesNotFit) {
  CapGranted gap{capability(4, 1, "read fs:/w")}, homeless{capability(3, 9, "read fs:/w")};
  expect_misfits({
      {"a second beginning", JobCreated{"other", {}, {}}, 1,
       "a job is created by its first record"},
      {"a process number left out", spawned(5, 1, "x"), 1, "its number is not the next"},
      {"a process number again", spawned(3, 1, "x"), 1, "its number is not the next"},
      {"a capability number left out", gap, 1, "its id is not the next"},
      {"a capability of nobody", homeless, 1, "its holder does not exist"},
      {"revoking what is not", CapRevoked{{{1}, {3}}, "owner"}, 1,
       "it revokes what does not exist"},
      {"revoking number 0", CapRevoked{{{0}}, "owner"}, 1, "it revokes what does not exist"},
      {"a turn in a turn", TurnStarted{{2}, 1}, 2, "a turn is open already"},
      {"a turn that is not open fails", TurnFailed{{7}, {}}, 1, "no such turn is open"},
      {"a tool call is no turn", TurnFailed{{2}, {}}, 1, "no such turn is open"},
      {"a turn's number left out", TurnStarted{{3}, 1}, 1, "its call number is not the next"},
      {"a call's number again", ToolCalled{{1}, "t", {}, {}}, 1, "its call number is not the next"},
      {"a call's number left out", ToolCalled{{3}, "t", "c1", {}}, 1,
       "its call number is not the next"},
      {"the end of no call", ToolReturned{{2}, "t", true, {}, {}}, 1, "no such call is open"},
      {"the end of a turn as of a tool", ToolReturned{{1}, "t", true, {}, {}}, 2,
       "no such call is open"},
      {"an intent of no call", intended(2, 1), 1, "no such call is open"},
      {"an intent again", intended(1, 1), 1, "that syscall has been seen before"},
      {"an intent of what is settled", intended(1, 2), 1, "that syscall has been seen before"},
      {"a use of what has no limit", intended(1, 4, {CapId{2}}), 1,
       "it spends a use that is not there"},
      {"a use of what does not exist", intended(1, 4, {CapId{9}}), 1,
       "it spends a use that is not there"},
      {"one use twice", intended(1, 4, {CapId{1}, CapId{1}}), 1,
       "it spends a use that is not there"},
      {"an outcome of no intent", CallSettled{{1}, 4, OutcomeKind::done, {}, {}, {}}, 1,
       "no such intent is open"},
      {"an outcome again", CallSettled{{1}, 2, OutcomeKind::done, {}, {}, {}}, 1,
       "no such intent is open"},
      {"an outcome of what waits", CallSettled{{1}, 3, OutcomeKind::done, {}, {}, {}}, 1,
       "no such intent is open"},
      {"a turn without a reply", CallSettled{{1}, 1, OutcomeKind::done, {}, {}, {}}, 2,
       "it has no reply"},
      {"a turn with another's reply",
       CallSettled{{1}, 1, OutcomeKind::done, base::RawJson{R"({"bytes":1})"}, {}, {1, 1, 1, 1, 1}},
       2, "`text` is missing"},
      {"an observation of no call", CallObserved{{2}, 1, "n", {}, {}, {}}, 1,
       "no such call is open"},
      {"an observation of an intent", CallObserved{{1}, 1, "n", {}, {}, {}}, 1,
       "that syscall has an outcome already"},
      {"an observation again", CallObserved{{1}, 2, "n", {}, {}, {}}, 1,
       "that syscall has an outcome already"},
      {"a wait of no call", CallWaiting{{2}, 1, "n", {}, {}, {}}, 1, "no such call is open"},
      {"a wait again", CallWaiting{{1}, 3, "n", {}, {}, {}}, 1,
       "that syscall has been seen before"},
      {"a wait for no request", CallWaiting{{1}, 4, "n", {}, {}, base::RequestId{3}}, 1,
       "it waits for a request that is not open"},
      {"a wait for an answered one", CallWaiting{{1}, 4, "n", {}, {}, base::RequestId{2}}, 1,
       "it waits for a request that is not open"},
      {"a request number again", opened(2, RequestKind::question), 1, "its id is not the next"},
      {"a request number left out", opened(4, RequestKind::question), 1, "its id is not the next"},
      {"an answer to no request", RequestAnswered{{3}, AnswerKind::answered, "owner", "", ""}, 1,
       "no such request is open"},
      {"an answer to number 0", RequestAnswered{{0}, AnswerKind::answered, "owner", "", ""}, 1,
       "no such request is open"},
      {"an answer again", RequestAnswered{{2}, AnswerKind::approved, "owner", "", ""}, 1,
       "no such request is open"},
      {"a version again", ObjectPut{"7.1", "notes", "text", 1, {}}, 1,
       "its version is not the next"},
      {"a version left out", ObjectPut{"7.1", "notes", "text", 3, {}}, 1,
       "its version is not the next"},
      {"a new object's second version", ObjectPut{"7.1", "new", "text", 2, {}}, 1,
       "its version is not the next"},
      {"a new space's second version", ObjectPut{"new", "notes", "text", 0, {}}, 1,
       "its version is not the next"},
  });
}

TEST(Apply, FollowsInOrderAndWithinOneJob) {
  const TestJob job = busy();
  for (const base::Seq seq : {base::Seq{0}, job.state.seq, job.state.seq + 2}) {
    JobState state = job.state;
    const auto done = apply(state, {{7}, seq, {}, 1, 0, HumanTold{"owner", "x"}}, {});
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, Code::corrupt);
    EXPECT_NE(done.error().what.find("does not follow 7:17"), std::string::npos)
        << done.error().what;
  }
  JobState state = job.state;
  EXPECT_FALSE(
      apply(state, {{8}, state.seq + 1, {}, 1, 0, HumanTold{"owner", "x"}}, {}).has_value());
  EXPECT_TRUE(
      apply(state, {{7}, state.seq + 1, {}, 1, 0, HumanTold{"owner", "x"}}, {}).has_value());
}

TEST(Apply, AJournalBeginsWithItsJob) {
  TestJob job;
  for (const Body& body :
       {Body(JobOpened{1}), Body(HumanTold{"owner", "x"}), Body(spawned(1, 0, "root"))}) {
    const auto done = job.add(body);
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, Code::corrupt);
  }
  EXPECT_EQ(job.state.seq, 0U);
}

TEST(Apply, AProcessLivesAndEnds) {
  TestJob job = busy();
  const auto state = [&](std::uint32_t number) {
    return base::name_of(job.state.process(number)->state);
  };
  EXPECT_EQ(state(1), "runnable");
  EXPECT_EQ(job.state.process(1)->transcript.back().text, base::Text("Do it."));
  job.put(ProcessPaused{"owner", "lunch"});
  EXPECT_EQ(state(1), "paused");
  EXPECT_EQ(job.state.process(1)->reason, "lunch");
  job.put(ProcessResumed{"owner"});
  EXPECT_EQ(state(1), "runnable");
  EXPECT_EQ(job.state.process(1)->reason, "");
  job.put(ProcessMoved{path("/workspace/src")});
  EXPECT_EQ(job.state.process(1)->cwd, path("/workspace/src"));
  EXPECT_EQ(job.state.process(1)->frames.front().cwd, path("/workspace"))
      << "an open call keeps the directory it began in";
  job.put(ProcessExiting{"bye"});
  EXPECT_TRUE(job.state.process(1)->exiting && job.state.process(1)->live());
  job.put(ProcessExited{"bye"});
  EXPECT_EQ(state(1), "exited");
  EXPECT_EQ(job.state.process(1)->result, base::Text("bye"));
  EXPECT_TRUE(job.state.process(1)->frames.empty());
  EXPECT_EQ(state(3), "killed");
  job.put(ProcessFailed{{Code::exhausted, "no budget", ""}}, 2);
  EXPECT_EQ(state(2), "failed");
  EXPECT_EQ(job.state.process(2)->reason, "no budget");
}

TEST(Apply, AUseIsTakenByTheIntentAndGivenBackOnlyWhenNothingStarted) {
  struct Row {
    OutcomeKind outcome;
    std::uint64_t left;
  };
  for (const Row& row : std::vector<Row>{{OutcomeKind::done, 0},
                                         {OutcomeKind::failed, 0},
                                         {OutcomeKind::unknown, 0},
                                         {OutcomeKind::not_started, 1}}) {
    TestJob job = busy();
    const auto version = job.state.authority_version;
    job.put(intended(1, 4, {CapId{1}}));
    EXPECT_EQ(job.state.cap({1})->uses_left, 0U);
    EXPECT_GT(job.state.authority_version, version);
    job.put(CallSettled{{1}, 4, row.outcome, {}, {}, {}});
    EXPECT_EQ(job.state.cap({1})->uses_left, row.left) << base::name_of(row.outcome);
    EXPECT_EQ(job.state.process(1)->frame({1})->find(4)->outcome, row.outcome);
  }
}

TEST(Apply, ATurnsReplyJoinsTheTranscriptAndIsPaidFor) {
  TestJob job = busy();
  job.put(CallSettled{{1}, 1, OutcomeKind::done, base::RawJson{kReply}, {}, {10, 5, 1, 0, 7}}, 2);
  const Process& process = *job.state.process(2);
  EXPECT_EQ(process.turns, 1U);
  EXPECT_EQ(process.turn_frame(), nullptr);
  EXPECT_EQ(process.transcript.back().role, abi::Role::assistant);
  EXPECT_EQ(process.transcript.back().tool_calls.at(0).name, "read_file");
  EXPECT_EQ(process.usage.input_tokens, 10U);
  EXPECT_EQ(process.usage.usd_micro, 7U);

  job.put(ToolCalled{{2}, "read_file", "c1", {}}, 2);
  EXPECT_NE(process.frame_of_request("c1"), nullptr);
  EXPECT_EQ(process.usage.tool_calls, 1U);
  job.put(ToolReturned{{2}, "read_file", true, base::Json::trusted(R"({"a":1})"), {}}, 2);
  EXPECT_EQ(process.transcript.back().tool_call_id, "c1");
  EXPECT_EQ(process.transcript.back().text, base::Text(R"({"a":1})"));
  EXPECT_EQ(process.answered, std::vector<std::string>{"c1"});
  EXPECT_EQ(process.frame_of_request("c1"), nullptr);
}

TEST(Apply, ATurnWithoutAReplyStaysOpenUntilTheProgramHasHeard) {
  for (const OutcomeKind outcome :
       {OutcomeKind::not_started, OutcomeKind::failed, OutcomeKind::unknown}) {
    TestJob job = busy();
    const auto size = job.state.process(2)->transcript.size();
    const base::Error gone{Code::unavailable, "gone", ""};
    job.put(CallSettled{{1}, 1, outcome, {}, gone, {}}, 2);
    ASSERT_NE(job.state.process(2)->turn_frame(), nullptr);
    EXPECT_EQ(job.state.process(2)->turn_frame()->find(1)->error, gone);
    job.put(TurnFailed{{1}, gone}, 2);
    EXPECT_EQ(job.state.process(2)->turn_frame(), nullptr);
    EXPECT_EQ(job.state.process(2)->transcript.size(), size);
    EXPECT_EQ(job.state.process(2)->turns, 0U);
  }
}

TEST(Apply, AToolsErrorIsToldInFullUnlessItIsHuge) {
  TestJob job = busy();
  job.put(ToolCalled{{2}, "read_file", "c1", {}}, 2);
  job.put(ToolReturned{{2}, "read_file", false, {}, base::Error{Code::denied, "no", "ask"}}, 2);
  EXPECT_EQ(job.state.process(2)->transcript.back().text,
            base::Text(R"({"error":{"code":"denied","what":"no","details":"ask"}})"));
  job.put(ToolCalled{{3}, "read_file", "c2", {}}, 2);
  job.put(
      ToolReturned{
          {3}, "read_file", false, {}, base::Error{Code::denied, std::string(9000, 'x'), ""}},
      2);
  EXPECT_FALSE(base::wants_blob(job.state.process(2)->transcript.back().text))
      << "its bytes would be in no store";
}

TEST(Apply, AnApprovalLetsItsCallDecideAgain) {
  for (const AnswerKind answer : {AnswerKind::approved, AnswerKind::denied}) {
    TestJob job = busy();
    job.put(opened(3, RequestKind::approval));
    job.put(CallWaiting{{1}, 4, "fs.write", base::Digest::of("call"), {}, base::RequestId{3}});
    EXPECT_EQ(job.state.process(1)->frame({1})->pending()->n, 4U);
    job.put(RequestAnswered{{3}, answer, "owner", "once", ""});
    const bool waits = job.state.process(1)->frame({1})->find(4) != nullptr;
    EXPECT_EQ(waits, answer != AnswerKind::approved);
    EXPECT_EQ(job.state.request({3})->answered->answer, answer);
  }
}

TEST(Apply, AWaitEndsWithWhatIsObserved) {
  TestJob job = busy();
  job.put(CallObserved{
      {1}, 3, "human.ask", base::Digest::of("y"), base::RawJson{R"({"answer":"yes"})"}, {}});
  const Syscall& syscall = *job.state.process(1)->frame({1})->find(3);
  EXPECT_EQ(syscall.stage, Stage::settled);
  EXPECT_EQ(syscall.reply->text, R"({"answer":"yes"})");
}

TEST(Apply, RevokingIsForGoodAndTwiceIsOnce) {
  TestJob job = busy();
  job.put(CapRevoked{{{2}, {2}}, "owner"});
  job.put(CapRevoked{{{2}}, "owner"});
  EXPECT_TRUE(job.state.cap({2})->revoked);
  EXPECT_FALSE(job.state.cap({1})->revoked);
  std::size_t candidates = 0;
  job.state.index.candidates(1, "fs:/workspace/a",
                             [&](CapId id) { candidates += id.value == 2 ? 1U : 0U; });
  EXPECT_EQ(candidates, 0U);
}

TEST(Apply, ObjectsCountTheirVersions) {
  TestJob job = busy();
  job.put(ObjectPut{"7.1", "notes", "json", 2, base::Json::trusted("[1]")});
  const Object& object = job.state.objects.at("7.1").at("notes");
  EXPECT_EQ(object.version, 2U);
  EXPECT_EQ(object.type, "json");
  EXPECT_EQ(object.value.data, "[1]");
}

}  // namespace
}  // namespace alos::core::test
