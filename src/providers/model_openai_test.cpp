#include "providers/model_openai.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>
#include <latch>

#include "fakes/chat_server.h"

namespace alos::providers {
namespace {

using base::Code;
using fakes::ChatServer;
using fakes::events;
using fakes::Heard;
using fakes::json_body;
using fakes::Served;
using Outcome = ports::Outcome<abi::ModelGenerate::Reply>;
using std::chrono::milliseconds;

constexpr const char* kKey = "sk-very-secret-0123456789";

// Quick to try again and never waiting for long.
ModelOptions quick() {
  ModelOptions options;
  options.backoff_base = milliseconds(1);
  options.backoff_max = milliseconds(2);
  options.tries_max = 4;
  return options;
}

ChatRequest request_to(const std::string& base_url, std::string body = "{}") {
  return {"openai/x", *make_endpoint(base_url, kKey, "OPENAI_API_KEY", "OPENAI_BASE_URL"), 0,
          std::move(body)};
}

Outcome ask(ChatClient& client, ChatRequest request) {
  std::promise<Outcome> promise;
  client.ask(std::move(request), [&](Outcome outcome) { promise.set_value(std::move(outcome)); });
  return promise.get_future().get();
}

Outcome ask(const ChatServer& server, const ModelOptions& options = quick()) {
  const auto client = *ChatClient::open(options);
  return ask(*client, request_to(server.base_url()));
}

abi::ModelGenerate::Reply hello() {
  abi::ModelGenerate::Reply reply;
  reply.text = "Hällo";
  reply.tool_calls = {{"a", "read_file", R"({"path":"ü\n"})"}};
  reply.input_tokens = 10;
  reply.output_tokens = 20;
  reply.finish = "tool_calls";
  return reply;
}

Served whole() { return json_body(fakes::whole_reply(hello())); }
Served streamed() { return events(fakes::streamed_reply(hello())); }

std::string all_of(const base::Error& error) { return error.what + " | " + error.details; }

TEST(ChatClient, reads_both_forms_and_sends_what_it_should) {
  for (const Served& served : {whole(), streamed()}) {
    const ChatServer server({served});
    const Outcome outcome = ask(server);
    ASSERT_NE(outcome.done(), nullptr) << all_of(outcome.error());
    EXPECT_EQ(base::to_json(*outcome.done()), base::to_json(hello()));
    const auto heard = server.heard();
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_EQ(heard[0].method, "POST");
    EXPECT_EQ(heard[0].target, "/v1/chat/completions");
    EXPECT_EQ(heard[0].headers.at("authorization"), std::string("Bearer ") + kKey);
    EXPECT_EQ(heard[0].headers.at("content-type"), "application/json");
    EXPECT_EQ(heard[0].headers.count("expect"), 0U);
    EXPECT_EQ(heard[0].body, "{}");
  }
}

TEST(ChatClient, sends_no_key_where_there_is_none) {
  const ChatServer server({whole()});
  const auto client = *ChatClient::open(quick());
  ChatRequest request = request_to(server.base_url());
  request.endpoint.key.clear();
  EXPECT_NE(ask(*client, std::move(request)).done(), nullptr);
  EXPECT_EQ(server.heard().at(0).headers.count("authorization"), 0U);
}

Served with_header(Served served, std::string name, std::string value) {
  served.headers.emplace_back(std::move(name), std::move(value));
  return served;
}
Served with_end(Served served, Served::End end) {
  served.end = end;
  return served;
}
Served typed(std::string type, std::string body) {
  return {.headers = {{"Content-Type", std::move(type)}}, .body = std::move(body)};
}
Served error_body(int status, std::string message) {
  return json_body(R"({"error":{"message":")" + message + "\"}}", status);
}

// The first answer is bad in a way that passes; the second is good.
TEST(ChatClient, tries_again_what_may_pass) {
  auto without_done = fakes::streamed_reply(hello());
  without_done.resize(without_done.size() - 3);
  const std::pair<const char*, Served> rows[] = {
      {"429", error_body(429, "slow down")},
      {"408", error_body(408, "")},
      {"500", error_body(500, "oops")},
      {"503 without a body", {.status = 503}},
      {"529", error_body(529, "overloaded")},
      {"closed without a byte", {.drop = true}},
      {"body cut", with_end(whole(), Served::End::cut)},
      {"stream cut by the connection",
       with_end(events({fakes::streamed_reply(hello())[0]}), Served::End::cut)},
      {"stream that stops early", events(without_done)},
      {"malformed JSON", json_body("{\"choices\":[{]}")},
      {"empty JSON body", json_body("")},
      {"missing choices", json_body("{}")},
      {"malformed event", events({"data: {\n\n"})},
      {"error object in a stream", events({"data: {\"error\":{\"message\":\"GPU\"}}\n\n"})},
  };
  for (const auto& [what, served] : rows) {
    const ChatServer server({served, streamed()});
    const Outcome outcome = ask(server);
    ASSERT_NE(outcome.done(), nullptr) << what << ": " << all_of(outcome.error());
    EXPECT_EQ(base::to_json(*outcome.done()), base::to_json(hello())) << what;
    EXPECT_EQ(server.heard().size(), 2U) << what;
  }
}

TEST(ChatClient, takes_what_is_whole_even_if_the_end_is_rough) {
  auto pieces = fakes::streamed_reply(hello());
  const std::pair<const char*, Served> rows[] = {
      {"no last chunk after [DONE]", with_end(events(pieces), Served::End::cut)},
      {"plain text that is JSON", typed("text/plain", fakes::whole_reply(hello()))},
      {"JSON with a charset",
       typed("Application/JSON; charset=utf-8", fakes::whole_reply(hello()))},
      {"no content type", {.pieces = pieces}},
  };
  for (const auto& [what, served] : rows) {
    const ChatServer server({served});
    const Outcome outcome = ask(server);
    ASSERT_NE(outcome.done(), nullptr) << what << ": " << all_of(outcome.error());
    EXPECT_EQ(base::to_json(*outcome.done()), base::to_json(hello())) << what;
  }
}

TEST(ChatClient, fails_at_once_on_what_will_not_pass) {
  struct Row {
    const char* what;
    Served served;
    Code code;
    const char* says;
    const char* way_out;
  };
  const Row rows[] = {
      {"400", error_body(400, "bad \\u001b[2J field"), Code::invalid, "bad \\u{001B}[2J field",
       "refused the request"},
      {"401", error_body(401, std::string("Incorrect API key provided: ") + kKey), Code::denied,
       "provided: [key]", "OPENAI_API_KEY"},
      {"403", error_body(403, "no"), Code::denied, "HTTP 403", "OPENAI_API_KEY"},
      {"404", error_body(404, "no model x"), Code::not_found, "no model x", "model's name"},
      {"422", json_body(R"({"detail":"field required"})", 422), Code::invalid, "field required",
       ""},
      {"302",
       {.status = 302, .headers = {{"Location", "http://127.0.0.1:1/"}}},
       Code::invalid,
       "HTTP 302",
       "redirects are not followed"},
      {"quota", json_body(R"({"error":{"message":"pay","code":"insufficient_quota"}})", 429),
       Code::exhausted, "pay", "billing"},
      {"html", typed("text/html", "<html>"), Code::invalid, "it answered with `text/html`",
       "OPENAI_BASE_URL"},
      {"too long for the model",
       json_body(R"({"error":{"message":"long","code":"context_length_exceeded"}})"), Code::invalid,
       "long", ""},
      {"long message", error_body(400, std::string(5000, 'm')), Code::invalid, "mmm…", ""},
  };
  for (const Row& row : rows) {
    const ChatServer server({row.served, whole()});
    const Outcome outcome = ask(server);
    ASSERT_EQ(outcome.done(), nullptr) << row.what;
    const base::Error& error = outcome.error();
    EXPECT_EQ(error.code, row.code) << row.what;
    EXPECT_NE(error.what.find(row.says), std::string::npos) << error.what;
    EXPECT_NE(error.details.find(row.way_out), std::string::npos) << error.details;
    EXPECT_NE(error.what.find("model openai/x: "), std::string::npos) << error.what;
    EXPECT_NE(error.what.find(fmt::format("127.0.0.1:{}", server.port())), std::string::npos)
        << error.what;
    EXPECT_EQ(all_of(error).find(kKey), std::string::npos) << row.what;
    EXPECT_LT(error.what.size(), 500U) << row.what;
    EXPECT_EQ(server.heard().size(), 1U) << row.what;
  }
}

TEST(ChatClient, never_tells_the_key_wherever_a_server_puts_it) {
  const std::string escaped = "sk\\u002dvery-secret-0123456789";
  for (const Served& served :
       {error_body(400, escaped), Served{.status = 503, .body = kKey},
        json_body(std::string("{\"error\":\"") + kKey + "\"}"),
        events({std::string("data: {\"error\":\"") + kKey + kKey + "\"}\n\n"}),
        typed("text/html", kKey)}) {
    const ChatServer server([&](const Heard&, std::size_t) { return served; });
    const Outcome outcome = ask(server);
    EXPECT_EQ(all_of(outcome.error()).find("secret"), std::string::npos) << all_of(outcome.error());
  }
}

TEST(ChatClient, gives_up_and_says_how_often_it_tried) {
  const ChatServer server([](const Heard&, std::size_t) { return error_body(503, "overloaded"); });
  const Outcome outcome = ask(server);
  ASSERT_NE(outcome.failed(), nullptr);
  EXPECT_EQ(outcome.error().code, Code::unavailable);
  EXPECT_EQ(outcome.error().what,
            fmt::format("model openai/x: HTTP 503 from 127.0.0.1:{} after 4 tries: overloaded",
                        server.port()));
  EXPECT_FALSE(outcome.error().details.empty());
  EXPECT_EQ(server.heard().size(), 4U);
}

TEST(ChatClient, says_when_nobody_is_there) {
  std::string url;
  {
    const ChatServer gone(std::vector<Served>{});
    url = gone.base_url();
  }
  const auto client = *ChatClient::open(quick());
  const Outcome outcome = ask(*client, request_to(url));
  ASSERT_NE(outcome.failed(), nullptr);
  EXPECT_EQ(outcome.error().code, Code::unavailable);
  EXPECT_NE(outcome.error().what.find("no answer from 127.0.0.1"), std::string::npos)
      << outcome.error().what;
  EXPECT_NE(outcome.error().what.find("after 4 tries"), std::string::npos);
  EXPECT_NE(outcome.error().details.find("OPENAI_BASE_URL"), std::string::npos);
}

// The back-off would be hours: only Retry-After can make these end.
TEST(ChatClient, waits_as_long_as_the_server_asks) {
  ModelOptions options = quick();
  options.backoff_base = options.backoff_max = std::chrono::hours(2);
  options.total_max = std::chrono::hours(24);
  for (const char* soon : {"0", "Sun, 06 Nov 1994 08:49:37 GMT"}) {
    const ChatServer server({with_header(error_body(429, "slow"), "retry-AFTER", soon), whole()});
    EXPECT_NE(ask(server, options).done(), nullptr) << soon;
  }
  options = quick();
  options.total_max = milliseconds(5000);
  for (const char* late : {"3600", "Fri, 31 Dec 2199 23:59:59 GMT"}) {
    const ChatServer server({with_header(error_body(429, "slow"), "Retry-After", late), whole()});
    const Outcome outcome = ask(server, options);
    ASSERT_NE(outcome.failed(), nullptr) << late;
    EXPECT_EQ(outcome.error().code, Code::unavailable);
    EXPECT_NE(outcome.error().what.find("too late for the 5 s"), std::string::npos)
        << outcome.error().what;
    EXPECT_EQ(server.heard().size(), 1U);
  }
}

TEST(ChatClient, stops_at_the_limit_of_bytes) {
  ModelOptions options = quick();
  options.reply_bytes_max = 10'000;
  const std::string filler(20'000, ' ');
  for (const Served& served :
       {json_body(filler), events({": " + filler}), Served{.status = 500, .body = filler}}) {
    const ChatServer server({served});
    const Outcome outcome = ask(server, options);
    ASSERT_EQ(outcome.done(), nullptr);
    EXPECT_EQ(outcome.error().code, Code::exhausted);
    EXPECT_NE(outcome.error().what.find("longer than 10000 bytes"), std::string::npos)
        << outcome.error().what;
  }
}

TEST(ChatClient, gives_up_on_a_server_that_falls_silent) {
  ModelOptions options = quick();
  options.idle_timeout = milliseconds(20);
  options.tries_max = 2;
  for (const Served& served : {with_end(whole(), Served::End::hold),
                               with_end(events({": ping\n\n"}), Served::End::hold)}) {
    const ChatServer server([&](const Heard&, std::size_t) { return served; });
    const Outcome outcome = ask(server, options);
    ASSERT_NE(outcome.unknown(), nullptr);
    EXPECT_EQ(outcome.error().code, Code::unavailable);
    EXPECT_NE(outcome.error().what.find("nothing came for 20 ms"), std::string::npos)
        << outcome.error().what;
    EXPECT_EQ(server.heard().size(), 2U);
  }
}

// None is answered before all have arrived: they are in flight together or this never ends.
TEST(ChatClient, has_many_in_flight_at_once) {
  constexpr int kCount = 50;
  std::latch all_here(kCount);
  const ChatServer server([&](const Heard&, std::size_t) {
    all_here.arrive_and_wait();
    return streamed();
  });
  const auto client = *ChatClient::open(quick());
  std::vector<std::promise<Outcome>> promises(kCount);
  for (int i = 0; i < kCount; ++i)
    client->ask(request_to(server.base_url(), fmt::format("{{\"n\":{}}}", i)),
                [&, i](Outcome outcome) {
                  promises[static_cast<std::size_t>(i)].set_value(std::move(outcome));
                });
  for (auto& promise : promises) EXPECT_NE(promise.get_future().get().done(), nullptr);
  EXPECT_EQ(server.heard().size(), static_cast<std::size_t>(kCount));
}

TEST(ChatClient, keeps_to_the_most_in_flight) {
  ModelOptions options = quick();
  options.in_flight_max = 3;
  const ChatServer server([](const Heard&, std::size_t) { return whole(); });
  const auto client = *ChatClient::open(options);
  std::vector<std::promise<Outcome>> promises(30);
  for (auto& promise : promises)
    client->ask(request_to(server.base_url()),
                [&](Outcome outcome) { promise.set_value(std::move(outcome)); });
  for (auto& promise : promises) EXPECT_NE(promise.get_future().get().done(), nullptr);
  EXPECT_LE(server.open_at_once(), 4U);  // one may still be closing
}

TEST(ChatClient, cancels_what_is_in_flight_waiting_or_queued_when_it_ends) {
  std::promise<void> arrived;
  const ChatServer server([&](const Heard& heard, std::size_t) {
    if (heard.body == "held") arrived.set_value();
    return heard.body == "held" ? with_end(whole(), Served::End::hold) : error_body(503, "");
  });
  ModelOptions options = quick();
  options.in_flight_max = 1;
  std::promise<Outcome> held, queued;
  {
    const auto client = *ChatClient::open(options);
    client->ask(request_to(server.base_url(), "held"),
                [&](Outcome outcome) { held.set_value(std::move(outcome)); });
    arrived.get_future().wait();
    client->ask(request_to(server.base_url(), "queued"),
                [&](Outcome outcome) { queued.set_value(std::move(outcome)); });
  }
  const Outcome first = held.get_future().get(), second = queued.get_future().get();
  ASSERT_NE(first.failed(), nullptr);
  EXPECT_EQ(first.error().code, Code::cancelled);
  ASSERT_NE(second.not_started(), nullptr) << "it was never sent";
  EXPECT_EQ(second.error().code, Code::cancelled);
}

TEST(ChatClient, refuses_protocols_other_than_http) {
  const auto client = *ChatClient::open(quick());
  ChatRequest request = request_to("http://127.0.0.1");
  request.endpoint.url = "file:///etc/passwd";
  const Outcome outcome = ask(*client, std::move(request));
  ASSERT_NE(outcome.failed(), nullptr);
  EXPECT_EQ(outcome.error().what.find("tries"), std::string::npos) << "it is hopeless: one try";
}

TEST(Endpoint, is_checked) {
  struct Row {
    const char* url;
    const char* key;
    const char* says;  // null: good
    const char* expected;
  };
  const Row rows[] = {
      {"https://api.openai.com/v1", "k", nullptr, "https://api.openai.com/v1/chat/completions"},
      {"http://[::1]:8080/v1//", "", nullptr, "http://[::1]:8080/v1/chat/completions"},
      {"ftp://host/v1", "", "not a http or https URL", ""},
      {"host:8080/v1", "", "not a http or https URL", ""},
      {"http:///v1", "", "names no host", ""},
      {"http://", "", "names no host", ""},
      {"", "", "not a http or https URL", ""},
      {"http://me:pass@host/v1", "", "has a user name or password", ""},
      {"http://host/v1?key=1", "", "has a query", ""},
      {"http://ho st/v1", "", "has a space", ""},
      {"http://host/v1\r\nX: y", "", "control character", ""},
      {"http://host/v1", "secret\n", "OPENAI_API_KEY has a space, a line break", ""},
      {"http://host/v1", "secret\r\nX: y", "OPENAI_API_KEY has a space, a line break", ""},
  };
  for (const Row& row : rows) {
    const auto endpoint = make_endpoint(row.url, row.key, "OPENAI_API_KEY", "OPENAI_BASE_URL");
    ASSERT_EQ(endpoint.has_value(), row.says == nullptr) << row.url;
    if (endpoint) {
      EXPECT_EQ(endpoint->url, row.expected);
      continue;
    }
    EXPECT_NE(endpoint.error().what.find(row.says), std::string::npos) << endpoint.error().what;
    EXPECT_EQ(all_of(endpoint.error()).find("secret"), std::string::npos);
    EXPECT_EQ(all_of(endpoint.error()).find("pass@"), std::string::npos);
  }
}

// ---- the glue ----

class NoBlobs : public ports::Blobs {
 public:
  base::Result<std::string> get(const base::Digest&) override {
    return base::fail(Code::not_found, "no such blob");
  }
};

TEST(OpenAiModel, asks_for_a_call) {
  const ChatServer server({streamed()});
  const ModelOptions options = quick();
  NoBlobs blobs;
  OpenAiModel model({"openai", server.base_url(), "OPENAI_BASE_URL", kKey, "OPENAI_API_KEY"},
                    options, blobs);
  abi::ModelGenerate call;
  call.model = "openai/org/name";
  std::promise<Outcome> bare, full;
  model.ask("org/name", call, [&](Outcome outcome) { bare.set_value(std::move(outcome)); });
  EXPECT_NE(bare.get_future().get().not_started(), nullptr) << "no conversation";
  abi::Conversation talk;
  talk.transcript.append({abi::Role::user, "hi", {}, {}});
  call.continue_from(std::move(talk));
  model.ask("org/name", call, [&](Outcome outcome) { full.set_value(std::move(outcome)); });
  EXPECT_NE(full.get_future().get().done(), nullptr);
  EXPECT_EQ(
      server.heard().at(0).body,
      R"({"model":"org/name","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"include_usage":true}})");
}

}  // namespace
}  // namespace alos::providers
