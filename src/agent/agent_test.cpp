#include "agent/agent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <set>

#include "agent/images.h"
#include "support/fake_syscalls.h"

namespace alos::agent {
namespace {

using abi::Message;
using abi::Mind;
using abi::ModelGenerate;
using abi::OpenCall;
using abi::Role;
using abi::ToolRequest;
using base::Code;
using base::Error;
using base::Result;

// The kernel's side, in memory: replies from a script; a tool that returns `parked` stays open.
class FakeSelf final : public abi::Self {
 public:
  FakeSelf() {
    mind_.pid = {base::JobId{7}, 1};
    mind_.name = "main";
    mind_.model = "script:test";
    mind_.system = "You are a test.";
    mind_.tools = {"read_file", "write_file", "ask_human", "exit", "gone_tool"};
    mind_.transcript.append({.role = Role::user, .text = "the goal"});
    sys.answer<abi::ProcExit>([this](const abi::ProcExit& exit) -> Result<abi::ProcExit::Reply> {
      mind_.exiting = true;
      exit_result = exit.result.data;
      return abi::ProcExit::Reply{};
    });
    sys.reply<abi::FsRead>({"text", 4, {}})
        .reply<abi::FsWrite>({1, true})
        .error<abi::HumanAsk>(Code::parked);
  }

  Mind mind() const override { return mind_; }

  Result<void> run_tool(const OpenCall& open, const Tool& tool) override {
    ran.push_back(open.request.id);
    if (store_gone) return base::fail(Code::unavailable, "the store is gone");
    const auto at = std::ranges::find(mind_.open_calls, open.request.id,
                                      [](const OpenCall& o) { return o.request.id; });
    at->call = base::CallId{++calls_};
    auto reply = tool(sys);
    if (!reply && reply.error().code == Code::parked) return at->parked = true, Result<void>{};
    results[open.request.id] =
        reply ? tools::text_of(reply->value).data : tools::text_of(reply.error());
    mind_.transcript.append(
        {.role = Role::tool, .text = results[open.request.id], .tool_call_id = open.request.id});
    mind_.open_calls.erase(at);
    return {};
  }

  Result<ModelGenerate::Reply> generate(ModelGenerate call) override {
    asked.push_back(call);
    if (script.empty()) return base::fail(Code::parked, "the model thinks");
    auto reply = std::move(script.front());
    script.pop_front();
    if (!reply) return reply;
    ++mind_.turn;
    mind_.transcript.append(
        {.role = Role::assistant, .text = reply->text, .tool_calls = reply->tool_calls});
    for (const ToolRequest& request : reply->tool_calls) mind_.open_calls.push_back({request});
    return reply;
  }

  Result<void> exit(base::Text result) override {
    return ended.push_back("exit " + result.data), Result<void>{};
  }
  Result<void> fail(Error error) override {
    return ended.push_back("fail " + tools::text_of(error)), Result<void>{};
  }
  Result<void> pause(std::string reason) override {
    return ended.push_back("pause " + reason), Result<void>{};
  }

  void says(std::string text, std::vector<ToolRequest> calls = {}, std::string finish = "stop") {
    script.emplace_back(
        ModelGenerate::Reply{std::move(text), std::move(calls), 10, 5, std::move(finish)});
  }
  void fails(Code code, std::string what) {
    script.emplace_back(base::fail(code, std::move(what)));
  }

  test::FakeSyscalls sys;
  std::deque<Result<ModelGenerate::Reply>> script;
  std::vector<ModelGenerate> asked;
  std::vector<std::string> ran;  // ids, also of calls that parked
  std::map<std::string, std::string> results;
  std::vector<std::string> ended;  // exit, fail and pause of the program
  std::string exit_result;
  bool store_gone = false;
  Mind mind_;

