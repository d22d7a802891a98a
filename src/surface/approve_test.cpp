#include "surface/approve.h"

#include <gtest/gtest.h>

namespace alos::surface {
namespace {

using kernel::Answer;
using kernel::RequestView;

constexpr const char* kRules =
    "- deny: \"write fs:/workspace/secrets/**\"\n"
    "- approve: \"read,write fs:/workspace/**\"\n"
    "- approve: \"read fs:/docs/**\"\n"
    "  scope: process\n"
    "- answer: \"no, wait\"\n"
    "  question: deploy\n"
    "- answer: \"yes\"\n";

RequestView approval(std::vector<std::string> asks) {
  return {.id = "1.r1", .kind = "approval", .asks = std::move(asks)};
}

struct Row {
  RequestView request;
  Answer::Kind kind;
  Answer::Scope scope;
  const char* text;
};

TEST(ApproveRules, FirstMatchWins) {
  const auto policy = ApprovePolicy::parse_rules(kRules, "rules.yaml");
  ASSERT_TRUE(policy) << policy.error().what;
  using K = Answer::Kind;
  using S = Answer::Scope;
  const std::vector<Row> rows{
      {approval({"write fs:/workspace/a"}), K::approve, S::once, ""},
      {approval({"write fs:/workspace/secrets/a"}), K::deny, S::once,
       "a rule denies write fs:/workspace/secrets/**"},
      {approval({"write fs:/workspace/**"}), K::deny, S::once,
       "a rule denies"},  // it would hold the secrets
      {approval({"read fs:/docs/a"}), K::approve, S::process, ""},
      {approval({"read fs:/docs/a", "write fs:/workspace/b"}), K::approve, S::once, ""},
      {approval({"read fs:/docs/a", "write fs:/docs/a"}), K::deny, S::once,
       "no rule approves write fs:/docs/a"},
      {approval({"write fs:/workspace2/a"}), K::deny, S::once, "no rule approves"},
      {approval({}), K::deny, S::once, "does not say"},
      {{.kind = "question", .question = "shall I deploy?"}, K::answer, S::once, "no, wait"},
      {{.kind = "question", .question = "shall I go on?"}, K::answer, S::once, "yes"},
  };
  for (const Row& row : rows) {
    const auto answer = policy->answer(row.request);
    ASSERT_TRUE(answer);
    const std::string shown =
        row.request.question + (row.request.asks.empty() ? "" : row.request.asks.front());
    EXPECT_EQ(answer->kind, row.kind) << shown;
    if (answer->kind == K::approve) {
      EXPECT_EQ(answer->scope, row.scope) << shown;
    }
    EXPECT_NE(answer->text.find(row.text), std::string::npos) << shown << ": " << answer->text;
  }
}

TEST(ApproveRules, ConditionsOnNamesCount) {
  const auto policy = ApprovePolicy::parse_rules(
      "- deny: \"write fs:/workspace/** name=*.sh\"\n"
      "- approve: \"write fs:/workspace/** name=*.md|*.sh\"\n",
      "rules.yaml");
  ASSERT_TRUE(policy) << policy.error().what;
  using K = Answer::Kind;
  for (const auto& [asked, kind] : {std::pair{"write fs:/workspace/a.md", K::approve},
                                    {"write fs:/workspace/a.sh", K::deny},
                                    {"write fs:/workspace/a.cc", K::deny},
                                    {"write fs:/workspace/*", K::deny}})
    EXPECT_EQ(policy->answer(approval({asked}))->kind, kind) << asked;
}

TEST(ApproveRules, NewAuthorityIsGivenOnlyAsItIsNamed) {
  const auto policy = ApprovePolicy::parse_rules(
      "- approve: \"read,write fs:/workspace/*\"\n- approve: \"read fs:/docs/** name=*.md\"\n",
      "rules.yaml");
  ASSERT_TRUE(policy) << policy.error().what;
  using K = Answer::Kind;
  for (const auto& [asked, kind] : {std::pair{"read,write fs:/workspace/*", K::approve},
                                    {"read fs:/workspace/*", K::approve},
                                    {"read fs:/workspace/a", K::deny},
                                    {"read fs:/workspace/* delegate", K::deny},
                                    {"read fs:/workspace/* uses=2", K::deny},
                                    {"read fs:/workspace/* until=2031-01-01T00:00:00Z", K::deny},
                                    {"read fs:/docs/**", K::deny},
                                    {"read fs:/docs/** name=*.md", K::approve}}) {
    const RequestView request{.id = "1.r1", .kind = "grant", .asks = {asked}};
    EXPECT_EQ(policy->answer(request)->kind, kind) << asked;
  }
}

TEST(ApproveRules, BadOnesNameTheLine) {
  struct Bad {
    const char* text;
    const char* what;
  };
  for (const Bad& bad :
       {Bad{"a: b\n", "r.yaml:1: approval rules are a list"},
        Bad{"- aprove: x\n", "did you mean `approve`?"},
        Bad{"- approve: \"write\"\n", "r.yaml:1: `approve`: grant `write`"},
        Bad{"- {approve: \"read fs:/a\", deny: \"read fs:/a\"}\n", "a rule has one of"},
        Bad{"- deny: \"read fs:/a\"\n  scope: once\n", "`scope`: it belongs to `approve`"},
        Bad{"- approve: \"read fs:/a\"\n  scope: job\n", "neither `once` nor `process`"},
        Bad{"- approve: \"write fs:/a uses=1\"\n", "r.yaml:1: `approve`: a rule has rights"},
        Bad{"- approve: \"write fs:/a until=2031-01-01T00:00:00Z\"\n", "and no more"},
        Bad{"- approve: \"write fs:/a delegate\"\n", "and no more"},
        Bad{"- approve: \"write fs:/a bytes<=2\"\n", "and no more"},
        Bad{"- approve: \"write fs:/a ask\"\n", "and no more"},
        Bad{"- deny: \"execute shell:git argv=git,push\"\n", "`deny`: a rule has rights"},
        Bad{"- {}\n", "a rule has one of"}, Bad{"- x\n", "a rule is a map"}}) {
    const auto policy = ApprovePolicy::parse_rules(bad.text, "r.yaml");
    ASSERT_FALSE(policy) << bad.text;
    EXPECT_NE(policy.error().what.find(bad.what), std::string::npos) << policy.error().what;
  }
}

TEST(ApproveModes, AnswerOrLeaveItToThePerson) {
  const RequestView question{.kind = "question", .choices = {"left", "right"}};
  EXPECT_FALSE(ApprovePolicy::from_option(std::nullopt)->answer(question));
  EXPECT_FALSE(ApprovePolicy::from_option("ask")->answer(question));
  EXPECT_EQ(ApprovePolicy::from_option("allow")->answer(question)->text, "left");
  EXPECT_EQ(ApprovePolicy::from_option("allow")->answer(approval({"write fs:/a"}))->kind,
            Answer::Kind::approve);
  EXPECT_EQ(ApprovePolicy::from_option("deny")->answer(question)->kind, Answer::Kind::deny);
  const auto missing = ApprovePolicy::from_option("/nonexistent/rules.yaml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, base::Code::not_found);
}

TEST(ApproveRules, AnEmptyFileDeniesEverything) {
  const auto policy = ApprovePolicy::parse_rules("", "r.yaml");
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->answer(approval({"read fs:/a"}))->kind, Answer::Kind::deny);
  EXPECT_EQ(policy->answer({.kind = "question", .question = "?"})->kind, Answer::Kind::deny);
}

}  // namespace
}  // namespace alos::surface
