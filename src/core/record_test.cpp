// Records: the canonical line of every kind, frozen. Old journals must be readable for ever, so a
// row here is never changed; a new kind, or a new optional field, gets a new row.
#include "core/record.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace alos::core::test {
namespace {

using base::Code;

constexpr std::string_view kHead =
    R"({"job":7,"seq":12,"at":"2025-11-22T16:43:17.000001Z","kind":")";

std::string line_of(std::string_view kind, std::string_view body) {
  return std::string(kHead) + std::string(kind) + R"(","pid":"7.2","cause":11,"body":)" +
         std::string(body) + '}';
}

#define ALOS_TEST_DIGEST "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

struct Golden {
  std::string_view kind, body;
};

// What joined the first kinds.
std::vector<Golden> added() {
  return {
      {"message.sent", R"({"number":1,"to":"7.3","kind":"message","text":"hello","re":4})"},
      {"message.received",
       R"({"letter":{"from":"8.1","number":2,"kind":"question","text":"well?"}})"},
      {"message.delivered", R"({"process":2,"number":1})"},
      {"message.taken", R"({"from":"human:owner","number":9})"},
      {"call.waiting", R"({"call":4,"n":1,"name":"msg.receive","digest":")" ALOS_TEST_DIGEST
                       R"(","letter":{"kind":"answer"}})"},
      {"call.waiting",
       R"({"call":4,"n":1,"name":"proc.wait_any","digest":")" ALOS_TEST_DIGEST R"(","any":[2,3]})"},
      {"budget.warned", R"({"kind":"tool_calls","used":40,"limit":50})"},
      {"budget.set", R"({"kind":"usd","limit":2000000,"by":"human:owner"})"},
      {"budget.set", R"({"kind":"wall","by":"human:owner"})"},
      {"call.settled",
       R"({"call":4,"n":1,"outcome":"done","usage":{"input_tokens":0,"output_tokens":0,"model_calls":0,"tool_calls":0,"usd_micro":0,"written_bytes":3}})"},
      {"call.intended",
       R"({"call":4,"n":1,"name":"fs.write","effect":"verifiable","digest":")" ALOS_TEST_DIGEST
       R"(","needs":[],"matched":[],"spends":[],"reserves":{"input_tokens":0,"output_tokens":0,"model_calls":0,"tool_calls":0,"usd_micro":0,"written_bytes":3}})"},
      {"request.opened",
       R"({"request":1,"kind":"budget","to":"owner","question":"more?","choices":[],"name":"","digest":")" ALOS_TEST_DIGEST
       R"(","needs":[],"asked_by":[],"grants":[],"preview":"","budget":{"kind":"cpu","process":2,"needed":100}})"},
  };
}

