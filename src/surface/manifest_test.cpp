#include "surface/manifest.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace alos::surface {
namespace {

const base::Time kNow{1'700'000'000'000'000};

base::Result<Manifest> parse(const std::string& text) {
  return Manifest::parse(text, "m.yaml", "/home/me/run", kNow);
}

TEST(Manifest, TakesAllKeys) {
  const auto manifest = parse(
      "alos: 1\nimage: coding\ngoal: Make the failing test pass.\nmodel: "
      "script:./turns.jsonl\nroots: {workspace: ., docs: ../docs}\n"
      "grants:\n  - read,list fs:/workspace/**\n  - write fs:/workspace/src/** until=2h\n"
      "budget: {model_tokens: 200000, usd: 2.00, tool_calls: 300, wall: 2h, processes: 0}\n"
      "base_grants: none\nprices: {input_usd_per_mtok: 1.25, output_usd_per_mtok: 10}\ncwd: "
      "/workspace\nname: fixer\n"
      "trapdoors: [fs:/workspace/deploy.sh]\ntools: [read_file]\nneeds: [\"read "
      "fs:/workspace/**\"]\nprompt: Be brief.\npeople: {ada: [reviewer], bo: [ops, on-call], cy: "
      "}\n");
  ASSERT_TRUE(manifest) << manifest.error().what;
  EXPECT_EQ(manifest->model, "script:/home/me/run/turns.jsonl");
  ASSERT_EQ(manifest->roots.size(), 2U);
  EXPECT_EQ(manifest->roots[1].dir, "/home/me/docs");
  ASSERT_EQ(manifest->grants.size(), 2U);
  EXPECT_EQ(manifest->grants[1].until, kNow + std::chrono::hours(2));
  EXPECT_EQ(manifest->budget.usd_micro, 2'000'000U);
  EXPECT_EQ(manifest->budget.wall_ms, 7'200'000U);
  EXPECT_EQ(manifest->budget.processes, 0U);
  EXPECT_FALSE(manifest->budget.model_calls);
  EXPECT_EQ(manifest->usd_micro_per_mtok_in, 1'250'000U);
  ASSERT_EQ(manifest->people.size(), 3U);
  EXPECT_EQ(manifest->people[1].name, "bo");
  EXPECT_EQ(manifest->people[1].roles, (std::vector<std::string>{"ops", "on-call"}));
  EXPECT_TRUE(manifest->people[2].roles.empty());
  EXPECT_EQ(manifest->base_grants, "none");
  EXPECT_EQ(manifest->tools, std::vector<std::string>{"read_file"});
}

struct Bad {
  const char* text;
  const char* what;
};

class BadManifest : public testing::TestWithParam<Bad> {};

TEST_P(BadManifest, IsRefusedWithLineAndKey) {
  const auto manifest = parse(GetParam().text);
  ASSERT_FALSE(manifest) << GetParam().text;
  EXPECT_EQ(manifest.error().code, base::Code::invalid);
  EXPECT_NE(manifest.error().what.find(GetParam().what), std::string::npos)
      << manifest.error().what;
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadManifest,
    testing::Values(
        Bad{"", "a manifest is a map of keys to values, not nothing"},
        Bad{"- a\n", "m.yaml:1: a manifest is a map of keys to values, not a list"},
        Bad{"goal: x\n", "m.yaml:1: a manifest begins with `alos: 1`"},
        Bad{"alos: 2\n", "m.yaml:1: `alos`: version 2 is not known here"},
        Bad{"alos: [1]\n", "m.yaml:1: `alos` is the number 1, not a list"},
        Bad{"alos: 1\ngaol: x\n", "m.yaml:2: a manifest has no key `gaol`; did you mean `goal`?"},
        Bad{"alos: 1\ngoal: a\ngoal: b\n", "m.yaml:3: key `goal` is there twice"},
        Bad{"alos: 1\ngoal: [a]\n", "m.yaml:2: `goal` is text, not a list"},
        Bad{"alos: 1\ngoal:\n", "`goal` is text, not nothing"},
        Bad{"alos: 1\nroots: workspace\n",
            "m.yaml:2: `roots` is a map of names to texts, not text"},
        Bad{"alos: 1\nroots: {workspace: [a]}\n", "`roots: workspace` is text, not a list"},
        Bad{"alos: 1\ngrants: read fs:/a\n", "m.yaml:2: `grants` is a list of texts, not text"},
        Bad{"alos: 1\ngrants:\n  - read fs:/w/**\n  - reed fs:/w/**\n",
            "m.yaml:4: `grants`: grant `reed fs:/w/**`"},
        Bad{"alos: 1\ngrants:\n  - read fs:/w/** aks\n", "did you mean `ask`?"},
        Bad{"alos: 1\nbudget: {tokens: 5}\n", "m.yaml:2: `budget`: a budget has no `tokens`"},
        Bad{"alos: 1\nbudget: {tool_calls: many}\n",
            "m.yaml:2: `budget`: tool_calls `many` is not a whole number"},
        Bad{"alos: 1\nbudget: {tool_calls: -1}\n", "tool_calls `-1` is not a whole number"},
        Bad{"alos: 1\nbudget:\n  wall: 90\n", "m.yaml:3: `budget`"},
        Bad{"alos: 1\nbudget: {usd: 2.0000001}\n", "is not an amount of US dollars"},
        Bad{"alos: 1\nbudget: {usd: -2}\n", "is not an amount of US dollars"},
        Bad{"alos: 1\nbase_grants: some\n",
            "m.yaml:2: `base_grants`: `some` is neither `all` nor `none`"},
        Bad{"alos: 1\nprices: {input: 1}\n", "m.yaml:2: prices has no key `input`"},
        Bad{"alos: 1\npeople: [ada]\n",
            "m.yaml:2: `people` is a map of names to lists of roles, not a list"},
        Bad{"alos: 1\npeople: {ada: ops}\n", "`people: ada` is a list of roles, not text"},
        Bad{"alos: 1\npeople: {ada: [[ops]]}\n", "m.yaml:2: `people`: names and roles"},
        Bad{"alos: 1\npeople: {\"human:ada\": []}\n", "m.yaml:2: `people`: names and roles"},
        Bad{"alos: 1\n---\nalos: 1\n", "a second document"}, Bad{"alos: 1\ngoal: [x\n", "not YAML"},
        Bad{"alos: 1\ngoal: \xff\n", "is not UTF-8"},
        Bad{"alos: 1\n? [a]\n: b\n", "a key is text"}));

TEST(Manifest, AliasesCannotBlowUp) {
  std::string text = "alos: 1\na: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'i'; ++c)
    text += fmt::format("{}: &{} [*{},*{},*{},*{},*{},*{},*{},*{},*{}]\n", c, c, char(c - 1),
                        char(c - 1), char(c - 1), char(c - 1), char(c - 1), char(c - 1),
                        char(c - 1), char(c - 1), char(c - 1));
  const auto manifest = parse(text);
  ASSERT_FALSE(manifest);
  EXPECT_NE(manifest.error().what.find("more than"), std::string::npos) << manifest.error().what;
}

TEST(Usd, IsExact) {
  struct Row {
    const char* text;
    std::uint64_t micro;
  };
  for (const Row& row :
       {Row{"2", 2'000'000}, Row{"2.5", 2'500'000}, Row{"0.000001", 1}, Row{"0", 0}})
    EXPECT_EQ(*abi::parse_usd_micro(row.text), row.micro) << row.text;
  for (const char* text : {"", ".", "2.", ".5", "1e3", "2.0000000", "99999999999", "$2"})
    EXPECT_FALSE(abi::parse_usd_micro(text)) << text;
}

}  // namespace
}  // namespace alos::surface