 private:
  std::uint64_t calls_ = 0;
};

const tools::ToolSet& builtin() {
  static const tools::ToolSet kTools = tools::builtin_tools();
  return kTools;
}

using Lines = std::vector<std::string>;

TEST(Agent, RunsAllCallsOfAReplyInOrderAndEndsWithPlainText) {
  FakeSelf self;
  self.says("let me look", {{"c1", "read_file", R"({"path":"a"})"},
                            {"c2", "write_file", R"({"path":"b","content":"x"})"}});
  self.says("done: b says x");
  ASSERT_TRUE(make_agent(builtin())->step(self));
  EXPECT_EQ(self.ran, (Lines{"c1", "c2"}));
  EXPECT_EQ(self.results["c1"], "text\n{\"file_bytes\":4}");
  EXPECT_EQ(self.ended, Lines{"exit done: b says x"});
  EXPECT_EQ(self.asked.size(), 2U);
}

TEST(Agent, ShowsTheModelTheWholeConversation) {
  FakeSelf self;
  self.says("", {{"c1", "read_file", R"({"path":"a"})"}});
  self.says("done");
  ASSERT_TRUE(make_agent(builtin())->step(self));
  ASSERT_EQ(self.asked.size(), 2U);
  const ModelGenerate& call = self.asked[1];
  EXPECT_EQ(call.model, "script:test");
  EXPECT_EQ(call.process, "main");
  EXPECT_EQ(call.turn, 1U);
  const abi::Conversation& talk = *call.conversation;
  EXPECT_EQ(talk.system.data, "You are a test." + std::string(kFrame));
  Lines names;
  for (const auto& spec : *talk.tools) names.push_back(spec.name);
  EXPECT_EQ(names, (Lines{"read_file", "write_file", "ask_human", "exit"}))
      << "the table's order, what exists of it";
  EXPECT_EQ(talk.tools, self.asked[0].conversation->tools) << "made once";
  const auto messages = talk.transcript.messages();
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(messages[0]->text.data, "the goal");
  EXPECT_EQ(messages[1]->tool_calls.at(0).id, "c1");
  EXPECT_EQ(messages[2]->tool_call_id, "c1");
  EXPECT_NE(call.context, self.asked[0].context);
}

TEST(Agent, NamesEachConversationByADigestOfItsOwn) {
  const auto agent = make_agent(builtin());
  const auto context_of = [&](auto change) {
    FakeSelf self;
    change(self.mind_);
    EXPECT_TRUE(agent->step(self));
    return self.asked.at(0).context;
  };
  const std::set<base::Digest> contexts{
      context_of([](Mind&) {}),
      context_of([](Mind& mind) { mind.system = "You are another test."; }),
      context_of([](Mind& mind) { mind.tools.pop_back(), mind.tools.pop_back(); }),
      context_of([](Mind& mind) { std::swap(mind.tools[0], mind.tools[1]); }),
      context_of(
          [](Mind& mind) { mind.transcript.append({.role = Role::user, .text = "and more"}); }),
  };
  EXPECT_EQ(contexts.size(), 5U);
  EXPECT_EQ(contexts.count(context_of([](Mind&) {})), 1U);
}

TEST(Agent, WaitsForTheModel) {
  FakeSelf self;
  const auto agent = make_agent(builtin());
  ASSERT_TRUE(agent->step(self));
  EXPECT_EQ(self.asked.size(), 1U);
  EXPECT_TRUE(self.ended.empty());
  self.says("done");
  ASSERT_TRUE(agent->step(self));
  EXPECT_EQ(self.asked[0].context, self.asked[1].context) << "the same question";
  EXPECT_EQ(self.ended, Lines{"exit done"});
}

TEST(Agent, GoesOnWithTheOthersWhenOneCallParks) {
  FakeSelf self;
  self.says("",
            {{"c1", "ask_human", R"({"question":"ok?"})"}, {"c2", "read_file", R"({"path":"a"})"}});
  self.says("done");
  const auto agent = make_agent(builtin());
  ASSERT_TRUE(agent->step(self));
  EXPECT_EQ(self.ran, (Lines{"c1", "c2"}));
  EXPECT_EQ(self.asked.size(), 1U) << "no turn while a call is open";
  ASSERT_TRUE(agent->step(self));
  EXPECT_EQ(self.ran, (Lines{"c1", "c2"})) << "a parked call is left alone";

  self.sys.reply<abi::HumanAsk>({"yes"});
  self.mind_.open_calls[0].parked = false;
  ASSERT_TRUE(agent->step(self));
  EXPECT_EQ(self.ran, (Lines{"c1", "c2", "c1"}));
  EXPECT_EQ(self.results["c1"], R"({"answer":"yes"})");
  EXPECT_EQ(self.ended, Lines{"exit done"});
}

TEST(Agent, TellsTheModelWhatIsWrongWithACall) {
  struct Row {
    ToolRequest request;
    Lines parts;  // of the result
  };
  const std::vector<Row> rows{
      {{"c", "raed_file", "{}"},
       {"error not_found: no tool `raed_file` in this process's table; did you mean `read_file`?",
        "its tools: read_file write_file"}},
      {{"c", "delete_file", R"({"path":"a"})"},
       {"error not_found: no tool `delete_file` in this process's table"}},
      {{"c", "", "{}"}, {"error not_found: no tool ``"}},
      {{"c", std::string(1 << 20, 'x'), "{}"}, {"error not_found: no tool `xxx"}},
      {{"c", "gone_tool", "{}"},
       {"error not_found: tool `gone_tool` is in this process's table, but"}},
      {{"c", "read_file", "path=a"},
       {"error invalid: arguments of read_file: not JSON at byte", "read_file takes {path"}},
      {{"c", "read_file", "\xff\xfe"}, {"error invalid: arguments of read_file: not JSON"}},
      {{"c", "read_file", R"({"path":1})"},
       {"error invalid: arguments of read_file: `path`: expected a string, got integer"}},
      {{"c", "write_file", R"({"path":"a","content":"abc)"},
       {"the arguments break off after 26 bytes", "cut, most likely at its output limit",
        "write_file takes"}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.request.name.substr(0, 40) + " " + row.request.arguments.data);
    FakeSelf self;
    self.says("", {row.request}, "length");
    self.says("done");
    ASSERT_TRUE(make_agent(builtin())->step(self));
    for (const std::string& part : row.parts)
      EXPECT_NE(self.results["c"].find(part), std::string::npos) << self.results["c"];
    EXPECT_LT(self.results["c"].size(), 500U);
    EXPECT_TRUE(self.sys.calls().empty());
    EXPECT_EQ(self.ended, Lines{"exit done"}) << "and the process goes on";
  }
}

TEST(Agent, ArgumentsThatAreNotAtHandAreAnError) {
  FakeSelf self;
  ToolRequest request{"c", "read_file", ""};
  request.arguments.blob = base::BlobRef{{}, 5000};
  self.says("", {request});
  self.says("done");
  ASSERT_TRUE(make_agent(builtin())->step(self));
  EXPECT_TRUE(self.results["c"].starts_with("error internal:"));
}

TEST(Agent, NothingBeginsAfterExit) {
  FakeSelf self;
  self.says("", {{"c1", "read_file", R"({"path":"a"})"},
                 {"c2", "exit", R"({"result":"bye"})"},
                 {"c3", "write_file", R"({"path":"b","content":"x"})"},
                 {"c4", "exit", R"({"result":"again"})"}});
  ASSERT_TRUE(make_agent(builtin())->step(self));
  EXPECT_EQ(self.ran, (Lines{"c1", "c2", "c3", "c4"})) << "each has its result";
  EXPECT_TRUE(self.results["c3"].starts_with("error cancelled: not run: the process was ending"));
  EXPECT_TRUE(self.results["c4"].starts_with("error cancelled:"));
  EXPECT_EQ(self.exit_result, "bye");
  EXPECT_EQ(self.sys.calls().size(), 2U) << "fs.read and proc.exit";
  EXPECT_EQ(self.asked.size(), 1U);
  EXPECT_TRUE(self.ended.empty()) << "the kernel ends it";
}

TEST(Agent, AfterACrashBehindExitBegunCallsEndAndOthersAreCancelled) {
  FakeSelf self;
  self.mind_.exiting = true;
  self.mind_.open_calls = {{{"c1", "read_file", R"({"path":"a"})"}, base::CallId{1}},
                           {{"c2", "write_file", R"({"path":"b","content":"x"})"}}};
  ASSERT_TRUE(make_agent(builtin())->step(self));
  EXPECT_EQ(self.results["c1"], "text\n{\"file_bytes\":4}");
  EXPECT_TRUE(self.results["c2"].starts_with("error cancelled:"));
  EXPECT_TRUE(self.asked.empty());
}

TEST(Agent, AFailedExitIsToldAndTheProcessGoesOn) {
  FakeSelf self;
  self.says("", {{"c1", "exit", "{}"}, {"c2", "read_file", R"({"path":"a"})"}});
  self.says("done");
  ASSERT_TRUE(make_agent(builtin())->step(self));
  EXPECT_NE(self.results["c1"].find("`result` is missing"), std::string::npos);
  EXPECT_EQ(self.results["c2"], "text\n{\"file_bytes\":4}");
  EXPECT_EQ(self.ended, Lines{"exit done"});
}

TEST(Agent, GoesOnFromTheMindAlone) {
  FakeSelf self;
  self.mind_.transcript.append(
      {.role = Role::assistant, .tool_calls = {{"c1", "read_file", R"({"path":"a"})"}}});
  self.mind_.open_calls = {{{"c1", "read_file", R"({"path":"a"})"}, base::CallId{4}}};
  self.says("done");
  ASSERT_TRUE(make_agent(builtin())->step(self));
  EXPECT_EQ(self.ran, Lines{"c1"});
  EXPECT_EQ(self.ended, Lines{"exit done"});

  FakeSelf ready;  // crashed between the last reply and the exit
  ready.mind_.transcript.append({.role = Role::assistant, .text = "the result"});
  ASSERT_TRUE(make_agent(builtin())->step(ready));
  EXPECT_EQ(ready.ended, Lines{"exit the result"});
  EXPECT_TRUE(ready.asked.empty());
}

TEST(Agent, WhatModelErrorsComeTo) {
  struct Row {
    Code code;
    Lines ended;
    bool step_ok;
  };
  const std::vector<Row> rows{
      {Code::parked, {}, true},
      {Code::unavailable, {"pause error unavailable: why; go on with: alos resume 7.1"}, true},
      {Code::timeout, {"pause error timeout: why; go on with: alos resume 7.1"}, true},
      {Code::exhausted, {"pause error exhausted: budget why; go on with: alos resume 7.1"}, true},
      {Code::denied, {"fail error denied: why"}, true},
      {Code::invalid, {"fail error invalid: why"}, true},
      {Code::not_found, {"fail error not_found: why"}, true},
      {Code::outcome_unknown, {"fail error outcome_unknown: why"}, true},
      {Code::cancelled, {}, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(base::name_of(row.code));
    FakeSelf self;
    self.fails(row.code, row.code == Code::exhausted ? "budget why" : "why");
    EXPECT_EQ(make_agent(builtin())->step(self).has_value(), row.step_ok);
    EXPECT_EQ(self.ended, row.ended);
    EXPECT_EQ(self.asked.size(), 1U);
  }
}

TEST(Agent, AScriptThatRanOutFailsAndAUsedUpBudgetPauses) {
  struct Row {
    const char* model;
    const char* what;
    const char* ended;
  };
  for (const Row& row : {Row{"script:./a.jsonl", "script ./a.jsonl has no line 3", "fail "},
                         Row{"script:./a.jsonl", "budget model_tokens of 7.1 is used up", "pause "},
                         Row{"openai/x", "insufficient quota", "pause "}}) {
    FakeSelf self;
    self.mind_.model = row.model;
    self.fails(Code::exhausted, row.what);
    ASSERT_TRUE(make_agent(builtin())->step(self));
    ASSERT_EQ(self.ended.size(), 1U);
    EXPECT_TRUE(self.ended[0].starts_with(row.ended)) << self.ended[0];
  }
}

TEST(Agent, TheStoreGoneEndsTheStep) {
  FakeSelf self;
  self.says("", {{"c1", "read_file", R"({"path":"a"})"}, {"c2", "read_file", R"({"path":"a"})"}});
  self.store_gone = true;
  const auto result = make_agent(builtin())->step(self);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what, "the store is gone");
  EXPECT_EQ(self.ran, Lines{"c1"});
}

TEST(Agent, OneEmptyReplyIsAskedAgainTwoFail) {
  FakeSelf self;
  self.says(" \n");
  self.says("done");
  ASSERT_TRUE(make_agent(builtin())->step(self));
  ASSERT_EQ(self.asked.size(), 2U);
  const Message& last = self.asked[1].conversation->transcript.back();
  EXPECT_EQ(last.role, Role::user);
  EXPECT_TRUE(last.text.data.starts_with("Your reply was empty."));
  EXPECT_EQ(self.mind_.transcript.size(), 3U) << "only told, not kept";
  EXPECT_EQ(self.ended, Lines{"exit done"});

  FakeSelf mute;
  for (int i = 0; i < 5; ++i) mute.says("");
  ASSERT_TRUE(make_agent(builtin())->step(mute));
  EXPECT_EQ(mute.asked.size(), 2U);
  ASSERT_EQ(mute.ended.size(), 1U);
  EXPECT_TRUE(mute.ended[0].starts_with(
      "fail error unavailable: model script:test gave two empty replies in a row"));

  FakeSelf between;  // not in a row
  between.says("");
  between.says("", {{"c1", "read_file", R"({"path":"a"})"}});
  between.says("");
  between.says("done");
  ASSERT_TRUE(make_agent(builtin())->step(between));
  EXPECT_EQ(between.ended, Lines{"exit done"});
}

TEST(Agent, AReplyCutAtItsLimitPauses) {
  FakeSelf self;
  self.says("this is the beginning of", {}, "length");
  const auto agent = make_agent(builtin());
  ASSERT_TRUE(agent->step(self));
  ASSERT_EQ(self.ended.size(), 1U);
  EXPECT_TRUE(self.ended[0].starts_with(
      "pause the model's reply was cut at its output limit after 5 tokens"));
  ASSERT_TRUE(agent->step(self));  // resumed: taken as it is
  EXPECT_EQ(self.ended[1], "exit this is the beginning of");
}

TEST(Agent, ToolGivesTheSameFunctionToCallFromOutside) {
  FakeSelf self;
  const auto agent = make_agent(builtin());
  struct Row {
    ToolRequest request;
    const char* text;
  };
  for (const Row& row :
       {Row{{"x", "read_file", R"({"path":"a"})"}, "text\n{\"file_bytes\":4}"},
        Row{{"x", "list_directory", "{}"}, "error not_found: no tool `list_directory`"},
        Row{{"x", "read_file", "{"}, "error invalid: arguments of read_file: not JSON"}}) {
    const abi::Self::Tool tool = [&] {
      const ToolRequest gone = row.request;  // the function does not need the request any more
      return agent->tool(self.mind(), gone);
    }();
    for (int again = 0; again < 2; ++again) {
      const auto reply = tool(self.sys);
      const std::string text =
          reply ? tools::text_of(reply->value).data : tools::text_of(reply.error());
      EXPECT_TRUE(text.starts_with(row.text)) << text;
    }
  }
}

TEST(Images, NameOnlyToolsAndGrantsThatAre) {
  const auto images = builtin_images();
  for (const abi::Image& image : images) {
    EXPECT_FALSE(image.prompt.empty());
    EXPECT_FALSE(image.description.empty());
    EXPECT_EQ(std::set<std::string>(image.tools.begin(), image.tools.end()).size(),
              image.tools.size());
    for (const std::string& tool : image.tools) EXPECT_NE(builtin().find(tool), nullptr) << tool;
    for (const std::string& need : image.needs) EXPECT_TRUE(abi::Grant::from_text(need)) << need;
  }
  EXPECT_EQ(find_image(images, "coding")->tools.size(), builtin().all().size())
      << "coding has all of them";
  const auto base_image = find_image(images, "base");
  ASSERT_TRUE(base_image);
  EXPECT_EQ(std::ranges::count(base_image->tools, "read_file"), 0);
  const auto none = find_image(images, "codign");
  ASSERT_FALSE(none);
  EXPECT_EQ(tools::text_of(none.error()),
            "error not_found: no image `codign`; did you mean `coding`? (images: base, coding)");
}

}  // namespace
}  // namespace alos::agent
