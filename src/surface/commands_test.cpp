// Commands against a fake kernel: what they say, and with which code they end.
#include "surface/commands.h"

#include <gtest/gtest.h>

#include "surface/arguments.h"
#include "surface/records.h"

namespace alos::surface {
namespace {

using base::Code;
using base::fail;
using base::Result;

const base::Pid kPid{base::JobId{7}, 1};

class FakeKernel final : public kernel::Kernel {
 public:
  std::vector<kernel::ProcessView> processes_;
  std::vector<kernel::RequestView> requests_;
  std::vector<kernel::CapabilityView> capabilities_;
  std::vector<kernel::RecordView> records_;
  kernel::AuditReport report_{.jobs = 1, .records = 3, .findings = {}};
  std::vector<std::pair<std::string, kernel::Answer>> answers_;

  Result<std::vector<kernel::ProcessView>> processes(Which) override { return processes_; }
  Result<kernel::ProcessView> process(base::Pid pid) override {
    for (const auto& one : processes_)
      if (one.pid == pid) return one;
    return fail(Code::not_found, "no process " + base::to_string(pid));
  }
  Result<std::vector<kernel::RequestView>> requests(Which) override { return requests_; }
  Result<kernel::RequestView> request(const std::string& id) override {
    for (const kernel::RequestView& one : requests_)
      if (one.id == id) return one;
    return base::fail(base::Code::not_found, "no request " + id);
  }
  Result<std::vector<kernel::RequestView>> request_page(Which, const std::string&,
                                                        std::size_t) override {
    return requests_;
  }
  Result<std::vector<kernel::CapabilityView>> capabilities(base::Pid) override {
    return capabilities_;
  }
  Result<std::vector<kernel::RecordView>> records(base::JobId, base::Seq from,
                                                  std::size_t limit) override {
    std::vector<kernel::RecordView> out;
    for (const auto& one : records_)
      if (one.seq >= from && out.size() < limit) out.push_back(one);
    return out;
  }
  Result<std::vector<abi::Message>> transcript(base::Pid) override {
    return std::vector<abi::Message>{};
  }
  Result<std::vector<base::JobId>> jobs() override {
    return std::vector<base::JobId>{base::JobId{7}};
  }
  Result<kernel::AuditReport> verify(std::optional<base::JobId>) override { return report_; }
  Result<kernel::AuditReport> check() override { return report_; }
  std::vector<abi::Image> images() const override {
    return {{"base", "thinks", "prompt", {"exit"}, {}}};
  }
  Result<kernel::Plan> plan(const kernel::Launch&) override { return kernel::Plan{}; }
  Result<base::Pid> launch(const kernel::Launch&) override { return kPid; }
  Result<void> resume(base::Pid, const std::string&) override { return {}; }
  Result<void> pause(base::Pid, const std::string&, const std::string&) override { return {}; }
  Result<void> kill(base::Pid, const std::string&, const std::string&) override { return {}; }
  Result<void> answer(const std::string& request, const kernel::Answer& answer) override {
    answers_.emplace_back(request, answer);
    return {};
  }
  Result<std::string> grant(base::Pid, const abi::Grant&, const std::string&) override {
    return std::string("7.c9");
  }
  Result<void> revoke(const std::string&, const std::string&) override { return {}; }
  Result<std::vector<kernel::BudgetView>> budget(base::Pid) override {
    return std::vector<kernel::BudgetView>{};
  }
  Result<void> set_budget(base::Pid, abi::BudgetKind, std::optional<std::uint64_t>,
                          const std::string&) override {
    return {};
  }
  std::size_t drain(std::chrono::milliseconds) override { return 0; }
  Result<void> send(base::Pid, const std::string&, const std::string&) override { return {}; }
  Result<void> set_policy(base::JobId, const std::vector<kernel::Standing>&) override { return {}; }
  Result<base::Json> call(base::Pid, const std::string&, const std::string& arguments) override {
    return base::Json::trusted(arguments);
  }
  Result<void> rebuild() override { return {}; }
  std::optional<base::Error> trouble() const override { return std::nullopt; }
  std::unique_ptr<kernel::Subscription> subscribe(std::optional<base::JobId>) override {
    return nullptr;
  }
  Result<kernel::ProcessView> wait(base::Pid pid, std::chrono::milliseconds) override {
    return process(pid);
  }
};

class TextOutput final : public Output {
 public:
  std::string out_text, err_text;
  void out(std::string_view text) override { out_text += text; }
  void err(std::string_view text) override { err_text += text; }
  void flush() override {}
  bool gone() override { return false; }
};

class Commands : public testing::Test {
 protected:
  Commands() {
    kernel::ProcessView process;
    process.pid = kPid;
    process.name = "root";
    process.state = "waiting";
    process.waiting_on = "request 7.r2";
    process.goal = "tidy \x1b[31m up\xe2\x80\xae";
    kernel_.processes_ = {process};
    kernel_.requests_ = {
        {.id = "7.r2",
         .pid = kPid,
         .process = "root",
         .kind = "approval",
         .question = "may I?\x1b]0;x\x07",
         .asks = {"write fs:/workspace/a"}},
        {.id = "7.r3", .pid = kPid, .process = "root", .kind = "question", .question = "which?"},
        {.id = "7.r1", .pid = kPid, .process = "root", .kind = "approval", .answer = "approved"}};
    kernel_.capabilities_ = {{.id = "7.c4",
                              .grant = "write fs:/workspace/** ask",
                              .from = "manifest",
                              .state = "live",
                              .seq = 5}};
    const auto record = [](base::Seq seq, base::Seq cause, const char* kind, const char* body) {
      return kernel::RecordView{
          .pid = kPid, .seq = seq, .cause = cause, .kind = kind, .body = body, .line = "{}"};
    };
    kernel_.records_ = {
        record(1, 0, "job.created", R"({"owner":"owner","roots":[]})"),
        record(2, 1, "tool.called", R"({"call":1,"tool":"write_file"})"),
        record(
            3, 2, "authority.decided",
            R"({"call":1,"n":1,"name":"fs.write","resource":"fs:/workspace/a","right":"write","decision":"asked","matched":[4],"reason":""})")};
  }

