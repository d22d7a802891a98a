#include "surface/prompt.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace alos::surface {
namespace {

using kernel::Answer;
using kernel::RequestView;

const base::Time kNow{1'700'000'000'000'000};
const Style kPlain{Format::text, Colour::off, 100};

RequestView approval(std::vector<std::string> asks = {"write fs:/workspace/docs/guide.md"}) {
  return {.id = "1.r1",
          .pid = {base::JobId{1}, 1},
          .process = "root",
          .goal = "tidy up",
          .kind = "approval",
          .asks = std::move(asks),
          .preview = "replace 2 bytes with 2 bytes:\n@@ -1,1 +1,1 @@\n-a\n+b\n",
          .call = "fs.write",
          .arguments = R"({"path":"/workspace/docs/guide.md"})",
          .within = {"fs:/workspace/**"}};
}

TEST(Prompt, SaysWhatEachChoiceRemembers) {
  const std::string text = prompt_text(kPlain, approval(), {}, kNow);
  for (const char* part :
       {"? 1.1 root asks (1.r1)\n", "  goal     tidy up\n",
        "  wants to write fs:/workspace/docs/guide.md\n  call     fs.write\n", "  | -a\n  | +b\n",
        "  [o]nce    this very call\n",
        "  [p]rocess write fs:/workspace/docs/guide.md until 1.1 ends\n",
        "  [f]older  write anything under fs:/workspace/docs/ until 1.1 ends\n",
        "  [j]ob     write fs:/workspace/docs/guide.md, every process of job 1\n",
        "  [a]lways  the same, and in later jobs (saved in policy.yaml)\n", "  [e]dit    ",
        "  [N]ever   ", "  [n]o, or why not> "})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  EXPECT_EQ(text.find("made by"), std::string::npos);
}

TEST(Prompt, ShowsDescentQuorumAndDeadline) {
  RequestView request = approval();
  request.who = "2 of owner, ops";
  request.votes = {"human:ada"};
  request.deadline = kNow + std::chrono::minutes(30);
  request.otherwise = "no";
  kernel::ProcessView root, child;
  root.pid = {base::JobId{1}, 1}, root.name = "root";
  child.pid = {base::JobId{1}, 2}, child.name = "helper";
  const std::string text = prompt_text(kPlain, request, {root, child}, kNow);
  for (const char* part :
       {"  made by  1.1 root > 1.2 helper\n", "  yes from 2 of owner, ops; yes so far: human:ada\n",
        " UTC, in 30 min; then the answer is: no\n"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  EXPECT_EQ(text.find("[e]dit"), std::string::npos);  // what others agreed on is not edited
}

TEST(Prompt, NothingFromAnAgentReachesTheTerminalRaw) {
  const std::string hostile = "\x1b[2J\xe2\x80\xae\xe2\x80\x8b\r" + std::string(5000, 'x');
  RequestView request = approval({"write fs:/workspace/" + hostile});
  request.process = request.goal = request.question = request.preview = hostile;
  request.who = request.otherwise = hostile;
  request.deadline = kNow;
  kernel::ProcessView process;
  process.name = hostile;
  RequestView question = request;
  question.kind = "question";
  question.choices = {hostile};
  question.schema = hostile;
  for (const RequestView& one : {request, question}) {
    const std::string text = prompt_text(kPlain, one, {process, process}, kNow);
    for (const char* raw : {"\x1b", "\xe2\x80\xae", "\xe2\x80\x8b", "\r"})
      EXPECT_EQ(text.find(raw), std::string::npos);
    EXPECT_LT(text.size(), 40'000U);
    EXPECT_NE(text.find(" more) … xx"), std::string::npos) << "what is cut is counted";
  }
}

struct Row {
  const char* line;
  Answer::Kind kind;
  Answer::Scope scope;
  const char* over;
  Then then;
  const char* text;
};

TEST(Prompt, UnderstandsALine) {
  using K = Answer::Kind;
  using S = Answer::Scope;
  constexpr auto kNone = Then::nothing;
  for (const Row& row : {
           Row{"o", K::approve, S::once, "", kNone, ""},
           Row{" yes ", K::approve, S::once, "", kNone, ""},
           Row{"p", K::approve, S::process, "", kNone, ""},
           Row{"f", K::approve, S::process, "fs:/workspace/docs/**", kNone, ""},
           Row{"job", K::approve, S::job, "", kNone, ""},
           Row{"a", K::approve, S::job, "", Then::save, ""},
           Row{"p over fs:/workspace/**", K::approve, S::process, "fs:/workspace/**", kNone, ""},
           Row{"always over fs:/workspace/docs/*", K::approve, S::job, "fs:/workspace/docs/*",
               Then::save, ""},
           Row{"e", K::approve, S::once, "", Then::edit, ""},
           Row{"uses 3", K::approve, S::uses, "", kNone, ""},
           Row{"until 2h", K::approve, S::until, "", kNone, ""},
           Row{"n", K::deny, S::once, "", kNone, ""},
           Row{"N", K::deny, S::job, "", Then::save, ""},
           Row{"put it elsewhere", K::deny, S::once, "", kNone, "put it elsewhere"},
           Row{"not over my files", K::deny, S::once, "", kNone, "not over my files"},
       }) {
    const auto said = understood(approval(), row.line, kNow);
    ASSERT_TRUE(said && *said) << row.line;
    EXPECT_EQ((*said)->answer.kind, row.kind) << row.line;
    EXPECT_EQ((*said)->answer.scope, row.scope) << row.line;
    EXPECT_EQ((*said)->answer.over ? (*said)->answer.over->text() : "", row.over) << row.line;
    EXPECT_EQ((*said)->then, row.then) << row.line;
    EXPECT_EQ((*said)->answer.text, row.text) << row.line;
  }
  EXPECT_FALSE(*understood(approval(), "  \r", kNow));
  for (const char* line : {"uses many", "until 2001-01-01T00:00:00Z", "p over nonsense"})
    EXPECT_EQ(understood(approval(), line, kNow).error().code, base::Code::invalid) << line;
}

TEST(Prompt, TakesAnAnswerOrANumber) {
  RequestView question{.kind = "question", .choices = {"left", "right"}};
  EXPECT_EQ((*understood(question, "2", kNow))->answer.text, "right");
  EXPECT_EQ((*understood(question, "3", kNow))->answer.text, "3");
  EXPECT_EQ((*understood(question, "p", kNow))->answer.kind, Answer::Kind::answer);
}

bool offers_folder(const RequestView& request) {
  const auto choices = choices_of(request);
  return std::any_of(choices.begin(), choices.end(),
                     [](const Choice& choice) { return choice.word == "folder"; });
}

TEST(Prompt, OffersAFolderOnlyWhereThereIsOne) {
  for (const auto& asks : std::vector<std::vector<std::string>>{
           {"execute shell:git"}, {"write fs:/workspace"}, {"write fs:/w/a/x", "write fs:/w/b/x"}})
    EXPECT_FALSE(offers_folder(approval(asks)));
  RequestView request = approval({"write fs:/w/a/x", "write fs:/w/a/y"});
  request.within = {"fs:/w/**", "fs:/w/a/**"};
  EXPECT_EQ(choices_of(request)[2].what, "write anything under fs:/w/a/ until 1.1 ends");
  // Wider than what is asked about, or nobody knows how wide that is: then it would be an error.
  request.within = {"fs:/w/**", "fs:/w/a/*"};
  EXPECT_FALSE(offers_folder(request));
  request.within = {};
  EXPECT_FALSE(offers_folder(request));
}

TEST(Prompt, ShowsTheCallItselfWhereThereIsNoPreview) {
  RequestView request = approval({"write fs:/workspace/a"});
  request.call = "fs.remove", request.preview.clear();
  request.arguments = "{\"path\":\"/workspace/a\x1b\"}";
  EXPECT_EQ(call_text(kPlain, request),
            "  call     fs.remove\n  | {\"path\":\"/workspace/a\\u{001B}\"}\n");
}

}  // namespace
}  // namespace alos::surface
