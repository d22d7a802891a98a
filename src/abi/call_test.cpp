// Calls: the digest binds every field, needs name the right thing, names and classes are frozen.
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "abi/calls.h"

namespace alos::abi::test {
namespace {

using base::Digest;
using base::Path;

Path path(std::string_view text) { return Path::parse(text).value(); }

constexpr Caller kCaller{{base::JobId{7}, 2}};

std::string shown(const Needs& needs) {
  std::string out;
  for (const Need& need : needs) {
    out += out.empty() ? "" : "; ";
    ((out += base::name_of(need.right)) += ' ') += need.resource.text();
    if (need.reach == Reach::subtree) out += " and beneath";
  }
  return out;
}

template <typename C>
void expect_all_differ(const std::vector<C>& calls) {
  std::set<Digest> seen;
  for (const C& call : calls) {
    EXPECT_TRUE(seen.insert(digest_of(call)).second) << C::kName << ": " << base::to_json(call);
    EXPECT_EQ(digest_of(call), digest_of(C(call)));
  }
}

TEST(Call, ADigestBindsEveryField) {
  expect_all_differ<FsRead>({{path("/a"), {}, {}},
                             {path("/b"), {}, {}},
                             {path("/a"), 0, {}},
                             {path("/a"), {}, 0},
                             {path("/a"), 1, {}}});
  const Digest old = Digest::of("old");
  expect_all_differ<FsWrite>(
      {{path("/a"), "x", Existing::any, {}},
       {path("/b"), "x", Existing::any, {}},
       {path("/a"), "y", Existing::any, {}},
       {path("/a"), "x", Existing::must, {}},
       {path("/a"), "x", Existing::must_not, {}},
       {path("/a"), "x", Existing::any, old},
       {path("/a"), std::string(5000, 'x'), Existing::any, {}},
       {path("/a"), std::string(5000, 'y'), Existing::any, {}},  // kept as a blob: still bound
       {path("/a"), std::string(5001, 'x'), Existing::any, {}},
       {path("/a"), "\xff", Existing::any, {}},
       {path("/a"), "\xfe", Existing::any, {}},
       {path("/a"), "\\xff", Existing::any, {}}});
  expect_all_differ<FsMove>(
      {{path("/a"), path("/b")}, {path("/b"), path("/a")}, {path("/a"), path("/a")}});
  expect_all_differ<MemPut>({{{}, "n", "t", base::Json(), {}},
                             {"7.1", "n", "t", base::Json(), {}},
                             {{}, "m", "t", base::Json(), {}},
                             {{}, "n", "u", base::Json(), {}},
                             {{}, "n", "t", base::Json::trusted("1"), {}},
                             {{}, "n", "t", base::Json(), 0}});
  expect_all_differ<HumanAsk>({{"owner", "q", {}},
                               {"other", "q", {}},
                               {"owner", "r", {}},
                               {"owner", "q", {"a"}},
                               {"owner", "q", {"a", "b"}},
                               {"owner", "q", {"ab"}}});
}

TEST(Call, DifferentCallsOfEqualArgumentsDiffer) {
  EXPECT_NE(digest_of(FsRead{path("/a"), {}, {}}), digest_of(FsList{path("/a")}));
  EXPECT_NE(digest_of(FsRemove{path("/a")}), digest_of(FsStat{path("/a")}));
}

TEST(Call, AConversationIsBoundByItsDigest) {
  const auto call = [](const char* system, const char* said, const char* tool) {
    Conversation talk;
    talk.system = system;
    talk.transcript.append({Role::user, said, {}, {}});
    talk.tools = std::make_shared<const std::vector<ToolSpec>>(
        std::vector<ToolSpec>{{tool, "", base::Json()}});
    ModelGenerate out{"openai/x", "root", 0, {}, 0, {}};
    out.continue_from(std::move(talk));
    return out;
  };
  expect_all_differ<ModelGenerate>(
      {call("s", "u", "t"), call("z", "u", "t"), call("s", "z", "t"), call("s", "u", "z")});
  EXPECT_EQ(digest_of(call("s", "u", "t")), digest_of(call("s", "u", "t")));
}

TEST(Call, NeedsNameWhatTheCallTouches) {
  EXPECT_EQ(shown(FsRead{path("/w/a b"), {}, {}}.needs(kCaller)), "read fs:/w/a%20b");
  EXPECT_EQ(shown(FsWrite{path("/w/a"), "", Existing::any, {}}.needs(kCaller)), "write fs:/w/a");
  EXPECT_EQ(shown(FsList{path("/w")}.needs(kCaller)), "list fs:/w and beneath");
  EXPECT_EQ(shown(FsStat{path("/w")}.needs(kCaller)), "list fs:/w");
  EXPECT_EQ(shown(FsSearch{path("/w"), "*.cc", {}, 200}.needs(kCaller)), "list fs:/w and beneath");
  EXPECT_EQ(shown(FsSearch{path("/w"), {}, "text", 200}.needs(kCaller)), "read fs:/w and beneath");
  EXPECT_EQ(shown(FsMkdir{path("/w/d"), false}.needs(kCaller)), "write fs:/w/d");
  EXPECT_EQ(shown(FsMove{path("/w/a"), path("/w/b")}.needs(kCaller)),
            "read fs:/w/a; write fs:/w/a; write fs:/w/b");
  EXPECT_EQ(shown(FsRemove{path("/w/a")}.needs(kCaller)), "write fs:/w/a");
  EXPECT_EQ(shown(TimeNow{}.needs(kCaller)), "read clock:now");
  EXPECT_EQ(shown(TimeSleep{5}.needs(kCaller)), "execute clock:sleep");
  EXPECT_EQ(shown(HumanAsk{"owner", "?", {}}.needs(kCaller)), "read human:owner");
  EXPECT_EQ(shown(HumanTell{"owner", "!"}.needs(kCaller)), "write human:owner");
  EXPECT_EQ(shown(CapRequest{}.needs(kCaller)), "read human:owner");
  EXPECT_EQ(shown(CapList{}.needs(kCaller)), "");
  EXPECT_EQ(shown(MemPut{{}, "n", "t", {}, {}}.needs(kCaller)), "write object:7.2/n");
  EXPECT_EQ(shown(MemPut{"7.1", "n", "t", {}, {}}.needs(kCaller)), "write object:7.1/n");
  EXPECT_EQ(shown(MemGet{{}, "n"}.needs(kCaller)), "read object:7.2/n");
  EXPECT_EQ(shown(MemAppend{{}, "n", {}}.needs(kCaller)), "write object:7.2/n");
  EXPECT_EQ(shown(MemList{}.needs(kCaller)), "list object:7.2/ and beneath");
  EXPECT_EQ(shown(ProcChdir{path("/w")}.needs(kCaller)), "list fs:/w");
  EXPECT_EQ(shown(ModelGenerate{"openai/x", "", 0, {}, 0, {}}.needs(kCaller)),
            "execute model:openai/x");
}

template <typename... C>
std::vector<std::string> names_and_classes(CallList<C...>) {
  return {std::string(C::kName) + ' ' + std::string(base::name_of(C::kClass))...};
}

// They stand in journals: a call may be added; none may change its name or its class.
TEST(Call, NamesAndClassesAreFrozen) {
  const std::vector<std::string> known{
      "fs.read observe",           "fs.write verifiable",  "fs.list observe",
      "fs.stat observe",           "fs.search observe",    "fs.mkdir verifiable",
      "fs.move verifiable",        "fs.remove verifiable", "time.now observe",
      "time.sleep internal",       "human.ask internal",   "human.tell internal",
      "cap.request internal",      "cap.list internal",    "mem.put internal",
      "mem.get internal",          "mem.append internal",  "mem.list internal",
      "proc.info internal",        "proc.chdir internal",  "proc.exit internal",
      "model.generate repeatable", "msg.send internal",    "msg.receive internal",
      "proc.wait_any internal"};
  const auto present = names_and_classes(AllCalls{});
  const std::set<std::string> set(present.begin(), present.end());
  EXPECT_EQ(set.size(), present.size()) << "a name stands twice";
  for (const std::string& one : known) EXPECT_TRUE(set.contains(one)) << one;
}

TEST(Call, ConceptsTellTheKindsApart) {
  static_assert(ExternalCall<FsWrite> && PinnedCall<FsWrite> && !InternalCall<FsWrite> &&
                !DeferredCall<FsWrite>);
  static_assert(InternalCall<MemPut> && !ExternalCall<MemPut> && !PinnedCall<ProcChdir>);
  static_assert(DeferredCall<ModelGenerate> && !PinnedCall<ModelGenerate>);
  FsMove move{path("/a"), path("/b")};
  EXPECT_EQ(move.paths()[0]->text(), "/a");
  EXPECT_EQ(move.paths()[1]->text(), "/b");
}

}  // namespace
}  // namespace alos::abi::test