  Result<int> run(std::vector<std::string> words, Format format = Format::text) {
    output_ = {};
    const Parsed parsed = TRY(parse_arguments(words));
    Session session{kernel_, output_, {format, Colour::off, 160}, "/store", Session::Place::here};
    return parsed.command->run(session, parsed.arguments);
  }

  FakeKernel kernel_;
  TextOutput output_;
};

TEST_F(Commands, NothingFromAnAgentReachesTheTerminalRaw) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"ps"}, {"tree"}, {"show", "7.1"}, {"approvals"}, {"log", "7.1"}}) {
    ASSERT_TRUE(run(words)) << words[0];
    EXPECT_FALSE(output_.out_text.empty()) << words[0];
    for (const char* raw : {"\x1b", "\x07", "\xe2\x80\xae"})
      EXPECT_EQ(output_.out_text.find(raw), std::string::npos) << words[0];
  }
}

TEST_F(Commands, JsonIsOneObjectALine) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"ps"},
                                                                 {"approvals"},
                                                                 {"caps", "7.1"},
                                                                 {"log", "7.1"},
                                                                 {"image", "list"},
                                                                 {"audit", "verify"},
                                                                 {"why", "3"}}) {
    ASSERT_TRUE(run(words, Format::json)) << words[0];
    std::string_view rest = output_.out_text;
    ASSERT_FALSE(rest.empty()) << words[0];
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      ASSERT_NE(end, std::string_view::npos) << words[0];
      EXPECT_TRUE(base::parse_json(rest.substr(0, end))) << rest.substr(0, end);
      EXPECT_TRUE(rest.starts_with(R"({"type":")")) << rest.substr(0, end);
      rest = rest.substr(end + 1);
    }
  }
}

TEST_F(Commands, WhyWalksToTheStartAndNamesTheGrant) {
  ASSERT_TRUE(run({"why", "3"}));
  for (const char* part : {"authority.decided", "7.c4", "write fs:/workspace/** ask",
                           "granted by manifest (record 5)", "tool.called", "job.created"})
    EXPECT_NE(output_.out_text.find(part), std::string::npos) << part << " in\n"
                                                              << output_.out_text;
  EXPECT_EQ(run({"why", "9"}).error().code, Code::not_found);
  EXPECT_EQ(run({"why", "x"}).error().code, Code::invalid);
}

TEST_F(Commands, AuditSaysWhatIsWrong) {
  EXPECT_EQ(*run({"audit", "verify"}), 0);
  kernel_.report_.findings.push_back({"job 7: record 2 was changed"});
  EXPECT_EQ(*run({"audit", "verify"}), static_cast<int>(Code::corrupt));
  EXPECT_NE(output_.out_text.find("record 2 was changed"), std::string::npos);
  EXPECT_EQ(run({"audit", "verify", "8"}).error().code, Code::not_found);
}

