#include "providers/chat_wire.h"

#include <gtest/gtest.h>

#include <map>

#include "fakes/chat_server.h"

namespace alos::providers {
namespace {

using base::Code;
using Reply = abi::ModelGenerate::Reply;

class MapBlobs : public ports::Blobs {
 public:
  base::Result<std::string> get(const base::Digest& digest) override {
    const auto found = held.find(digest);
    if (found == held.end()) return base::fail(Code::not_found, "no such blob");
    return found->second;
  }
  std::map<base::Digest, std::string> held;
};

std::string event(std::string_view json) { return "data: " + std::string(json) + "\n\n"; }
std::string delta(std::string_view fields) {
  return event(R"({"choices":[{"index":0,"delta":)" + std::string(fields) + "}]}");
}
std::string finish(std::string_view reason) {
  return event(R"({"choices":[{"index":0,"delta":{},"finish_reason":")" + std::string(reason) +
               "\"}]}");
}

base::Result<Reply> read_stream(std::string_view bytes, std::size_t step = std::string_view::npos) {
  ChatStream stream(3);
  while (!bytes.empty()) {
    TRY(stream.feed(bytes.substr(0, step)));
    bytes.remove_prefix(std::min(step, bytes.size()));
  }
  return stream.finish();
}

// ---- requests ----

TEST(ChatRequestBody, is_what_servers_expect) {
  MapBlobs blobs;
  abi::Conversation talk;
  talk.system = "Be brief.";
  talk.tools = std::make_shared<const std::vector<abi::ToolSpec>>(std::vector<abi::ToolSpec>{
      {"read_file", "Reads.", base::Json::trusted(R"({"type":"object"})")}});
  talk.transcript.append({abi::Role::user, "Go \"on\"", {}, {}});
  talk.transcript.append({abi::Role::assistant, "", {{"c1", "read_file", R"({"path":"a"})"}}, {}});
  talk.transcript.append({abi::Role::tool, "text", {}, "c1"});
  const auto body =
      chat_request_body({"gpt", 100, OutputLimit::max_tokens, Delivery::streamed}, talk, blobs);
  ASSERT_TRUE(body);
  EXPECT_EQ(
      *body,
      R"({"model":"gpt","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Go \"on\""},)"
      R"({"role":"assistant","content":null,"tool_calls":[{"type":"function","id":"c1","function":{"name":"read_file","arguments":"{\"path\":\"a\"}"}}]},)"
      R"({"role":"tool","content":"text","tool_call_id":"c1"}],)"
      R"("tools":[{"type":"function","function":{"name":"read_file","description":"Reads.","parameters":{"type":"object"}}}],)"
      R"("max_tokens":100,"stream":true,"stream_options":{"include_usage":true}})");
}

TEST(ChatRequestBody, says_no_more_than_is_there) {
  MapBlobs blobs;
  const auto body =
      chat_request_body({"m", 7, OutputLimit::max_completion_tokens, Delivery::whole}, {}, blobs);
  ASSERT_TRUE(body);
  EXPECT_EQ(*body, R"({"model":"m","messages":[],"max_completion_tokens":7})");
}

