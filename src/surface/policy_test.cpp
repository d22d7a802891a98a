#include "surface/policy.h"

#include <gtest/gtest.h>

namespace alos::surface {
namespace {

abi::Grant rule(const char* text) {
  auto grant = abi::Grant::from_text(text);
  EXPECT_TRUE(grant) << text;
  return *grant;
}

constexpr const char* kPolicy =
    "alos: 1\n"
    "rules:\n"
    "  - deny: write fs:/workspace/vendor/**   # never\n"
    "  - allow: execute shell:make\n"
    "workspaces:\n"
    "  /home/ada/shop:\n"
    "    - allow: write fs:/workspace/docs/**\n"
    "    - deny: write fs:/other/**\n";

TEST(Policy, CountsForTheStoreAndForTheDirectoryUnderItsName) {
  const auto policy = Policy::parse(kPolicy, "p.yaml");
  ASSERT_TRUE(policy) << policy.error().what;
  struct Row {
    abi::Roots roots;
    std::vector<std::string> standing;
  };
  const std::string deny = "policy:store write fs:/workspace/vendor/** deny";
  const std::string make = "policy:store execute shell:make";
  for (const Row& row : {Row{{}, {deny, make}}, Row{{{"workspace", "/home/bo"}}, {deny, make}},
                         Row{{{"workspace", "/home/ada/shop"}},
                             {deny, make, "policy:/home/ada/shop write fs:/workspace/docs/**"}},
                         // The same directory under another name: the rule names another root.
                         Row{{{"other", "/home/ada/shop"}, {"workspace", "/home/bo"}},
                             {deny, make, "policy:/home/ada/shop write fs:/other/** deny"}}}) {
    std::vector<std::string> standing;
    for (const kernel::Standing& one : policy->standing_for(row.roots))
      standing.push_back(one.from + ' ' + one.grant.to_text());
    EXPECT_EQ(standing, row.standing);
  }
}

struct Bad {
  const char* text;
  const char* what;
};

class BadPolicy : public testing::TestWithParam<Bad> {};

TEST_P(BadPolicy, IsRefusedWithItsLine) {
  const auto policy = Policy::parse(GetParam().text, "p.yaml");
  ASSERT_FALSE(policy) << GetParam().text;
  EXPECT_EQ(policy.error().code, base::Code::invalid);
  EXPECT_NE(policy.error().what.find(GetParam().what), std::string::npos) << policy.error().what;
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadPolicy,
    testing::Values(Bad{"rules: []\n", "p.yaml:1: a policy begins with `alos: 1`"},
                    Bad{"alos: 2\n", "a policy begins with `alos: 1`"},
                    Bad{"- a\n", "p.yaml:1: a policy is a map"},
                    Bad{"alos: 1\nrule: []\n", "a policy has no key `rule`; did you mean `rules`?"},
                    Bad{"alos: 1\nrules: a\n", "p.yaml:2: `rules` is a list of rules"},
                    Bad{"alos: 1\nrules:\n  - write fs:/w/a\n", "p.yaml:3: a rule is a map"},
                    Bad{"alos: 1\nrules:\n  - alow: write fs:/w/a\n", "did you mean `allow`?"},
                    Bad{"alos: 1\nrules:\n  - {allow: read fs:/w/a, deny: read fs:/w/a}\n",
                        "p.yaml:3: a rule has one of `allow`, `deny`"},
                    Bad{"alos: 1\nrules:\n  - allow: writ fs:/w/a\n", "p.yaml:3: `allow`: grant"},
                    Bad{"alos: 1\nrules:\n  - allow: write fs:/w/a ask\n", "and no more"},
                    Bad{"alos: 1\nrules:\n  - deny: write fs:/w/a deny\n", "and no more"},
                    Bad{"alos: 1\nrules:\n  - allow: write fs:/w/a uses=3\n", "and no more"},
                    Bad{"alos: 1\nrules:\n  - allow: write fs:/w/a delegate\n", "and no more"},
                    Bad{"alos: 1\nrules:\n  - deny: write fs:/w/** bytes<=64K\n",
                        "p.yaml:3: `deny`: grant `write fs:/w/** bytes<=64K deny`: a deny of"},
                    Bad{"alos: 1\nworkspaces: [a]\n", "`workspaces` is a map of directories"},
                    Bad{"alos: 1\nworkspaces: {shop: []}\n", "`shop` is not an absolute directory"},
                    Bad{"alos: 1\nworkspaces:\n  /shop:\n    - allow: write fs:/**\n",
                        "p.yaml:4: `allow`: a workspace's rule on files names its root"}));

struct Added {
  std::string before;
  std::optional<std::string> dir;
  std::string after;
};

TEST(Policy, GrowsAndStaysAsItWasWritten) {
  const std::string line = "- allow: \"write fs:/workspace/a\"\n";
  for (const Added& row : {
           Added{"alos: 1\n", {}, "alos: 1\nrules:\n  " + line},
           Added{"alos: 1\nrules:\n", {}, "alos: 1\nrules:\n  " + line},
           Added{"alos: 1\nrules: []\n", {}, "alos: 1\nrules:\n  " + line},
           Added{"alos: 1\nrules:\n- deny: read fs:/w/x # mine\n\n# the end\n",
                 {},
                 "alos: 1\nrules:\n- deny: read fs:/w/x # mine\n" + line + "\n# the end\n"},
           Added{"alos: 1\nrules:\n    - deny:\n        read fs:/w/x\nworkspaces: {}\n",
                 {},
                 "alos: 1\nrules:\n    - deny:\n        read fs:/w/x\n    " + line +
                     "workspaces: {}\n"},
           Added{"alos: 1", "/d", "alos: 1\nworkspaces:\n  \"/d\":\n    " + line},
           Added{"alos: 1\nworkspaces:\n    /e:\n    - deny: read fs:/w/x\n", "/d",
                 "alos: 1\nworkspaces:\n    \"/d\":\n      " + line +
                     "    /e:\n    - deny: read fs:/w/x\n"},
           Added{
               "alos: 1\nworkspaces:\n  /d:\n    - deny: read fs:/w/x\n  /e: []\n", "/d",
               "alos: 1\nworkspaces:\n  /d:\n    - deny: read fs:/w/x\n    " + line + "  /e: []\n"},
       }) {
    const auto after = with_rule(row.before, "p.yaml", row.dir, rule("write fs:/workspace/a"));
    ASSERT_TRUE(after) << row.before << after.error().what;
    EXPECT_EQ(*after, row.after);
    EXPECT_EQ(*with_rule(*after, "p.yaml", row.dir, rule("write fs:/workspace/a")), *after);
  }
}

TEST(Policy, WritesWhatAReaderWouldNotSeeAsAnEscape) {
  const abi::Grant hidden = rule("write fs:/workspace/\xe2\x80\xae\"\xf3\xa0\x80\x81\xc3\xbc");
  const auto text = with_rule("alos: 1\n", "p.yaml", "/\xe2\x80\x8b\td", hidden);
  ASSERT_TRUE(text) << text.error().what;
  EXPECT_EQ(*text,
            "alos: 1\nworkspaces:\n  \"/\\u200B\\td\":\n"
            "    - allow: \"write fs:/workspace/\\u202E\\\"\\U000E0001\xc3\xbc\"\n");
  const auto policy = Policy::parse(*text, "p.yaml");
  ASSERT_TRUE(policy) << policy.error().what;
  EXPECT_EQ(policy->workspaces.at(0).rules.at(0).grant, hidden);
}

TEST(Policy, SaysSoWhenItCannotBeAddedTo) {
  for (const char* text :
       {"{alos: 1}\n", "alos: 1\nrules: [{deny: read fs:/w/x}]\n", "alos: 1\nrules: [\n]\n"}) {
    const auto after = with_rule(text, "p.yaml", std::nullopt, rule("write fs:/workspace/a"));
    ASSERT_FALSE(after) << text << *after;
    EXPECT_EQ(after.error().code, base::Code::conflict);
    EXPECT_NE(after.error().details.find("- allow: \"write fs:/workspace/a\""), std::string::npos);
  }
  EXPECT_EQ(with_rule("alos: 2\n", "p.yaml", std::nullopt, rule("read fs:/w/a")).error().code,
            base::Code::invalid);
}

TEST(Policy, AnEmptyFileIsBegun) {
  const auto text = with_rule("", "p.yaml", std::nullopt, rule("write fs:/workspace/a deny"));
  ASSERT_TRUE(text) << text.error().what;
  EXPECT_TRUE(text->starts_with("# What people decided for good")) << *text;
  EXPECT_TRUE(text->ends_with("rules:\n  - deny: \"write fs:/workspace/a\"\n")) << *text;
}

}  // namespace
}  // namespace alos::surface