TEST_F(Commands, AnswersCarryTheirScope) {
  using K = kernel::Answer::Kind;
  using S = kernel::Answer::Scope;
  struct Row {
    std::vector<std::string> words;
    K kind;
    S scope;
  };
  for (const Row& row :
       std::vector<Row>{{{"approve", "7.r2"}, K::approve, S::once},
                        {{"approve", "7.r2", "--uses", "3"}, K::approve, S::uses},
                        {{"approve", "7.r2", "--until", "2h"}, K::approve, S::until},
                        {{"approve", "7.r2", "--process"}, K::approve, S::process},
                        {{"approve", "7.r2", "--job"}, K::approve, S::job},
                        {{"deny", "7.r2"}, K::deny, S::once},
                        {{"deny", "7.r3"}, K::deny, S::once},
                        {{"answer", "7.r3", "this"}, K::answer, S::once}}) {
    kernel_.answers_.clear();
    const auto code = run(row.words);
    ASSERT_TRUE(code) << code.error().what;
    ASSERT_EQ(kernel_.answers_.size(), 1U);
    EXPECT_EQ(kernel_.answers_[0].second.kind, row.kind);
    EXPECT_EQ(kernel_.answers_[0].second.scope, row.scope);
  }
}

TEST_F(Commands, AnswersCarryWhoOverWhatAndTheEditedCall) {
  ASSERT_TRUE(run({"approve", "7.r2", "--process", "--over", "fs:/workspace/**", "--as", "ada"}));
  EXPECT_EQ(kernel_.answers_.back().second.over->text(), "fs:/workspace/**");
  EXPECT_EQ(kernel_.answers_.back().second.by, "human:ada");
  ASSERT_TRUE(run({"approve", "7.r2", "--edit", R"({"path":"/workspace/b"})"}));
  EXPECT_EQ(kernel_.answers_.back().second.edited, R"({"path":"/workspace/b"})");
  EXPECT_EQ(kernel_.answers_.back().second.by, "human:owner");
  ASSERT_TRUE(run({"deny", "7.r2", "--as", "bo"}));
  EXPECT_EQ(kernel_.answers_.back().second.by, "human:bo");
  ASSERT_TRUE(run({"answer", "7.r3", "this", "--as", "bo"}));
  EXPECT_EQ(kernel_.answers_.back().second.by, "human:bo");
}

TEST_F(Commands, AYesThatOthersMustJoinIsNoted) {
  kernel_.requests_[0].who = "2 of owner, ops";
  kernel_.requests_[0].votes = {"human:owner"};
  ASSERT_TRUE(run({"approve", "7.r2", "--always"}));
  EXPECT_EQ(output_.out_text, "noted 7.r2\n");
  EXPECT_EQ(output_.err_text, "it takes a yes from 2 of owner, ops\n");
}

TEST_F(Commands, CapabilitiesAreATableOrATree) {
  kernel_.capabilities_.push_back({.id = "7.c5",
                                   .grant = "write fs:/workspace/a",
                                   .from = "human:owner (request 7.r1)",
                                   .state = "live",
                                   .seq = 9,
                                   .holder = "7.1",
                                   .parent = "7.c4"});
  ASSERT_TRUE(run({"caps", "7.1"}));
  EXPECT_NE(output_.out_text.find("PARENT"), std::string::npos);
  ASSERT_TRUE(run({"caps", "7.1", "--tree", "--job"}));
  EXPECT_EQ(output_.out_text,
            "7.c4  (answers)  write fs:/workspace/** ask  from manifest\n"
            "  7.c5  7.1  write fs:/workspace/a  from human:owner (request 7.r1)\n");
}

TEST_F(Commands, WhyWalksACapabilityBackToWhatItIsDerivedFrom) {
  kernel_.capabilities_[0].parent = "7.c2";
  kernel_.capabilities_.push_back({.id = "7.c2",
                                   .grant = "write fs:/** ask",
                                   .from = "base",
                                   .state = "live",
                                   .seq = 4,
                                   .holder = "7.3"});
  ASSERT_TRUE(run({"why", "3"}));
  EXPECT_NE(output_.out_text.find("        from 7.c2 of 7.3  write fs:/** ask  granted by base"),
            std::string::npos)
      << output_.out_text;
}

