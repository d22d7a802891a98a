#include "tools/tools.h"

#include <gtest/gtest.h>

#include <set>

#include "abi/grant.h"
#include "support/fake_syscalls.h"
#include "tools/builtin/bytes.h"

namespace alos::tools {
namespace {

using abi::Existing;
using base::Code;
using base::Json;
using base::Path;
using test::FakeSyscalls;

const std::string kDigestOf0(64, '0');

Path path(std::string_view text) { return *Path::parse(text); }

base::Result<abi::ToolReply> run(FakeSyscalls& sys, std::string_view tool,
                                 std::string_view arguments) {
  static const ToolSet kTools = builtin_tools();
  const Tool* found = kTools.find(tool);
  EXPECT_NE(found, nullptr) << tool;
  return found->run(sys, arguments);
}

// A world in which every call works.
FakeSyscalls world() {
  FakeSyscalls sys;
  const base::Pid child{base::JobId{7}, 2};
  sys.reply<abi::ProcSpawn>({child});
  sys.reply<abi::ProcWait>({child, abi::ProcessState::exited, base::Text("fine"), ""});
  sys.reply<abi::ProcList>({{{child, {base::JobId{7}, 1}, "rev", abi::ProcessState::runnable}}});
  sys.reply<abi::CapDerive>(
      {{{base::CapId{9}, *abi::Grant::from_text("write fs:/workspace/docs/** uses=3"), ""}}});
  sys.reply<abi::CapDrop>({1});
  sys.reply<abi::ProcWaitAny>({child, abi::ProcessState::exited, base::Text("fine"), ""});
  sys.reply<abi::MsgSend>({5});
  sys.reply<abi::MsgReceive>({{"7.2", 4, "note", base::Text("well"), {}}, 1});
  sys.reply<abi::FsRead>({"text of it\n", 11, {}});
  sys.reply<abi::FsWrite>({3, true});
  sys.reply<abi::FsList>(
      {{{"a.cc", abi::FileKind::file, 5}, {"src", abi::FileKind::directory, 0}}, false});
  sys.reply<abi::FsStat>({abi::FileKind::directory, 0, {}, path("/workspace/real")});
  sys.reply<abi::FsSearch>({{{path("/workspace/a.cc"), 3, "int x;"}}, false});
  sys.reply<abi::FsMkdir>({true});
  sys.reply<abi::FsMove>({})
      .reply<abi::FsRemove>({})
      .reply<abi::ProcChdir>({})
      .reply<abi::ProcExit>({});
  sys.reply<abi::HumanTell>({}).reply<abi::HumanAsk>({"blue"}).reply<abi::CapRequest>(
      {{base::CapId{3}, base::CapId{4}}});
  sys.reply<abi::CapList>(
      {{{base::CapId{2}, *abi::Grant::from_text("read fs:/workspace/** uses=2"), "manifest"}}});
  sys.answer<abi::MemPut>([](const abi::MemPut& put) -> base::Result<abi::MemPut::Reply> {
    return abi::MemPut::Reply{put.name, 1};
  });
  sys.reply<abi::MemGet>({"note", 2, Json::trusted(R"({"a":[1,2]})")});
  sys.reply<abi::MemAppend>({"log", 5}).reply<abi::MemList>({{{"log", "list", 5, 99}}});
  sys.reply<abi::TimeNow>({*base::parse_time("2026-11-22T16:43:17Z")})
      .reply<abi::TimeSleep>({*base::parse_time("2026-11-22T16:43:17Z")});
  return sys;
}

struct Good {
  const char* tool;
  const char* arguments;
  std::vector<std::string> calls;
  const char* value;
};

// clang-format off: one row a call
TEST(Tools, GoodArgumentsBecomeTheRightCalls) {
  const std::vector<Good> rows{
      {"read_file", R"({"path":"a.cc"})", {R"(fs.read {"path":"/workspace/a.cc","bytes_max":262144})"}, R"({"content":"text of it\n","file_bytes":11})"},
      {"read_file", R"({"path":"/data/x","offset":0,"limit":40})", {R"(fs.read {"path":"/data/x","offset":0,"bytes_max":40})"}, R"({"content":"text of it\n","file_bytes":11})"},
      {"write_file", R"({"path":"./b/./c","content":"a\u0000é"})", {R"(fs.write {"path":"/workspace/b/c","content":"a\u0000é","existing":"any"})"}, R"({"path":"/workspace/b/c","bytes":3,"created":true})"},
      {"edit_file", R"({"path":"a","old":"text","new":"word"})",
       {R"(fs.read {"path":"/workspace/a"})", R"(fs.write {"path":"/workspace/a","content":"word of it\n","existing":"must","expected":")" + kDigestOf0 + R"("})"},
       R"({"path":"/workspace/a","replaced":1,"bytes":3})"},
      {"list_directory", R"({"path":"."})", {R"(fs.list {"path":"/workspace"})"},
       R"({"path":"/workspace","entries":[{"name":"a.cc","kind":"file","bytes":5},{"name":"src","kind":"directory","bytes":0}]})"},
      {"find_files", R"({"pattern":"**/*.cc"})", {R"(fs.search {"path":"/workspace","glob":"**/*.cc","matches_max":1000})"}, R"({"files":["/workspace/a.cc"]})"},
      {"find_files", R"({"pattern":"src/net/*.cc"})", {R"(fs.search {"path":"/workspace/src/net","glob":"*.cc","matches_max":1000})"}, R"({"files":["/workspace/a.cc"]})"},
      {"find_files", R"({"pattern":"/data/*/b/**"})", {R"(fs.search {"path":"/data","glob":"*/b/**","matches_max":1000})"}, R"({"files":["/workspace/a.cc"]})"},
      {"find_files", R"({"pattern":"README.md"})", {R"(fs.search {"path":"/workspace","glob":"README.md","matches_max":1000})"}, R"({"files":["/workspace/a.cc"]})"},
      {"search_files", R"({"pattern":"int"})", {R"(fs.search {"path":"/workspace","text":"int","matches_max":200})"}, R"({"matches":[{"path":"/workspace/a.cc","line":3,"text":"int x;"}]})"},
      {"search_files", R"({"pattern":"int","path":"src"})", {R"(fs.search {"path":"/workspace/src","text":"int","matches_max":200})"}, R"({"matches":[{"path":"/workspace/a.cc","line":3,"text":"int x;"}]})"},
      {"make_directory", R"({"path":"x/y"})", {R"(fs.mkdir {"path":"/workspace/x/y","parents":true})"}, R"({"path":"/workspace/x/y","created":true})"},
      {"move_file", R"({"from":"x","to":"/workspace/y"})", {R"(fs.move {"from":"/workspace/x","to":"/workspace/y"})"}, R"({"from":"/workspace/x","to":"/workspace/y"})"},
      {"delete_file", R"({"path":"x"})", {R"(fs.remove {"path":"/workspace/x"})"}, R"({"path":"/workspace/x"})"},
      {"set_working_directory", R"({"path":"link"})", {R"(fs.stat {"path":"/workspace/link"})", R"(proc.chdir {"path":"/workspace/real"})"}, R"({"path":"/workspace/real"})"},
      {"ask_human", R"({"question":"Which?","choices":["blue","red"]})", {R"(human.ask {"to":"owner","question":"Which?","choices":["blue","red"]})"}, R"({"answer":"blue"})"},
      {"ask_human", R"({"question":"Which?"})", {R"(human.ask {"to":"owner","question":"Which?","choices":[]})"}, R"({"answer":"blue"})"},
      {"tell_human", R"({"text":"Done."})", {R"(human.tell {"to":"owner","text":"Done."})"}, R"({"told":"owner"})"},
      {"request_permission", R"({"grants":["read fs:/workspace/docs/**","write fs:/workspace/o uses=1"],"reason":"docs"})",
       {R"(cap.request {"grants":["read fs:/workspace/docs/**","write fs:/workspace/o uses=1"],"reason":"docs"})"}, R"({"granted":["7.c3","7.c4"]})"},
      {"list_capabilities", "", {"cap.list {}"}, R"({"capabilities":[{"id":"7.c2","grant":"read fs:/workspace/** uses=2","from":"manifest"}]})"},
      {"spawn_process", R"({"goal":"Review.","name":"rev","grants":["read fs:/workspace/**"]})",
       {R"(proc.spawn {"image":"coding","goal":"Review.","name":"rev","grants":["read fs:/workspace/**"]})"}, R"({"pid":"7.2"})"},
      {"wait_process", R"({"pid":"7.2"})", {R"(proc.wait {"pid":"7.2"})"}, R"({"pid":"7.2","state":"exited","result":"fine","reason":""})"},
      {"wait_process", R"({"pid":"rev"})", {"proc.list {}", R"(proc.wait {"pid":"7.2"})"}, R"({"pid":"7.2","state":"exited","result":"fine","reason":""})"},
      {"wait_process", R"({"any":["7.2","7.3"]})", {R"(proc.wait_any {"pids":["7.2","7.3"]})"}, R"({"pid":"7.2","state":"exited","result":"fine","reason":""})"},
      {"wait_process", R"({"all":["7.2"]})", {R"(proc.wait {"pid":"7.2"})"}, R"({"ended":[{"pid":"7.2","state":"exited","result":"fine","reason":""}]})"},
      {"list_processes", "{}", {"proc.list {}"}, R"({"processes":[{"pid":"7.2","parent":"7.1","name":"rev","state":"runnable"}]})"},
      {"delegate_capability", R"({"to":"7.2","grant":"write fs:/workspace/docs/** uses=3"})",
       {R"(cap.derive {"to":"7.2","grant":"write fs:/workspace/docs/** uses=3"})"}, R"({"handed":[{"id":"7.c9","grant":"write fs:/workspace/docs/** uses=3"}]})"},
      {"drop_capability", R"({"id":"7.c2"})", {R"(cap.drop {"cap":2})"}, R"({"dropped":1})"},
      {"send_message", R"({"to":"7.2","text":"hello","re":3})", {R"(msg.send {"to":"7.2","kind":"message","text":"hello","re":3})"}, R"({"number":5})"},
      {"send_message", R"({"to":"rev","text":"hello","kind":"note"})", {"proc.list {}", R"(msg.send {"to":"7.2","kind":"note","text":"hello"})"}, R"({"number":5})"},
      {"receive_message", R"({"kind":"note","timeout_s":2})", {R"(msg.receive {"which":{"kind":"note"},"timeout_ms":2000})"}, R"({"from":"7.2","number":4,"kind":"note","text":"well","left":1})"},
      {"put_object", R"({"name":"plan","type":"note","value":{"b":1,"a":null}})", {R"(mem.put {"name":"plan","type":"note","value":{"b":1,"a":null}})"}, R"({"name":"plan","version":1})"},
      {"put_object", R"({"name":"plan","type":"note","value":1,"namespace":"7.2"})", {R"(mem.put {"space":"7.2","name":"plan","type":"note","value":1})"}, R"({"name":"plan","version":1})"},
      {"put_object", R"({"type":"note","value":"x"})", {R"(mem.put {"name":"note-ba2df490","type":"note","value":"x"})"}, R"({"name":"note-ba2df490","version":1})"},
      {"get_object", R"({"name":"plan"})", {R"(mem.get {"name":"plan"})"}, R"({"name":"plan","type":"note","version":2,"value":{"a":[1,2]}})"},
      {"get_object", R"({"oid":"plan","namespace":"7.2"})", {R"(mem.get {"space":"7.2","name":"plan"})"}, R"({"name":"plan","type":"note","version":2,"value":{"a":[1,2]}})"},
      {"append_object", R"({"name":"log","item":{"x":1.5}})", {R"(mem.append {"name":"log","item":{"x":1.5}})"}, R"({"name":"log","version":5})"},
      {"list_objects", " ", {"mem.list {}"}, R"({"objects":[{"name":"log","type":"list","version":5,"bytes":99}]})"},
      {"object_from_file", R"({"path":"d/a.cc"})", {R"(fs.read {"path":"/workspace/d/a.cc"})", R"(mem.put {"name":"a.cc","type":"text","value":"text of it\n"})"}, R"({"name":"a.cc","version":1,"type":"text","file_bytes":11})"},
      {"object_to_file", R"({"name":"plan","path":"p.json"})", {R"(mem.get {"name":"plan"})", R"(fs.write {"path":"/workspace/p.json","content":"{\"a\":[1,2]}","existing":"any"})"}, R"({"path":"/workspace/p.json","bytes":3,"created":true})"},
      {"get_time", "{}", {"time.now {}"}, R"({"now":"2026-11-22T16:43:17.000000Z"})"},
      {"sleep", R"({"seconds":2})", {R"(time.sleep {"milliseconds":2000})"}, R"({"woke":"2026-11-22T16:43:17.000000Z"})"},
      {"sleep", R"({"seconds":0.25})", {R"(time.sleep {"milliseconds":250})"}, R"({"woke":"2026-11-22T16:43:17.000000Z"})"},
      {"exit", R"({"result":"all\ndone"})", {R"(proc.exit {"result":"all\ndone"})"}, R"({"exiting":true})"},
      {"exit", R"({"result":{"n":1}})", {R"(proc.exit {"result":"{\"n\":1}"})"}, R"({"exiting":true})"},
  };
  std::set<std::string> tried;
  for (const Good& row : rows) {
    SCOPED_TRACE(std::string(row.tool) + row.arguments);
    FakeSyscalls sys = world();
    const auto reply = run(sys, row.tool, row.arguments);
    ASSERT_TRUE(reply) << text_of(reply.error());
    EXPECT_EQ(reply->value.data, row.value);
    EXPECT_EQ(sys.calls(), row.calls);
    tried.insert(row.tool);
  }
  EXPECT_EQ(tried.size(), builtin_tools().all().size()) << "every tool has a row";
}
// clang-format on

struct Bad {
  const char* tool;
  std::string arguments;
  const char* what;     // a part of it
  const char* details;  // a part of it
};

TEST(Tools, BadArgumentsAreInvalidAndSayWhatFits) {
  const std::vector<Bad> rows{
      {"read_file", "", "`path` is missing", "read_file takes {path, offset?, limit?}"},
      {"read_file", "[]", "expected an object, got array", "read_file takes {path"},
      {"read_file", "null", "expected an object, got null", "read_file takes {path"},
      {"read_file", R"({"path":5})", "`path`: expected a string, got integer",
       "read_file takes {path"},
      {"read_file", R"({"path":"a","ofset":5})", "`ofset` is not known", "did you mean `offset`?"},
      {"read_file", R"({"path":"a","offset":-1})",
       "`offset`: expected an integer that is not negative", "read_file takes"},
      {"read_file", R"({"path":"a","offset":"1"})", "`offset`: expected an integer",
       "read_file takes"},
      {"read_file", R"({"path":"a","limit":0})", "`limit` is 0", "leave it out"},
      {"read_file", R"({"path":"a")", "arguments of read_file: not JSON at byte",
       "read_file takes"},
      {"read_file", R"(path: a)", "not JSON at byte", "read_file takes"},
      {"read_file", "{\"path\":\"\xff\xfe\"}", "not JSON at byte", "read_file takes"},
      {"read_file", R"({"path":"../x"})", "holds `..`", "from its root"},
      {"read_file", R"({"path":""})", "the path is empty", "`.`"},
      {"write_file", R"({"path":"a"})", "`content` is missing", "write_file takes {path, content}"},
      {"write_file", R"({"path":"a","content":{"x":1}})",
       "`content`: expected a string, got object", "write_file takes"},
      {"write_file", R"({"path":"a","content":{"$blob":"00","bytes":1}})",
       "`content`: expected a string", "write_file takes"},
      {"edit_file", R"({"path":"a","old":"","new":"x"})", "`old` is empty", "write_file"},
      {"edit_file", R"({"path":"a","old":"x","new":"x"})", "are the same", ""},
      {"edit_file", R"({"path":"a","old":"x","new":"y","all":"yes"})",
       "`all`: expected true or false", "edit_file takes {path, old, new, all?}"},
      {"find_files", R"({"pattern":""})", "`pattern` is empty", ""},
      {"find_files", R"({"pattern":"/*/a"})", "names no root", "/workspace"},
      {"find_files", R"({"pattern":"src/"})", "ends in a slash", "src/**"},
      {"find_files", R"({"pattern":"*/../x"})", "holds `..`", ""},
      {"find_files", R"({"pattern":"../*"})", "holds `..`", ""},
      {"search_files", R"({"pattern":""})", "`pattern` is empty", ""},
      {"search_files", R"({"pattern":"a\nb"})", "line break", ""},
      {"ask_human", R"({"question":" "})", "`question` is empty", ""},
      {"ask_human", R"({"question":"x","choices":["a",1]})", "`choices[1]`: expected a string", ""},
      {"tell_human", R"({"text":""})", "`text` is empty", ""},
      {"request_permission", R"({"grants":[],"reason":"x"})", "`grants` is empty", ""},
      {"request_permission", R"({"grants":["raed fs:/w/a"],"reason":"x"})",
       "`grants[0]`: grant `raed fs:/w/a`: `raed` is not a right; did you mean `read`?", ""},
      {"put_object", R"({"value":1})", "`type` is missing", "name?, type, value, namespace?"},
      {"get_object", R"({})", "give `name`", ""},
      {"get_object", R"({"name":"a","oid":"a"})", "only one", ""},
      {"sleep", R"({"seconds":"5"})", "`seconds`: expected a number", ""},
      {"sleep", R"({"seconds":-0.5})", "`seconds`: expected a number from 0", ""},
      {"sleep", R"({"seconds":1e12})", "`seconds`: expected a number from 0", ""},
      {"exit", R"({})", "`result` is missing", ""},
      {"get_time", R"({"zone":"UTC"})", "`zone` is not known", ""},
  };
  for (const Bad& row : rows) {
    SCOPED_TRACE(std::string(row.tool) + row.arguments);
    FakeSyscalls sys = world();
    const auto reply = run(sys, row.tool, row.arguments);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Code::invalid);
    EXPECT_NE(reply.error().what.find(row.what), std::string::npos) << reply.error().what;
    EXPECT_NE(reply.error().details.find(row.details), std::string::npos) << reply.error().details;
    EXPECT_TRUE(sys.calls().empty()) << "nothing is asked of the kernel";
  }
}

TEST(Tools, HugeArgumentsAreRefusedUnreadAndLargeOnesPass) {
  FakeSyscalls sys = world();
  const std::string head = R"({"path":"a","content":")";
  const auto refused = run(sys, "write_file", head + std::string(100 << 20, 'x') + "\"}");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_NE(refused.error().what.find("is too large"), std::string::npos);
  EXPECT_NE(refused.error().details.find("1572864"), std::string::npos);
  EXPECT_TRUE(sys.calls().empty());
  EXPECT_TRUE(run(sys, "write_file", head + std::string(1 << 20, 'x') + "\"}"));
}

TEST(Tools, DeepArgumentsAreRefused) {
  FakeSyscalls sys = world();
  const std::string deep =
      R"({"type":"t","value":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  const auto reply = run(sys, "put_object", deep);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::invalid);
}

TEST(Tools, ErrorsOfCallsComeBackUnchanged) {
  struct Row {
    const char* tool;
    const char* arguments;
    std::size_t calls;
  };
  const std::vector<Row> rows{
      {"read_file", R"({"path":"a"})", 1},
      {"edit_file", R"({"path":"a","old":"text","new":"x"})", 2},
      {"set_working_directory", R"({"path":"a"})", 2},
      {"ask_human", R"({"question":"x"})", 1},
      {"object_from_file", R"({"path":"a"})", 2},
      {"object_to_file", R"({"name":"a","path":"b"})", 2},
      {"sleep", R"({"seconds":1})", 1},
      {"request_permission", R"({"grants":["read fs:/a"],"reason":""})", 1}};
  for (const Row& row : rows) {
    for (const Code code : {Code::parked, Code::denied, Code::outcome_unknown}) {
      SCOPED_TRACE(row.tool);
      FakeSyscalls sys = world();
      if (std::string_view(row.tool) == "read_file") sys.error<abi::FsRead>(code);
      sys.error<abi::FsWrite>(code)
          .error<abi::ProcChdir>(code)
          .error<abi::HumanAsk>(code)
          .error<abi::MemPut>(code);
      sys.error<abi::TimeSleep>(code).error<abi::CapRequest>(code);
      const auto reply = run(sys, row.tool, row.arguments);
      ASSERT_FALSE(reply);
      EXPECT_EQ(reply.error(), (base::Error{code, "as the test wants it", ""}));
      EXPECT_EQ(sys.calls().size(), row.calls) << "nothing after the call that did not come back";
    }
  }
}

TEST(ReadFile, GivesPartsOfWholeCharacters) {
  const std::string file = "aé€😀z";  // 1 + 2 + 3 + 4 + 1 bytes
  struct Row {
    std::uint64_t offset, limit;
    const char* content;  // nullptr: invalid
    std::optional<std::uint64_t> next;
  };
  const std::vector<Row> rows{{0, 100, "aé€😀z", {}}, {0, 11, "aé€😀z", {}}, {0, 10, "aé€😀", 10},
                              {0, 9, "aé€", 6},       {0, 5, "aé", 3},       {0, 2, "a", 1},
                              {1, 2, "é", 3},         {2, 5, "€", 6},        {3, 2, nullptr, {}},
                              {7, 4, "z", {}},        {11, 5, "", {}},       {50, 5, "", {}}};
  for (const Row& row : rows) {
    SCOPED_TRACE(std::to_string(row.offset) + "+" + std::to_string(row.limit));
    FakeSyscalls sys;
    sys.answer<abi::FsRead>([&](const abi::FsRead& read) -> base::Result<abi::FsRead::Reply> {
      const std::size_t from = std::min<std::size_t>(read.offset.value_or(0), file.size());
      return abi::FsRead::Reply{file.substr(from, *read.bytes_max), file.size(), {}};
    });
    const std::string arguments = R"({"path":"f","offset":)" + std::to_string(row.offset) +
                                  R"(,"limit":)" + std::to_string(row.limit) + "}";
    const auto reply = run(sys, "read_file", arguments);
    ASSERT_EQ(reply.has_value(), row.content != nullptr);
    if (!reply) {
      EXPECT_NE(reply.error().what.find("cuts a character"), std::string::npos);
      continue;
    }
    std::string expected = R"({"content":")" + std::string(row.content) + R"(","file_bytes":11)";
    if (row.next) expected += R"(,"next_offset":)" + std::to_string(*row.next);
    EXPECT_EQ(reply->value.data, expected + "}");
  }
}

TEST(ReadFile, SaysThatAFileIsBinary) {
  FakeSyscalls sys;
  for (const std::string& bytes : {std::string("\x7f"
                                               "ELF\xff\xfe"),
                                   std::string("caf\xe9"), std::string("\x80\x80\x80")}) {
    sys.reply<abi::FsRead>({bytes, bytes.size(), {}});
    const auto reply = run(sys, "read_file", R"({"path":"f"})");
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Code::invalid);
    EXPECT_NE(reply.error().what.find("/workspace/f is binary"), std::string::npos);
    EXPECT_NE(reply.error().what.find(std::to_string(bytes.size()) + " bytes"), std::string::npos);
    EXPECT_NE(reply.error().details.find("object_from_file"), std::string::npos);
  }
}

TEST(EditFile, ReplacesOnlyWhatIsUnambiguous) {
  struct Row {
    const char* text;
    const char* arguments;
    std::optional<Code> error;
    const char* expected;  // the new text, or a part of the error
  };
  const std::vector<Row> rows{
      {"one two", R"("old":"two","new":"three")", {}, "one three"},
      {"one two", R"("old":" two","new":"")", {}, "one"},
      {"a.a.a", R"("old":"a","new":"b","all":true)", {}, "b.b.b"},
      {"aaaa", R"("old":"aa","new":"a","all":true)", {}, "aa"},
      {"one two", R"("old":"two","new":"three","all":true)", {}, "one three"},
      {"a.a.a", R"("old":"a","new":"b")", Code::conflict,
       "`old` is 3 times in /workspace/f (give more of the lines"},
      {"a.a.a", R"("old":"a","new":"b","all":false)", Code::conflict, "3 times"},
      {"one two", R"("old":"four","new":"b")", Code::not_found,
       "`old` is not in /workspace/f (read_file shows"},
      {"one\n  two", R"("old":"    two\n","new":"b")", Code::not_found,
       "without the white space around it"},
      {"one\r\ntwo\r\n", R"("old":"one\ntwo","new":"b")", Code::not_found, "lines end in \\r\\n"},
      {"", R"("old":"a","new":"b","all":true)", Code::not_found, "is not in"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.arguments);
    FakeSyscalls sys;
    sys.reply<abi::FsRead>({row.text, 0, base::Digest::of(row.text)});
    std::optional<abi::FsWrite> written;
    sys.answer<abi::FsWrite>([&](const abi::FsWrite& write) -> base::Result<abi::FsWrite::Reply> {
      written = write;
      return abi::FsWrite::Reply{1, false};
    });
    const auto reply = run(sys, "edit_file", R"({"path":"f",)" + std::string(row.arguments) + "}");
    ASSERT_EQ(reply.has_value(), !row.error.has_value());
    if (row.error) {
      EXPECT_EQ(reply.error().code, *row.error);
      EXPECT_NE(text_of(reply.error()).find(row.expected), std::string::npos)
          << text_of(reply.error());
      EXPECT_FALSE(written);
      continue;
    }
    ASSERT_TRUE(written);
    EXPECT_EQ(written->content.data, row.expected);
    EXPECT_EQ(written->existing, Existing::must);
    EXPECT_EQ(written->expected, base::Digest::of(row.text));
  }
}

TEST(SetWorkingDirectory, OnlyToADirectory) {
  FakeSyscalls sys = world();
  sys.reply<abi::FsStat>({abi::FileKind::file, 5, {}, path("/workspace/a/f")});
  const auto reply = run(sys, "set_working_directory", R"({"path":"a/f"})");
  ASSERT_FALSE(reply);
  EXPECT_EQ(
      text_of(reply.error()),
      "error invalid: /workspace/a/f is no directory but a file (its directory is /workspace/a)");
  EXPECT_EQ(sys.calls().size(), 1U);
}

TEST(Paths, AreTakenFromTheWorkingDirectory) {
  FakeSyscalls sys = world();
  sys.set_cwd("/workspace/sub");
  EXPECT_TRUE(run(sys, "delete_file", R"({"path":"x"})"));
  EXPECT_TRUE(run(sys, "search_files", R"({"pattern":"x"})"));
  EXPECT_EQ(sys.calls()[0], R"(fs.remove {"path":"/workspace/sub/x"})");
  EXPECT_EQ(sys.calls()[1], R"(fs.search {"path":"/workspace/sub","text":"x","matches_max":200})");
}

TEST(Objects, FilesGoInAndComeOutTheSame) {
  for (const std::string& bytes : {std::string("text\n\"é\""), std::string(), std::string("\xff"),
                                   std::string("\x00\xff\x01\xfe", 4), std::string(5000, '\xfe'),
                                   std::string(R"({"encoding":"base64","data":"QQ=="})")}) {
    FakeSyscalls sys;
    sys.reply<abi::FsRead>({bytes, bytes.size(), {}});
    Json kept;
    std::string out = "unset";
    sys.answer<abi::MemPut>([&](const abi::MemPut& put) -> base::Result<abi::MemPut::Reply> {
      kept = put.value;
      return abi::MemPut::Reply{put.name, 1};
    });
    sys.answer<abi::MemGet>([&](const abi::MemGet&) -> base::Result<abi::MemGet::Reply> {
      return abi::MemGet::Reply{"t", 1, kept};
    });
    sys.answer<abi::FsWrite>([&](const abi::FsWrite& write) -> base::Result<abi::FsWrite::Reply> {
      out = write.content.data;
      return abi::FsWrite::Reply{};
    });
    ASSERT_TRUE(run(sys, "object_from_file", R"({"path":"f"})"));
    ASSERT_TRUE(base::parse_json(kept.data));
    ASSERT_TRUE(run(sys, "object_to_file", R"({"name":"f","path":"g"})"));
    EXPECT_EQ(out, bytes);
  }
}

TEST(Objects, BadBase64IsInvalid) {
  FakeSyscalls sys = world();
  sys.reply<abi::MemGet>({"binary", 1, Json::trusted(R"({"encoding":"base64","data":"Q!=="})")});
  const auto reply = run(sys, "object_to_file", R"({"name":"f","path":"g"})");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::invalid);
  EXPECT_EQ(sys.calls().size(), 1U);
}

TEST(Objects, LargeValuesStayWholeInTheReply) {
  FakeSyscalls sys = world();
  const std::string large = "\"" + std::string(100'000, 'v') + "\"";
  sys.reply<abi::MemGet>({"t", 1, Json::trusted(large)});
  const auto reply = run(sys, "get_object", R"({"name":"x"})");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->value.data, R"({"name":"x","type":"t","version":1,"value":)" + large + "}");
}

TEST(TextOf, FollowsOneRule) {
  struct Row {
    const char* value;
    const char* text;
  };
  const std::vector<Row> rows{
      {R"("a\n\"b\"")", "a\n\"b\""},
      {R"("")", ""},
      {R"({"content":"one\ntwo\n","file_bytes":8,"next_offset":4})",
       "one\ntwo\n{\"file_bytes\":8,\"next_offset\":4}"},
      {R"({"content":"one","file_bytes":3})", "one\n{\"file_bytes\":3}"},
      {R"({"content":"","file_bytes":0})", "{\"file_bytes\":0}"},
      {R"({"content":"only"})", "only"},
      {R"({"a":{"x":[1]},"content":"c"})", "c\n{\"a\":{\"x\":[1]}}"},
      {R"({"content":5,"a":"x"})", R"({"content":5,"a":"x"})"},
      {R"({"a":{"content":"inner"}})", R"({"a":{"content":"inner"}})"},
      {R"(["content","x"])", R"(["content","x"])"},
      {"7", "7"},
      {"null", "null"},
      {"{}", "{}"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(text_of(Json::trusted(row.value)).data, row.text) << row.value;
  EXPECT_EQ(text_of(base::Error{Code::denied, "no", ""}), "error denied: no");
  EXPECT_EQ(
      text_of(Json::trusted(R"({"error":{"code":"denied","what":"no","details":"ask"}})")).data,
      "error denied: no (ask)");
  EXPECT_EQ(text_of(base::Error{Code::not_found, "no `x`", "try y"}),
            "error not_found: no `x` (try y)");
}

TEST(TextOf, IsWhatToolsReplyWith) {
  FakeSyscalls sys = world();
  EXPECT_EQ(text_of(run(sys, "read_file", R"({"path":"a"})")->value).data,
            "text of it\n{\"file_bytes\":11}");
  EXPECT_EQ(text_of(run(sys, "ask_human", R"({"question":"a"})")->value).data,
            R"({"answer":"blue"})");
}

TEST(ToolSet, FindsByNameAndDescribesEveryField) {
  const ToolSet tools = builtin_tools();
  EXPECT_EQ(tools.find("read"), nullptr);
  EXPECT_EQ(tools.find(""), nullptr);
  EXPECT_EQ(tools.find("zzz"), nullptr);
  for (const Tool& tool : tools.all()) {
    EXPECT_EQ(tools.find(tool.spec.name), &tool);
    EXPECT_FALSE(tool.spec.description.empty());
    const auto schema = base::parse_json(tool.spec.schema.data);
    ASSERT_TRUE(schema) << tool.spec.name;
    EXPECT_EQ(schema->data, tool.spec.schema.data) << "canonical";
    EXPECT_TRUE(schema->data.starts_with(R"({"type":"object","properties":{)"));
  }
  EXPECT_EQ(tools.find("edit_file")->spec.schema.data.find("old_text"), std::string::npos);
  EXPECT_NE(tools.find("edit_file")->spec.schema.data.find(R"("required":["path","old","new"])"),
            std::string::npos);
}

TEST(ToolSetDeathTest, RefusesTwoToolsOfOneName) {
  const std::vector<Tool> twice{builtin_tools().all()[0], builtin_tools().all()[0]};
  EXPECT_DEATH(ToolSet{twice}, "adjacent_find");
}

TEST(Base64, KnowsTheRfcExamples) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : rows) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(*from_base64(text), bytes);
  }
  for (const char* bad : {"Z", "Zg=", "Z===", "Zg==Zg==", "Zm 9", "====", "Zm9\xff"})
    EXPECT_FALSE(from_base64(bad)) << bad;
}

}  // namespace
}  // namespace alos::tools
