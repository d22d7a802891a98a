#include "providers/model_script.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <future>

#include "providers/models.h"

namespace alos::providers {
namespace {

using base::Code;
using Outcome = ports::Outcome<abi::ModelGenerate::Reply>;

class ScriptFile : public testing::Test {
 public:
  ScriptFile() {
    char name[] = "/tmp/alos_script_XXXXXX";
    folder_ = ::mkdtemp(name);
    path_ = folder_ + "/turns.jsonl";
  }
  ~ScriptFile() override {
    std::remove(path_.c_str());
    ::rmdir(folder_.c_str());
  }

 protected:
  void write(std::string_view text) { std::ofstream(path_, std::ios::binary) << text; }
  Outcome ask(ScriptedModel& model, std::uint32_t turn, const std::string& process = "root") {
    std::promise<Outcome> promise;
    model.ask(path_, process, turn,
              [&](Outcome outcome) { promise.set_value(std::move(outcome)); });
    return promise.get_future().get();
  }

  std::string folder_, path_;
};

TEST(Script, reads_replies_by_process_and_turn) {
  const auto script = Script::parse(
      "# a comment\n"
      "{\"text\":\"one\",\"usage\":{\"input_tokens\":3}}\r\n"
      "\n"
      "{\"text\":\"child\",\"process\":\"worker\"}\n"
      "  {\"tool_calls\":[{\"name\":\"f\",\"arguments\":{\"b\": [1, "
      "2]}},{\"name\":\"g\"},{\"name\":\"h\",\"arguments\":\"{\\\"cut\"}]}\n"
      "{\"text\":\"end\",\"finish\":\"length\"}",
      "s.jsonl");
  ASSERT_TRUE(script) << script.error().what;
  const auto& first = (*script->line("root", 0))->reply;
  EXPECT_EQ(first.text.data, "one");
  EXPECT_EQ(first.finish, "stop");
  EXPECT_EQ(first.input_tokens, 3U);
  const auto& second = (*script->line("root", 1))->reply;
  EXPECT_EQ(second.finish, "tool_calls");
  const std::vector<abi::ToolRequest> expected{
      {"call_1_0", "f", R"({"b":[1,2]})"}, {"call_1_1", "g", "{}"}, {"call_1_2", "h", "{\"cut"}};
  EXPECT_EQ(second.tool_calls, expected);
  EXPECT_EQ((*script->line("root", 2))->reply.finish, "length");
  EXPECT_EQ((*script->line("worker", 0))->reply.text.data, "child");
}

TEST(Script, says_when_it_has_run_out) {
  const auto script = Script::parse("{\"text\":\"1\"}\n{\"text\":\"2\"}\n", "./turns.jsonl");
  const auto root = script->line("root", 4);
  EXPECT_EQ(root.error().code, Code::exhausted);
  EXPECT_EQ(root.error().what, "script ./turns.jsonl has no line 5 for process `root`: it has 2");
  EXPECT_FALSE(root.error().details.empty());
  EXPECT_EQ(script->line("who", 0).error().what,
            "script ./turns.jsonl has no line 1 for process `who`: it has 0");
  EXPECT_NE(script->line("who", 0).error().details.find("\"process\":\"who\""), std::string::npos);
}

TEST(Script, names_the_line_and_the_field_of_what_is_wrong) {
  struct Row {
    const char* line;
    const char* says;
    const char* way_out;
  };
  const Row rows[] = {
      {"{\"text\":", "s:2: not JSON", ""},
      {"7", "s:2: expected an object, got integer", ""},
      {"{\"txt\":\"a\"}", "s:2: `txt` is not known", "did you mean `text`?"},
      {"{\"text\":7}", "s:2: `text`: expected a string, got integer", ""},
      {"{\"tool_calls\":[{\"name\":\"f\"},{\"arguments\":{}}]}",
       "s:2: `tool_calls[1]`: `name` is missing", ""},
      {"{\"tool_calls\":[{\"name\":\"f\",\"argument\":{}}]}", "`argument` is not known",
       "did you mean `arguments`?"},
      {"{\"tool_calls\":[{\"name\":\"f\",\"arguments\":[1]}]}",
       "s:2: `tool_calls[0].arguments`: expected an object or text, got [1]", ""},
      {"{\"process\":\"x\"}", "s:2: the line says nothing", "give it"},
      {"{\"text\":\"a\",\"error\":{\"code\":\"invalid\",\"what\":\"\"}}", "`error` stands beside",
       "drop one"},
      {"{\"error\":{\"code\":\"parked\",\"what\":\"\"}}", "cannot end `parked`", "delay_ms"},
      {"{\"error\":{\"code\":\"broken\",\"what\":\"\"}}", "expected one of denied", ""},
      {"{\"text\":\"\",\"delay_ms\":-1}", "`delay_ms`: expected an integer that is not negative",
       ""},
      {"{\"text\":\"\",\"delay_ms\":86400001}", "`delay_ms`: at most", ""},
      {"{\"text\":\"\xff\"}", "s:2: not JSON", ""},
  };
  for (const Row& row : rows) {
    const auto script = Script::parse(std::string("{\"text\":\"\"}\n") + row.line + "\n", "s");
    ASSERT_FALSE(script) << row.line;
    EXPECT_EQ(script.error().code, Code::invalid);
    EXPECT_NE(script.error().what.find(row.says), std::string::npos) << script.error().what;
    EXPECT_NE(script.error().details.find(row.way_out), std::string::npos)
        << script.error().details;
  }
}

TEST_F(ScriptFile, answers_errors_and_delays) {
  write(
      "{\"text\":\"a\"}\n{\"error\":{\"code\":\"unavailable\",\"what\":\"down\"}}\n{\"text\":"
      "\"late\",\"delay_ms\":1}\n"
      "{\"error\":{\"code\":\"outcome_unknown\",\"what\":\"?\"}}\n");
  ScriptedModel model;
  EXPECT_EQ(ask(model, 0).done()->text.data, "a");
  EXPECT_EQ(ask(model, 1).failed()->error.what, "down");
  EXPECT_EQ(ask(model, 2).done()->text.data, "late");
  EXPECT_NE(ask(model, 3).unknown(), nullptr);
  EXPECT_EQ(ask(model, 4).failed()->error.code, Code::exhausted);
  EXPECT_EQ(ask(model, 0).done()->text.data, "a") << "no position is kept";
}

TEST_F(ScriptFile, reads_a_changed_file_again) {
  ScriptedModel model;
  EXPECT_EQ(ask(model, 0).not_started()->error.code, Code::not_found);
  write("{\"text\":\"old\"}\n");
  EXPECT_EQ(ask(model, 0).done()->text.data, "old");
  write("{\"text\":\"newer\"}\n");
  EXPECT_EQ(ask(model, 0).done()->text.data, "newer");
  write("{\"text\":\"broken file\n");
  EXPECT_EQ(ask(model, 0).not_started()->error.code, Code::invalid);
}

TEST_F(ScriptFile, cancels_what_is_delayed_when_it_ends) {
  write("{\"text\":\"never\",\"delay_ms\":86400000}\n");
  std::promise<Outcome> promise;
  {
    ScriptedModel model;
    model.ask(path_, "root", 0, [&](Outcome outcome) { promise.set_value(std::move(outcome)); });
  }
  EXPECT_EQ(promise.get_future().get().not_started()->error.code, Code::cancelled);
}

// ---- routing ----

class EmptyBlobs : public ports::Blobs {
 public:
  base::Result<std::string> get(const base::Digest&) override {
    return base::fail(Code::not_found, "none");
  }
};

TEST_F(ScriptFile, is_found_by_its_prefix) {
  write("{\"text\":\"a\"}\n");
  ::mkfifo((folder_ + "/pipe").c_str(), 0600);
  EmptyBlobs blobs;
  const auto models = make_models({.openai_base_url = "http://127.0.0.1:1/v1"}, blobs);
  struct Row {
    std::string model;
    std::optional<Code> code;
    const char* says;
  };
  const Row rows[] = {
      {"script:" + path_, {}, ""},
      {"script:" + folder_, Code::invalid, "Is a directory"},
      {"script:" + folder_ + "/pipe", Code::invalid, "not a plain file"},
      {"script:" + folder_ + "/none", Code::not_found, "No such file"},
      {"script:", Code::not_found, "No such file"},
      {"openai/x", {}, ""},
      {"ollama/x", {}, ""},
      {"openai/", Code::invalid, "has no name"},
      {"openia/x", Code::invalid, "known: script:PATH, openai/NAME, ollama/NAME"},
      {"", Code::invalid, "no known provider"},
      {"gpt-5", Code::invalid, "no known provider"},
  };
  for (const Row& row : rows) {
    const auto checked = models->check(row.model);
    ASSERT_EQ(checked.has_value(), !row.code) << row.model;
    if (!row.code) continue;
    EXPECT_EQ(checked.error().code, *row.code) << row.model;
    EXPECT_NE((checked.error().what + " " + checked.error().details).find(row.says),
              std::string::npos)
        << checked.error().what;
  }
  EXPECT_NE(models->check("openia/x").error().details.find("did you mean openai/"),
            std::string::npos);
  std::remove((folder_ + "/pipe").c_str());
}

TEST(Models, openai_itself_needs_a_key) {
  EmptyBlobs blobs;
  EXPECT_EQ(make_models({}, blobs)->check("openai/gpt-5").error().code, Code::denied);
  EXPECT_TRUE(make_models({.openai_api_key = "sk-x"}, blobs)->check("openai/gpt-5"));
}

}  // namespace
}  // namespace alos::providers