TEST(ChatRequestBody, mends_what_servers_refuse_in_history) {
  struct Row {
    const char* name;
    const char* arguments;
    const char* expected;
  };
  const Row rows[] = {
      {"t", R"({"a": 1})", R"("name":"t","arguments":"{\"a\": 1}")"},
      {"t", R"({"a": )", R"("name":"t","arguments":"{}")"},
      {"t", R"([1])", R"("name":"t","arguments":"{}")"},
      {"t", "", R"("name":"t","arguments":"{}")"},
      {"no such tool!", "{}", R"("name":"no_such_tool_","arguments":"{}")"},
      {"", "{}", R"("name":"unnamed","arguments":"{}")"},
      {"mcp/known", "{}", R"("name":"mcp/known","arguments":"{}")"},
  };
  for (const Row& row : rows) {
    MapBlobs blobs;
    abi::Conversation talk;
    talk.tools = std::make_shared<const std::vector<abi::ToolSpec>>(
        std::vector<abi::ToolSpec>{{"mcp/known", "", {}}});
    talk.transcript.append({abi::Role::assistant, "x", {{"c", row.name, row.arguments}}, {}});
    const auto body = chat_request_body({"m"}, talk, blobs);
    ASSERT_TRUE(body);
    EXPECT_NE(body->find(row.expected), std::string::npos) << *body;
    EXPECT_TRUE(base::Document::parse(*body, base::Source::outside)) << *body;
  }
}

TEST(ChatRequestBody, fetches_blobs_and_stays_json_with_any_bytes) {
  MapBlobs blobs;
  const std::string large = std::string(5000, 'x') + "\xff\x01";
  blobs.held[base::Digest::of(large)] = large;
  abi::Conversation talk;
  base::Text text;
  text.blob = base::BlobRef{base::Digest::of(large), large.size()};
  talk.transcript.append({abi::Role::user, text, {}, {}});
  const auto body = chat_request_body({"m"}, talk, blobs);
  ASSERT_TRUE(body);
  EXPECT_NE(body->find(std::string(5000, 'x')), std::string::npos);
  EXPECT_TRUE(base::Document::parse(*body, base::Source::outside));
  blobs.held.clear();
  EXPECT_EQ(chat_request_body({"m"}, talk, blobs).error().code, Code::not_found);
}

// ---- whole replies ----

TEST(ChatReply, reads_text_calls_usage_and_finish) {
  const auto reply = parse_chat_reply(
      R"({"choices":[{"index":0,"message":{"role":"assistant","content":"hi","tool_calls":[
         {"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},
         {"id":"a","function":{"name":"g","arguments":{"y":2}}},
         {"function":{"name":"h"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":5,"completion_tokens":6}})",
      4);
  ASSERT_TRUE(reply) << reply.error().what;
  EXPECT_EQ(reply->text.data, "hi");
  EXPECT_EQ(reply->finish, "tool_calls");
  EXPECT_EQ(reply->input_tokens, 5U);
  EXPECT_EQ(reply->output_tokens, 6U);
  const std::vector<abi::ToolRequest> expected{
      {"a", "f", R"({"x":1})"}, {"a_2", "g", R"({"y":2})"}, {"call_4_2", "h", ""}};
  EXPECT_EQ(reply->tool_calls, expected);
}

TEST(ChatReply, takes_the_shapes_that_servers_differ_in) {
  struct Row {
    const char* body;
    const char* text;
    const char* finish;
  };
  const Row rows[] = {
      {R"({"choices":[{"message":{"content":null},"finish_reason":"stop"}]})", "", "stop"},
      {R"({"choices":[{"message":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}}]})",
       "ab", "stop"},
      {R"({"choices":[{"message":{"content":null,"refusal":"no"},"finish_reason":"stop"}],"usage":null})",
       "no", "stop"},
      {R"({"choices":[{"index":1,"message":{"content":"x"}},{"index":0,"message":{"content":"y"},"finish_reason":"length"}]})",
       "y", "length"},
      {R"({"error":null,"choices":[{"message":{"content":"z"},"finish_reason":"stop"}],"usage":{"prompt_tokens":-1}})",
       "z", "stop"},
  };
  for (const Row& row : rows) {
    const auto reply = parse_chat_reply(row.body, 0);
    ASSERT_TRUE(reply) << row.body << reply.error().what;
    EXPECT_EQ(reply->text.data, row.text);
    EXPECT_EQ(reply->finish, row.finish);
  }
}

TEST(ChatReply, names_what_is_wrong) {
  struct Row {
    std::string body;
    Code code;
    const char* says;
  };
  std::string many = R"({"choices":[{"message":{"tool_calls":[)";
  for (std::size_t i = 0; i <= kToolCallsMax; ++i) many += R"({"function":{"name":"f"}},)";
  many.back() = ']';
  const Row rows[] = {
      {"", Code::unavailable, "not JSON"},
      {"<html>", Code::unavailable, "not JSON at byte 0"},
      {R"({"choices":[{"message":)", Code::unavailable, "not JSON"},
      {"[]", Code::unavailable, "no object but: array"},
      {"{}", Code::unavailable, "no choices"},
      {R"({"choices":[]})", Code::unavailable, "no choices"},
      {R"({"choices":[7]})", Code::unavailable, "no choices"},
      {R"({"choices":[{"message":{"tool_calls":[{}]}}]})", Code::unavailable,
       "tool call 0 of the reply has no function"},
      {R"({"error":{"message":"busy","type":"server_error"}})", Code::unavailable, "busy"},
      {R"({"error":{"message":"too long","code":"context_length_exceeded"}})", Code::invalid,
       "too long"},
      {many + "}}]}", Code::exhausted, "257 tool calls, at most 256"},
  };
  for (const Row& row : rows) {
    const auto reply = parse_chat_reply(row.body, 0);
    ASSERT_FALSE(reply) << row.body;
    EXPECT_EQ(reply.error().code, row.code) << row.body;
    EXPECT_NE(reply.error().what.find(row.says), std::string::npos) << reply.error().what;
  }
}

// ---- streams ----

TEST(ChatStream, gives_the_same_however_the_bytes_are_cut) {
  const std::string text = "Grüße, 世界 \\\"quoted\\\" and a line\\nmore";
  std::string bytes = ": comment\n\nevent: message\nid: 1\n";
  bytes += delta(R"({"role":"assistant","content":""})") + delta("{\"content\":\"" + text + "\"}");
  bytes += delta(
      R"({"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{\"pa"}}]})");
  bytes += delta(R"({"tool_calls":[{"index":0,"function":{"arguments":"th\":\"\\"}}]})");
  bytes += delta(R"({"tool_calls":[{"index":0,"function":{"arguments":"nü\"}"}}]})");
  bytes += finish("tool_calls") +
           event(R"({"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":8}})") +
           event("[DONE]");
  std::string crlf, cr;
  for (const char c : bytes)
    (crlf += c == '\n' ? "\r\n" : std::string(1, c)), cr += c == '\n' ? '\r' : c;
  for (const std::string& form : {bytes, crlf, cr, "\xEF\xBB\xBF" + bytes}) {
    for (std::size_t step = 1; step <= form.size(); step += step < 40 ? 1 : 97) {
      const auto reply = read_stream(form, step);
      ASSERT_TRUE(reply) << step << reply.error().what;
      ASSERT_EQ(reply->text.data, "Grüße, 世界 \"quoted\" and a line\nmore");
      ASSERT_EQ(reply->tool_calls,
                (std::vector<abi::ToolRequest>{{"c", "f", "{\"path\":\"\\nü\"}"}}));
      ASSERT_EQ(reply->input_tokens, 9U);
      ASSERT_EQ(reply->output_tokens, 8U);
      ASSERT_EQ(reply->finish, "tool_calls");
    }
  }
}

