#include "providers/chat_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "base/text.h"
#include "providers/http_post.h"

namespace alos::providers {
namespace {

using base::Code;
using base::Error;
using base::fail;
using base::Result;
using Reply = abi::ModelGenerate::Reply;
using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kErrorBodyBytesMax = 64U << 10;  // kept of a body that is an error
constexpr std::size_t kMessageBytesMax = 300;          // shown of a server's message

// What a server says, fit for an error: without the key, which some send back, short and printable.
std::string quoted_from_server(std::string text, const std::string& key) {
  for (std::size_t at = 0; !key.empty() && (at = text.find(key, at)) != std::string::npos;) {
    text.replace(at, key.size(), "[key]");
    at += 5;
  }
  return base::shortened(base::printable(base::shortened(text, 4 * kMessageBytesMax)),
                         kMessageBytesMax);
}

// What a body that is not understood is taken for.
enum class BodyForm : unsigned char { events, json, error, foreign };

bool starts_with_word(std::string_view type, std::string_view word) {
  return type.size() >= word.size() &&
         std::equal(word.begin(), word.end(), type.begin(),
                    [](char a, char b) { return a == (b | 0x20) || a == b; });
}

BodyForm form_of(int status, std::string_view type) {
  if (status < 200 || status > 299) return BodyForm::error;
  if (starts_with_word(type, "text/event-stream")) return BodyForm::events;
  if (starts_with_word(type, "application/json") ||
      starts_with_word(type, "application/problem+json"))
    return BodyForm::json;
  return BodyForm::foreign;
}

bool may_be_either(std::string_view type) {
  return type.empty() || starts_with_word(type, "text/plain") ||
         starts_with_word(type, "application/octet-stream");
}

bool is_passing(int status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

Code code_of(int status) {
  switch (status) {
    case 401:
    case 403: return Code::denied;
    case 404: return Code::not_found;
    default: return is_passing(status) ? Code::unavailable : Code::invalid;
  }
}

// A failed attempt.
struct Miss {
  Code code = Code::unavailable;
  std::string head;  // "HTTP 503 from", "no answer from"
  std::string what;
  std::string details;
  bool may_pass = false;
  std::optional<std::chrono::seconds> wait;  // asked for by the server
};
using Attempt = std::variant<Reply, Miss>;

class ChatExchange : public Exchange {
 public:
  ChatExchange(ChatRequest asked, const ModelOptions& options, ChatClient::Done done)
      : asked_(std::move(asked)), options_(options), done_(std::move(done)), stream_(asked_.turn) {
    post_.url = asked_.endpoint.url;
    post_.body = std::move(asked_.body);
    post_.headers = {"Content-Type: application/json",
                     "Accept: text/event-stream, application/json", "Expect:", "User-Agent: alos"};
    if (!asked_.endpoint.key.empty())
      post_.headers.push_back("Authorization: Bearer " + asked_.endpoint.key);
  }

  const PostRequest& request() const override { return post_; }

  void on_head(int status, std::string_view content_type) override {
    form_ = form_of(status, content_type);
    sniff_ = form_ == BodyForm::foreign && may_be_either(content_type);
    content_type_ = content_type;
  }

  Flow on_bytes(std::string_view bytes) override {
    bytes_ += bytes.size();
    if (bytes_ > options_.reply_bytes_max) {
      stream_error_ =
          Error{Code::exhausted,
                fmt::format("the reply is longer than {} bytes", options_.reply_bytes_max),
                "ask for a shorter one, or use another model"};
      return Flow::stop;
    }
    if (std::exchange(sniff_, false))
      form_ = bytes.starts_with('{') ? BodyForm::json : BodyForm::events;
    if (form_ == BodyForm::json) {
      body_ += bytes;
    } else if (form_ == BodyForm::events) {
      if (auto fed = stream_.feed(bytes); !fed) {
        stream_error_ = std::move(fed).error();
        return Flow::stop;
      }
    } else {
      body_ += bytes.substr(0, kErrorBodyBytesMax - std::min(body_.size(), kErrorBodyBytesMax));
    }
    return Flow::go_on;
  }

  std::optional<milliseconds> on_end(const PostEnd& end) override {
    if (end.kind == PostEnd::Kind::cancelled) return cancel(end), std::nullopt;
    ++tries_;
    answered_ = answered_ || (end.status >= 200 && end.status <= 299);
    Attempt attempt = judge(end);
    reset();
    if (auto* reply = std::get_if<Reply>(&attempt)) return done_(std::move(*reply)), std::nullopt;
    Miss& miss = std::get<Miss>(attempt);
    if (miss.may_pass && tries_ < options_.tries_max) {
      const milliseconds wait = miss.wait ? milliseconds(*miss.wait) : backoff();
      if (Steady::now() - started_ + wait <= options_.total_max) return wait;
      miss.what +=
          fmt::format("; the next try would be in {:.0f} s, too late for the {:.0f} s it may take",
                      std::chrono::duration<double>(wait).count(),
                      std::chrono::duration<double>(options_.total_max).count());
    }
    give_up(miss);
    return std::nullopt;
  }

 private:
  void cancel(const PostEnd& end) {
    Error error{Code::cancelled, fmt::format("model {}: {}", asked_.model, end.why), {}};
    if (!end.sent && tries_ == 0) return done_(ports::NotStarted{std::move(error)});
    end_with(std::move(error));
  }

  // Once a reply had begun, nobody can say what it cost.
  void end_with(Error error) {
    if (answered_)
      done_(ports::Unknown{std::move(error)});
    else
      done_(ports::Failed{std::move(error)});
  }

  void give_up(Miss& miss) {
    const std::string tries = tries_ == 1 ? "" : fmt::format(" after {} tries", tries_);
    end_with({miss.code,
              fmt::format("model {}: {} {}{}: {}", asked_.model, miss.head, asked_.endpoint.host,
                          tries, miss.what),
              std::move(miss.details)});
  }

  void reset() {
    stream_ = ChatStream(asked_.turn);
    stream_error_.reset();
    body_.clear();
    bytes_ = 0;
    form_ = BodyForm::error;
  }

  Attempt judge(const PostEnd& end) {
    if (stream_error_) return from_wire(*stream_error_);
    if (end.status == 0) return no_response(end);
    if (end.status < 200 || end.status > 299) return from_status(end);
    if (form_ == BodyForm::foreign) return foreign_body();
    if (form_ == BodyForm::json && end.kind != PostEnd::Kind::whole) return cut(end);
    if (form_ == BodyForm::events && end.kind != PostEnd::Kind::whole && !stream_.is_complete())
      return cut(end);
    auto reply = form_ == BodyForm::json ? parse_chat_reply(body_, asked_.turn) : stream_.finish();
    if (!reply) return from_wire(reply.error());
    return std::move(*reply);
  }

  Miss from_wire(const Error& error) const {
    return {error.code,
            "bad reply from",
            quoted_from_server(error.what, asked_.endpoint.key),
            error.details,
            error.code == Code::unavailable,
            {}};
  }

  Miss no_response(const PostEnd& end) const {
    const bool lasting = end.kind == PostEnd::Kind::hopeless;
    return {Code::unavailable,
            "no answer from",
            base::printable(end.why),
            lasting
                ? fmt::format("check {}; a server with a certificate of its own needs its "
                              "authority among the trusted ones",
                              asked_.endpoint.url_name)
                : fmt::format("is the server running, and is {} right?", asked_.endpoint.url_name),
            !lasting,
            {}};
  }

  static Miss cut(const PostEnd& end) {
    return {Code::unavailable,
            "bad reply from",
            fmt::format("the reply was cut before its end: {}", base::printable(end.why)),
            {},
            true,
            {}};
  }

  Miss foreign_body() const {
    return {Code::invalid,
            "bad reply from",
            fmt::format("it answered with `{}`, not with a chat completion",
                        base::printable(base::shortened(content_type_, 80))),
            fmt::format("{} should be the address of the API, usually ending in /v1",
                        asked_.endpoint.url_name),
            false,
            {}};
  }

  Miss from_status(const PostEnd& end) const {
    const ServerError said = parse_server_error(body_);
    const std::string message = quoted_from_server(said.message, asked_.endpoint.key);
    Miss miss{code_of(end.status),
              fmt::format("HTTP {} from", end.status),
              message.empty() ? "(it says no more)" : message,
              way_out(end.status),
              is_passing(end.status),
              {}};
    if (said.kind == "insufficient_quota") {
      miss.code = Code::exhausted;
      miss.details = "the account has no quota left: see to its billing, or use another model";
      miss.may_pass = false;
    }
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    miss.wait = parse_retry_after(
        end.retry_after,
        base::Time{std::chrono::duration_cast<base::Duration>(since_1970).count()});
    return miss;
  }

  std::string way_out(int status) const {
    const ChatEndpoint& endpoint = asked_.endpoint;
    if (status == 401 && endpoint.key.empty()) return fmt::format("set {}", endpoint.key_name);
    if (status == 401 || status == 403)
      return fmt::format("check that {} is valid there and may use this model", endpoint.key_name);
    if (status == 404) return fmt::format("check the model's name, and {}", endpoint.url_name);
    if (status >= 300 && status < 400)
      return fmt::format("redirects are not followed: set {} to where the API really is",
                         endpoint.url_name);
    if (is_passing(status)) return "the server is overloaded or failing: resume the process later";
    return "the server refused the request: check the model's name and what it supports";
  }

  // Doubling, and between a half and the whole of it so that many that failed together do not come
  // back together.
  milliseconds backoff() const {
    const std::uint64_t base = static_cast<std::uint64_t>(options_.backoff_base.count());
    const std::uint64_t max = static_cast<std::uint64_t>(options_.backoff_max.count());
    const std::uint64_t full = std::min(max, base << std::min<std::uint32_t>(tries_ - 1, 20));
    const std::uint64_t spread =
        std::hash<std::string>{}(post_.body) * 0x9E3779B97F4A7C15ULL + tries_;
    return milliseconds(full / 2 + (spread >> 8) % (full / 2 + 1));
  }

  ChatRequest asked_;
  const ModelOptions& options_;
  ChatClient::Done done_;
  PostRequest post_;
  const Steady::time_point started_ = Steady::now();
  std::uint32_t tries_ = 0;
  bool answered_ = false;  // a reply had begun, in any of them
  // Of the attempt under way.
  BodyForm form_ = BodyForm::error;
  bool sniff_ = false;  // the first byte will tell the form
  std::string content_type_;
  std::size_t bytes_ = 0;
  std::string body_;
  ChatStream stream_;
  std::optional<Error> stream_error_;
};

bool can_stand_in_header(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

}  // namespace

Result<ChatEndpoint> make_endpoint(std::string_view base_url, std::string key, std::string key_name,
                                   std::string url_name) {
  const auto bad = [&](std::string_view why) {
    return fail(Code::invalid, fmt::format("{} {}", url_name, why),
                "write it as https://HOST[:PORT]/v1");
  };
  if (!can_stand_in_header(key))
    return fail(
        Code::invalid,
        fmt::format("{} has a space, a line break or another character that no key has", key_name),
        "set it again, without quotes or a line break");
  if (!can_stand_in_header(base_url)) return bad("has a space or a control character");
  const std::size_t scheme = base_url.find("://");
  const std::string_view kind = base_url.substr(0, scheme == std::string_view::npos ? 0 : scheme);
  if (kind != "http" && kind != "https") return bad("is not a http or https URL");
  if (base_url.find_first_of("?#") != std::string_view::npos)
    return bad("has a query or a fragment");
  while (base_url.ends_with('/')) base_url.remove_suffix(1);
  const std::string_view rest = base_url.substr(std::min(scheme + 3, base_url.size()));
  const std::string_view host = rest.substr(0, rest.find('/'));
  if (host.empty()) return bad("names no host");
  if (host.find('@') != std::string_view::npos) return bad("has a user name or password in it");
  return ChatEndpoint{std::string(base_url) + "/chat/completions", std::string(host),
                      std::move(key), std::move(key_name), std::move(url_name)};
}

Result<std::unique_ptr<ChatClient>> ChatClient::open(const ModelOptions& options) {
  auto posts = TRY(HttpPosts::open({options.connect_timeout, options.idle_timeout,
                                    options.in_flight_max, options.proxy, options.ca_file}));
  return std::unique_ptr<ChatClient>(new ChatClient(options, std::move(posts)));
}

ChatClient::ChatClient(ModelOptions options, std::unique_ptr<HttpPosts> posts)
    : options_(std::move(options)), posts_(std::move(posts)) {}
ChatClient::~ChatClient() = default;

void ChatClient::ask(ChatRequest request, Done done) {
  posts_->post(std::make_unique<ChatExchange>(std::move(request), options_, std::move(done)));
}

}  // namespace alos::providers