std::vector<Golden> golden() {
  std::vector<Golden> rows{
      {"job.created",
       R"({"owner":"owner","roots":[{"name":"workspace","host":"/home/me/w"}],"trapdoors":[".git/hooks"]})"},
      {"job.opened", R"({"epoch":3})"},
      {"process.spawned",
       R"({"number":2,"parent":1,"name":"helper","image":"base","model":"openai/gpt-5","prompt":"P","goal":"G","tools":["read_file"],"cwd":"/workspace","budget":{},"price":{"input":0,"output":0}})"},
      {"process.spawned",
       R"({"number":1,"parent":0,"name":"root","image":"base","model":"m","prompt":{"$text":")" ALOS_TEST_DIGEST
       R"(","bytes":9000},"goal":"","tools":[],"cwd":"/","budget":{"model_tokens":1,"model_calls":2,"tool_calls":3,"usd_micro":4,"wall_ms":5,"processes":6},"price":{"input":1250000,"output":10000000}})"},
      {"process.moved", R"({"cwd":"/workspace/src"})"},
      {"process.paused", R"({"by":"owner","reason":"lunch"})"},
      {"process.resumed", R"({"by":"owner"})"},
      {"process.exiting", R"({"result":"done"})"},
      {"process.exited", R"({"result":"done"})"},
      {"process.failed",
       R"({"error":{"code":"exhausted","what":"the budget is used up","details":""}})"},
      {"process.killed", R"({"by":"owner","reason":"kill"})"},
      {"cap.granted",
       R"({"cap":{"id":1,"holder":1,"grant":"read,list fs:/workspace/**","from":"manifest","revoked":false,"seq":12}})"},
      {"cap.granted",
       R"({"cap":{"id":2,"holder":1,"grant":"write fs:/workspace/a ask uses=3 until=2026-01-01T00:00:00.000000Z delegate","parent":1,"bound_call":")" ALOS_TEST_DIGEST
       R"j(","from":"human:owner (request 7.r1)","uses_left":2,"revoked":false,"seq":12}})j"},
      {"cap.revoked", R"({"caps":[1,2],"by":"owner"})"},
      {"authority.decided",
       R"({"call":4,"n":1,"name":"fs.write","resource":"fs:/workspace/a%20b","right":"write","decision":"denied","matched":[3],"reason":"a deny covers it"})"},
      {"turn.started", R"({"call":4,"turn":1})"},
      {"turn.failed",
       R"({"call":4,"error":{"code":"unavailable","what":"no answer","details":""}})"},
      {"tool.called", R"({"call":4,"tool":"read_file","request":"call_1"})"},
      {"tool.called", R"({"call":4,"tool":"read_file","arguments":"{\"path\":\"a\"}"})"},
      {"tool.returned", R"({"call":4,"tool":"read_file","ok":true,"value":{"text":"hello"}})"},
      {"tool.returned",
       R"({"call":4,"tool":"read_file","ok":false,"error":{"code":"denied","what":"no","details":"ask"}})"},
      {"tool.returned",
       R"({"call":4,"tool":"read_file","ok":true,"value":{"$json":")" ALOS_TEST_DIGEST
       R"(","bytes":70000}})"},
      {"call.intended",
       R"({"call":4,"n":1,"name":"fs.write","effect":"verifiable","digest":")" ALOS_TEST_DIGEST
       R"(","needs":[{"resource":"fs:/workspace/a","right":"write"}],"matched":[1],"spends":[1]})"},
      {"call.intended",
       R"({"call":4,"n":1,"name":"fs.write","effect":"verifiable","digest":")" ALOS_TEST_DIGEST
       R"(","needs":[],"matched":[],"spends":[],"existed":true,"preimage":")" ALOS_TEST_DIGEST
       R"(","kept":"abc"})"},
      {"call.settled",
       R"({"call":4,"n":1,"outcome":"done","reply":{"bytes":3,"created":true},"usage":{"input_tokens":0,"output_tokens":0,"model_calls":0,"tool_calls":0,"usd_micro":0}})"},
      {"call.settled",
       R"({"call":4,"n":1,"outcome":"unknown","error":{"code":"outcome_unknown","what":"cut off","details":""},"usage":{"input_tokens":1,"output_tokens":2,"model_calls":1,"tool_calls":0,"usd_micro":5}})"},
      {"call.observed", R"({"call":4,"n":2,"name":"time.now","digest":")" ALOS_TEST_DIGEST
                        R"(","reply":{"now":"2025-11-22T16:43:17.000000Z"}})"},
      {"call.waiting", R"({"call":4,"n":3,"name":"time.sleep","digest":")" ALOS_TEST_DIGEST
                       R"(","until":"2025-11-22T16:43:18.000000Z"})"},
      {"call.waiting",
       R"({"call":4,"n":3,"name":"human.ask","digest":")" ALOS_TEST_DIGEST R"(","request":1})"},
      {"request.opened",
       R"({"request":1,"kind":"approval","to":"owner","question":"write /workspace/a","choices":[],"name":"fs.write","digest":")" ALOS_TEST_DIGEST
       R"(","needs":[{"resource":"fs:/workspace/a","right":"write"}],"asked_by":[3],"grants":["write fs:/workspace/**"],"preview":"+ a line"})"},
      {"request.answered",
       R"({"request":1,"answer":"approved","by":"human:owner","scope":"once","text":""})"},
      {"object.put",
       R"({"space":"7.2","name":"notes","type":"text","version":1,"value":["a",1,null]})"},
      {"request.voted", R"({"request":2,"by":"human:ada","scope":"once"})"},
      {"request.answered",
       R"({"request":2,"answer":"approved","by":"human:owner","scope":"once","text":"","edited":"{}"})"},
      {"job.created",
       R"({"owner":"owner","roots":[],"trapdoors":[],"people":[{"name":"ada","roles":["ops"]}]})"},
      {"call.waiting",
       R"({"call":4,"n":1,"name":"proc.wait","digest":")" ALOS_TEST_DIGEST R"(","child":2})"},
      {"human.told", R"({"to":"owner","text":"done"})"},
  };
  for (const Golden& row : added()) rows.push_back(row);
  return rows;
}

TEST(Record, EveryKindIsReadAndWrittenAsItEverWas) {
  for (const Golden& row : golden()) {
    const std::string line = line_of(row.kind, row.body);
    const auto record = parse_record(line);
    ASSERT_TRUE(record.has_value()) << record.error().what;
    EXPECT_EQ(kind_of(*record), row.kind);
    EXPECT_EQ(record->job, base::JobId{7});
    EXPECT_EQ(record->seq, 12U);
    EXPECT_EQ(record->at, base::parse_time("2025-11-22T16:43:17.000001Z").value());
    EXPECT_EQ(record->pid(), base::parse_pid("7.2").value());
    EXPECT_EQ(record->cause, 11U);
    std::string again;
    append_canonical(again, *record);
    EXPECT_EQ(again, line);
  }
}

template <typename... B>
std::set<std::string_view> kinds(const std::variant<B...>*) {
  return {B::kKind...};
}

TEST(Record, EveryKindHasARow) {
  std::set<std::string_view> shown;
  for (const Golden& row : golden()) shown.insert(row.kind);
  EXPECT_EQ(shown, kinds(static_cast<const Body*>(nullptr)));
}

TEST(Record, IsWrittenFromItsParts) {
  Record record{{7}, 1, base::Time{0}, 1, 0, HumanTold{"owner", "a\n\"b\""}};
  std::string line = "before ";
  append_canonical(line, record);
  EXPECT_EQ(
      line,
      R"(before {"job":7,"seq":1,"at":"1970-01-01T00:00:00.000000Z","kind":"human.told","pid":"7.1","cause":0,"body":{"to":"owner","text":"a\n\"b\""}})");
}

TEST(Record, RefusesWhatIsNone) {
  struct Row {
    std::string line;
    std::string_view what;
  };
  const std::string good = line_of("job.opened", R"({"epoch":3})");
  const auto with = [&](std::string_view old, std::string_view now) {
    std::string line = good;
    line.replace(line.find(old), old.size(), now);
    return line;
  };
  ASSERT_TRUE(parse_record(good).has_value());
  const std::vector<Row> rows{
      {"", "not JSON"},
      {"{}", "`job` is missing"},
      {"[]", "`job` is missing"},
      {good.substr(0, good.size() - 1), "not JSON"},
      {good + "x", "not JSON"},
      {with(R"("job":7)", R"("job":"7")"), "`job`: expected an integer"},
      {with(R"("job":7)", R"("job":8)"), "its pid is of another job"},
      {with(R"("seq":12,)", ""), "`seq` is missing"},
      {with(R"("seq":12)", R"("seq":-1)"), "`seq`"},
      {with("2025-11-22T16", "2025-11-22 at 16"), "is not a time"},
      {with("job.opened", "job.closed"), "kind `job.closed` is not known"},
      {with("job.opened", "job.\\u001b"), "`job.\\u{001B}`"},
      {with("7.2", "7"), ""},  // the root: it reads, see below
      {with("7.2", "7.0"), "is not a pid"},
      {with(R"("cause":11)", R"("cause":null)"), "`cause`"},
      {with(R"(,"body":{"epoch":3})", ""), "`body` is missing"},
      {with(R"({"epoch":3})", "{}"), "`epoch` is missing"},
      {with(R"({"epoch":3})", R"({"epoch":3,"more":1})"), "`more` is not known"},
      {with(R"({"epoch":3})", R"({"epoch":"3"})"), "`epoch`: expected an integer"},
  };
  for (const Row& row : rows) {
    const auto bad = parse_record(row.line);
    if (row.what.empty()) {
      EXPECT_TRUE(bad.has_value()) << row.line;
      continue;
    }
    ASSERT_FALSE(bad.has_value()) << row.line;
    EXPECT_EQ(bad.error().code, Code::corrupt);
    EXPECT_NE(bad.error().what.find(row.what), std::string::npos)
        << row.line << "\n  says: " << bad.error().what;
    EXPECT_FALSE(bad.error().details.empty()) << "no way out";
    EXPECT_EQ(bad.error().what.find('\x1b'), std::string::npos);
  }
}

TEST(Record, TheChainBindsOrderAndContent) {
  const base::Digest zero;
  const base::Digest one = chain(zero, "a");
  EXPECT_EQ(base::to_hex(one), base::to_hex(base::Digest::of(std::string(32, '\0') + "a")));
  EXPECT_NE(chain(one, "b"), chain(chain(zero, "b"), "a"));
  EXPECT_NE(chain(zero, "a"), chain(one, "a"));
}

}  // namespace
}  // namespace alos::core::test