TEST(ChatStream, puts_calls_together_as_servers_number_them) {
  struct Row {
    const char* what;
    std::string bytes;
    std::vector<abi::ToolRequest> calls;
  };
  const Row rows[] = {
      {"interleaved by index",
       delta(
           R"({"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{"}},{"index":0,"id":"a","function":{"name":"f","arguments":"["}}]})") +
           delta(
               R"({"tool_calls":[{"index":0,"function":{"arguments":"]"}},{"index":1,"function":{"arguments":"}"}}]})"),
       {{"b", "g", "{}"}, {"a", "f", "[]"}}},
      {"all index 0 with own ids, as Ollama does",
       delta(R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]})") +
           delta(
               R"({"tool_calls":[{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}}]})"),
       {{"a", "f", "{}"}, {"b", "f", "{}"}}},
      {"id and name said again with each piece",
       delta(R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]})") +
           delta(
               R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"}"}}]})"),
       {{"a", "f", "{}"}}},
      {"no index, no ids",
       delta(R"({"tool_calls":[{"function":{"name":"f","arguments":{"x":1}}}]})") +
           delta(R"({"tool_calls":[{"function":{"name":"g","arguments":""}}]})"),
       {{"call_3_0", "f", R"({"x":1})"}, {"call_3_1", "g", ""}}},
      {"unprintable and huge ids",
       delta(
           R"({"tool_calls":[{"index":0,"id":"\u001b[2J","function":{"name":"f"}},{"index":7000000000000000000,"id":")" +
           std::string(300, 'i') + R"(","function":{"name":"g"}}]})"),
       {{"call_3_0", "f", ""}, {"call_3_1", "g", ""}}},
      {"an id that is the made-up one of another",
       delta(
           R"({"tool_calls":[{"index":0,"id":"call_3_1","function":{"name":"f"}},{"index":1,"function":{"name":"g"}}]})"),
       {{"call_3_1", "f", ""}, {"call_3_1_2", "g", ""}}},
  };
  for (const Row& row : rows) {
    const auto reply = read_stream(row.bytes + finish("tool_calls"));
    ASSERT_TRUE(reply) << row.what << reply.error().what;
    EXPECT_EQ(reply->tool_calls, row.calls) << row.what;
  }
}