TEST_F(Commands, BadAnswersChangeNothing) {
  struct Row {
    std::vector<std::string> words;
    Code code;
  };
  for (const Row& row :
       std::vector<Row>{{{"approve", "7.r3"}, Code::invalid},
                        {{"answer", "7.r2", "x"}, Code::invalid},
                        {{"approve", "7.r1"}, Code::conflict},
                        {{"approve", "7.r8"}, Code::not_found},
                        {{"approve", "7"}, Code::invalid},
                        {{"approve", "7.r2", "--once", "--process"}, Code::invalid},
                        {{"approve", "7.r2", "--uses", "0"}, Code::invalid},
                        {{"approve", "7.r2", "--job", "--always"}, Code::invalid},
                        {{"approve", "7.r2", "--over", "nonsense"}, Code::invalid},
                        {{"approve", "7.r2", "--edit", "{"}, Code::invalid},
                        {{"approve", "7.r2", "--as", ""}, Code::invalid},
                        {{"approve", "7.r2", "--as", "human:ada"}, Code::invalid},
                        {{"approve", "7.r2", "--until", "2001-01-01T00:00:00Z"}, Code::invalid}}) {
    const auto code = run(row.words);
    ASSERT_FALSE(code);
    EXPECT_EQ(code.error().code, row.code) << code.error().what;
  }
  EXPECT_TRUE(kernel_.answers_.empty());
}

TEST_F(Commands, GrantAndCall) {
  EXPECT_EQ(*run({"grant", "7.1", "write fs:/workspace/docs/** until=2h"}), 0);
  EXPECT_NE(output_.out_text.find("7.c9"), std::string::npos);
  EXPECT_EQ(run({"grant", "7.1", "writ fs:/x"}).error().code, Code::invalid);
  EXPECT_EQ(*run({"call", "7.1", "read_file", R"({"path":["a","b"]})"}), 0);
  EXPECT_EQ(output_.out_text, "{\"path\":[\"a\",\"b\"]}\n");
  EXPECT_EQ(run({"call", "7.1", "read_file", "{"}).error().code, Code::invalid);
}

TEST(Arguments, AreReadStrictly) {
  struct Row {
    std::vector<std::string> words;
    const char* what;
  };
  for (const Row& row :
       std::vector<Row>{{{"pss"}, "no command `pss`; did you mean `ps`?"},
                        {{"audit"}, "`audit` needs a second word"},
                        {{"ps", "--stroe", "x"}, "did you mean --store?"},
                        {{"show"}, "`show` needs PID"},
                        {{"show", "1.1", "2.1"}, "does not know what to do with `2.1`"},
                        {{"run", "a", "b"}, "does not know what to do with `b`"},
                        {{"ps", "--store"}, "`ps`"}}) {
    const auto parsed = parse_arguments(row.words);
    ASSERT_FALSE(parsed) << row.what;
    EXPECT_EQ(parsed.error().code, Code::invalid);
    EXPECT_NE(parsed.error().what.find(row.what), std::string::npos) << parsed.error().what;
  }
}

TEST(Arguments, TakeOptionsAnywhereAndWordsAsTheyAre) {
  const auto parsed = parse_arguments({"--store", "/s", "run", "--root", "a=b", "do [this] \"now\"",
                                       "--root", "c=d", "--json", "--grant", "read fs:/a"});
  ASSERT_TRUE(parsed) << parsed.error().what;
  EXPECT_EQ(parsed->command->name, "run");
  EXPECT_EQ(parsed->arguments.words, std::vector<std::string>{"do [this] \"now\""});
  EXPECT_EQ(parsed->arguments.all("root"), (std::vector<std::string>{"a=b", "c=d"}));
  EXPECT_EQ(parsed->arguments.one("store"), "/s");
  EXPECT_TRUE(parsed->arguments.has("json"));
  EXPECT_FALSE(parsed->arguments.has("dry-run"));
  EXPECT_EQ(parse_arguments({"audit", "verify", "7"})->command->name, "audit verify");
  EXPECT_EQ(parse_arguments({})->command, nullptr);
}

TEST(Arguments, EveryCommandHasHelpWithExamples) {
  for (const CommandSpec& command : commands()) {
    EXPECT_NE(help_text(command).find("alos " +
                                      std::string(command.name.substr(0, command.name.find(' ')))),
              std::string::npos);
    EXPECT_FALSE(command.examples.empty()) << command.name;
    EXPECT_EQ(command.run_host != nullptr, command.access == Access::host) << command.name;
    EXPECT_TRUE(command.run != nullptr || command.run_host != nullptr) << command.name;
  }
  EXPECT_TRUE(completion_script("bash"));
  EXPECT_FALSE(completion_script("tcsh"));
}

TEST(Report, SaysWhatAndTheWayOut) {
  TextOutput output;
  report(output, {Format::json, Colour::off, 80},
         {Code::conflict, "in use\x1b[0m", "wait\nor not"});
  EXPECT_EQ(output.err_text, "alos: in use\\u{001B}[0m\n  wait\n  or not\n");
  EXPECT_TRUE(output.out_text.starts_with(R"({"type":"error","code":"conflict",)"))
      << output.out_text;
}

}  // namespace
}  // namespace alos::surface
