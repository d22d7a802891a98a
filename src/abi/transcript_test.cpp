// Transcript: shared, append-only, named by its head.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "abi/model.h"

namespace alos::abi::test {
namespace {

Message said(std::string text) { return {Role::user, std::move(text), {}, {}}; }

TEST(Transcript, AppendsAndLooksBack) {
  Transcript talk;
  EXPECT_EQ(talk.size(), 0U);
  EXPECT_TRUE(talk.head().is_zero());
  for (const char* text : {"one", "two", "three"}) talk.append(said(text));
  EXPECT_EQ(talk.size(), 3U);
  EXPECT_EQ(talk.back().text, base::Text("three"));
  EXPECT_EQ(talk.from_back(0).text, base::Text("three"));
  EXPECT_EQ(talk.from_back(2).text, base::Text("one"));
  const auto all = talk.messages();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0]->text, base::Text("one"));
  EXPECT_EQ(all[2]->text, base::Text("three"));
}

TEST(TranscriptDeathTest, LookingBeforeTheBeginningAborts) {
  Transcript talk;
  talk.append(said("one"));
  EXPECT_DEATH((void)talk.from_back(1), "count < size");
}

TEST(Transcript, ACopyIsAValueOfItsOwn) {
  Transcript first;
  first.append(said("shared"));
  Transcript second = first;
  second.append(said("more"));
  EXPECT_EQ(first.size(), 1U);
  EXPECT_EQ(first.back().text, base::Text("shared"));
  EXPECT_EQ(second.size(), 2U);
  first.append(said("else"));
  EXPECT_NE(first.head(), second.head());
  EXPECT_EQ(&first.from_back(1), &second.from_back(1)) << "the common part is not shared";
}

TEST(Transcript, TheHeadNamesTheWholeOfIt) {
  const auto head = [](std::vector<Message> messages) {
    return Transcript::from_items(std::move(messages)).head();
  };
  const base::Digest both = head({said("a"), said("b")});
  EXPECT_EQ(both, head({said("a"), said("b")}));
  EXPECT_NE(both, head({said("b"), said("a")}));
  EXPECT_NE(both, head({said("a")}));
  EXPECT_NE(both, head({said("ab")}));
  EXPECT_NE(both, head({said("a"), {Role::assistant, "b", {}, {}}}));
  EXPECT_NE(both, head({said("a"), {Role::tool, "b", {}, "id"}}));
  EXPECT_NE(both, head({said("a"), {Role::user, "b", {{"id", "read_file", "{}"}}, {}}}));
}

TEST(Transcript, TheHeadIsTheSameWhenTheTextHasMovedToTheStore) {
  const std::string large(5000, 'x');
  Transcript here, moved;
  here.append(said(large));
  Message message = said({});
  message.text.blob = base::BlobRef{base::Digest::of(large), large.size()};
  moved.append(message);
  EXPECT_EQ(here.head(), moved.head());
  Transcript named;
  named.append(said(base::to_hex(base::Digest::of(large))));  // text that only reads like it
  EXPECT_NE(named.head(), moved.head());
}

TEST(Transcript, ALongChainIsFreedWithoutRecursion) {
  Transcript talk;
  for (int i = 0; i < 200'000; ++i) talk.append({Role::user, "m", {}, {}});
  EXPECT_EQ(talk.size(), 200'000U);
  Transcript branch = talk;
  branch.append(said("last"));
  talk = {};  // the branch still holds all of it
  EXPECT_EQ(branch.from_back(200'000).text, base::Text("m"));
  branch = {};
  EXPECT_EQ(branch.size(), 0U);
}

TEST(Transcript, IsWrittenAndRead) {
  Transcript talk;
  talk.append(said("goal"));
  talk.append({Role::assistant, "", {{"1", "read_file", R"({"path":"a"})"}}, {}});
  talk.append({Role::tool, "content", {}, "1"});
  const std::string text = base::to_json(talk);
  EXPECT_EQ(
      text,
      R"([{"role":"user","text":"goal","tool_calls":[]},)"
      R"({"role":"assistant","text":"","tool_calls":[{"id":"1","name":"read_file","arguments":"{\"path\":\"a\"}"}]},)"
      R"({"role":"tool","text":"content","tool_calls":[],"tool_call_id":"1"}])");
  const auto back = base::from_json<Transcript>(text, base::Source::journal);
  ASSERT_TRUE(back.has_value()) << back.error().what;
  EXPECT_EQ(back->head(), talk.head());
  EXPECT_EQ(back->to_items(), talk.to_items());
}

}  // namespace
}  // namespace alos::abi::test