TEST(ChatStream, knows_whole_from_cut) {
  struct Row {
    const char* what;
    std::string bytes;
    const char* error;  // null: a reply
    const char* finish;
  };
  const std::string hello = delta(R"({"content":"hello"})");
  const Row rows[] = {
      {"[DONE] missing", hello + finish("stop"), nullptr, "stop"},
      {"finish missing", hello + event("[DONE]"), nullptr, "stop"},
      {"[DONE] without its blank line", hello + "data: [DONE]", nullptr, "stop"},
      {"no space after the colon",
       "data:{\"choices\":[{\"delta\":{\"content\":\"hello\"},\"finish_reason\":\"stop\"}]}\n\n",
       nullptr, "stop"},
      {"data over several lines",
       "data: {\"choices\":\ndata: [{\"delta\":{\"content\":\"hello\"},\ndata: "
       "\"finish_reason\":\"stop\"}]}\n\n",
       nullptr, "stop"},
      {"what comes after [DONE]", hello + event("[DONE]") + event("rubbish"), nullptr, "stop"},
      {"filtered", hello + finish("content_filter"), nullptr, "content_filter"},
      {"cut between events", hello, "cut before its end", ""},
      {"cut in an event", hello + "data: {\"choices\":[{\"del", "not JSON", ""},
      {"nothing", "", "cut before its end", ""},
      {"only [DONE]", event("[DONE]"), "no choices", ""},
      {"only comments", ": ping\n\n: ping\n\n", "cut before its end", ""},
      {"rubbish", event("rubbish"), "an event of the reply is not JSON", ""},
      {"an array", event("[1]"), "no object but: array", ""},
      {"error object", hello + event(R"({"error":{"message":"GPU on fire","code":500}})"),
       "GPU on fire", ""},
      {"error text", event(R"({"error":"GPU on fire"})"), "GPU on fire", ""},
      {"tool call of no kind", delta(R"({"tool_calls":[7]})"),
       "a tool call of the reply is no object", ""},
  };
  for (const Row& row : rows) {
    const auto reply = read_stream(row.bytes);
    if (row.error == nullptr) {
      ASSERT_TRUE(reply) << row.what << ": " << reply.error().what;
      EXPECT_EQ(reply->text.data, "hello") << row.what;
      EXPECT_EQ(reply->finish, row.finish) << row.what;
    } else {
      ASSERT_FALSE(reply) << row.what;
      EXPECT_EQ(reply.error().code, Code::unavailable) << row.what;
      EXPECT_NE(reply.error().what.find(row.error), std::string::npos)
          << row.what << ": " << reply.error().what;
    }
  }
}

