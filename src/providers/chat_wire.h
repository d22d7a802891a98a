// The wire of OpenAI's chat completions, as pure functions: a conversation to a request body, a
// body or a stream of server-sent events to a reply. No network here.
//
// What a server sends is taken leniently where servers differ and refused where it would be
// guessed: an error is `unavailable` when asking again may help (malformed, cut), else what the
// server said it is. Source: platform.openai.com/docs/api-reference/chat, HTML Living Standard 9.2
// (event streams).
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "abi/model.h"
#include "ports/hands.h"

namespace alos::providers {

inline constexpr std::size_t kToolCallsMax = 256;  // in one reply

enum class Delivery : unsigned char { whole, streamed };

// How a server wants its output limited: OpenAI's newer models refuse what the others know.
enum class OutputLimit : unsigned char { max_tokens, max_completion_tokens };

struct ChatShape {
  std::string model;                    // the server's name for it
  std::uint64_t output_tokens_max = 0;  // 0: not said
  OutputLimit limit = OutputLimit::max_tokens;
  Delivery delivery = Delivery::streamed;
};

// The body of a request. The system text goes first; payloads kept as blobs are fetched; tool
// arguments of earlier turns that are no JSON object go as "{}" and names of tools that do not
// exist are made of [A-Za-z0-9_-], since servers refuse the whole conversation for either. Errors:
// those of `blobs`.
base::Result<std::string> chat_request_body(const ChatShape& shape, const abi::Conversation& talk,
                                            ports::Blobs& blobs);

// A reply that came as one JSON body. Tool calls without a usable id get call_<turn>_<index>; equal
// ids are made different. Errors: `unavailable` (no JSON, no choices), `exhausted` (too many tool
// calls), or the server's own.
base::Result<abi::ModelGenerate::Reply> parse_chat_reply(std::string_view body, std::uint32_t turn);

// What a server says went wrong, out of an error body of any common shape; the start of the text
// when it has none.
struct ServerError {
  std::string message;  // as sent: not yet shortened or printable
  std::string kind;     // its `code` or `type`, as in "insufficient_quota"; may be empty
};
ServerError parse_server_error(std::string_view body);

// Seconds to wait of a Retry-After header: a number or an HTTP date (RFC 9110, IMF-fixdate).
// Nothing: neither.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, base::Time now);

// A tool call while its pieces arrive.
struct PartialCall {
  std::string id;
  std::string name;
  std::string arguments;
};

// A reply put together from server-sent events, fed in whatever pieces the network makes.
class ChatStream {
 public:
  explicit ChatStream(std::uint32_t turn) : turn_(turn) {}

  // After an error the stream takes no more. Errors as of parse_chat_reply.
  base::Result<void> feed(std::string_view bytes);

  // Whether all of the reply is here, though the stream may go on with usage.
  bool is_complete() const { return done_ || !finish_.empty(); }

  // The reply, at the end of the body. Errors: `unavailable` when it was cut short.
  base::Result<abi::ModelGenerate::Reply> finish();

 private:
  base::Result<void> take_line(std::string_view line);
  base::Result<void> dispatch();
  base::Result<void> take_chunk(base::Reader chunk);
  base::Result<void> take_call(base::Reader delta);
  PartialCall* call_for(base::Reader delta, std::string_view id, bool starts);

  std::uint32_t turn_;
  std::string line_;  // begun, its end not yet seen
  std::string data_;  // of the event begun
  bool first_line_ = true;
  bool after_cr_ = false;
  bool done_ = false;  // [DONE] was seen
  std::string text_;
  std::string refusal_;
  std::vector<PartialCall> calls_;
  std::map<std::uint64_t, std::size_t> by_index_;  // of the wire, to a place in calls_
  std::string finish_;
  std::uint64_t input_tokens_ = 0;
  std::uint64_t output_tokens_ = 0;
};

}  // namespace alos::providers