TEST(ChatStream, passes_truncated_arguments_on_as_they_are) {
  const auto reply = read_stream(
      delta(
          R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"path\":\"/wo"}}]})") +
      finish("length"));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->finish, "length");
  EXPECT_EQ(reply->tool_calls.at(0).arguments.data, R"({"path":"/wo)");
}

TEST(ChatStream, bounds_the_number_of_calls) {
  std::string bytes;
  for (std::size_t i = 0; i <= kToolCallsMax; ++i)
    bytes +=
        delta(R"({"tool_calls":[{"index":)" + std::to_string(i) + R"(,"function":{"name":"f"}}]})");
  EXPECT_EQ(read_stream(bytes).error().code, Code::exhausted);
}

TEST(ChatStream, reads_what_the_fake_server_writes) {
  Reply said;
  said.text = "Zwölf Boxkämpfer 🥊";
  said.tool_calls = {{"x", "read_file", R"({"path":"ä"})"}, {"y", "exit", "{}"}};
  said.input_tokens = 1;
  said.output_tokens = 2;
  said.finish = "tool_calls";
  std::string bytes;
  for (const std::string& piece : fakes::streamed_reply(said)) bytes += piece;
  EXPECT_EQ(base::to_json(*read_stream(bytes)), base::to_json(said));
  EXPECT_EQ(base::to_json(*parse_chat_reply(fakes::whole_reply(said), 0)), base::to_json(said));
}

// ---- errors and waits ----

TEST(ServerError, finds_the_message_in_any_shape) {
  struct Row {
    const char* body;
    const char* message;
    const char* kind;
  };
  const Row rows[] = {
      {R"({"error":{"message":"m","type":"t","code":null}})", "m", "t"},
      {R"({"error":{"message":"m","type":"t","code":"c"}})", "m", "c"},
      {R"({"error":"m"})", "m", ""},
      {R"({"object":"error","message":"m","type":"BadRequestError","code":400})", "m", "400"},
      {R"({"detail":"m"})", "m", ""},
      {R"({"detail":[{"loc":["body"]}]})", R"([{"loc":["body"]}])", ""},
      {"plain m", "plain m", ""},
      {"", "", ""},
      {"{}", "{}", ""},
  };
  for (const Row& row : rows) {
    const ServerError error = parse_server_error(row.body);
    EXPECT_EQ(error.message, row.message) << row.body;
    EXPECT_EQ(error.kind, row.kind) << row.body;
  }
}

TEST(RetryAfter, takes_seconds_and_dates) {
  const base::Time now = *base::parse_time("1994-11-06T08:49:30.5Z");
  const std::map<std::string, std::optional<int>> rows{{"0", 0},
                                                       {" 7 \r\n", 7},
                                                       {"Sun, 06 Nov 1994 08:49:37 GMT", 7},
                                                       {"Sun, 06 Nov 1994 08:49:00 GMT", 0},
                                                       {"", {}},
                                                       {"soon", {}},
                                                       {"-1", {}},
                                                       {"1.5", {}},
                                                       {"Sun, 06 Nov 1994 08:49:37", {}},
                                                       {"Sun, 06 anN 1994 08:49:37 GMT", {}},
                                                       {"Sun, 32 Nov 1994 08:49:37 GMT", {}},
                                                       {"99999999999999999999", {}},
                                                       {"9999999999", 365 * 24 * 3600}};
  for (const auto& [text, expected] : rows) {
    const auto wait = parse_retry_after(text, now);
    EXPECT_EQ(wait.has_value(), expected.has_value()) << text;
    if (wait && expected) {
      EXPECT_EQ(wait->count(), *expected) << text;
    }
  }
}

}  // namespace
}  // namespace alos::providers
