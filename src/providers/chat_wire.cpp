#include "providers/chat_wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "abi/tool_text.h"
#include "base/text.h"

namespace alos::providers {
namespace {

using base::append_json_string;
using base::Code;
using base::Document;
using base::fail;
using base::Reader;
using base::Result;
using Reply = abi::ModelGenerate::Reply;

constexpr std::size_t kToolNameBytesMax = 64;
constexpr std::size_t kToolIdBytesMax = 256;

// ---- request ----

Result<std::string> bytes_of(const base::Payload& payload, ports::Blobs& blobs) {
  return payload.blob ? blobs.get(payload.blob->digest) : Result<std::string>(payload.data);
}

bool is_json_object(std::string_view text) {
  const auto document = Document::parse(text, base::Source::outside);
  return document && document->root().is_object();
}

std::string sendable_name(const std::string& name, const std::set<std::string_view>& offered) {
  if (offered.contains(name)) return name;
  std::string out = name.substr(0, kToolNameBytesMax);
  for (char& c : out) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-';
    if (!plain) c = '_';
  }
  return out.empty() ? "unnamed" : out;
}

void append_field(std::string& out, std::string_view name, std::string_view text) {
  append_json_string(out, name);
  out += ':';
  append_json_string(out, text);
}

Result<void> append_calls(std::string& out, const abi::Message& message,
                          const std::set<std::string_view>& offered, ports::Blobs& blobs) {
  out += ",\"tool_calls\":[";
  for (const char* comma = ""; const abi::ToolRequest& call : message.tool_calls) {
    const std::string arguments = TRY(bytes_of(call.arguments, blobs));
    (out += comma) += "{\"type\":\"function\",";
    append_field(out, "id", call.id);
    out += ",\"function\":{";
    append_field(out, "name", sendable_name(call.name, offered));
    out += ',';
    append_field(out, "arguments", is_json_object(arguments) ? arguments : "{}");
    out += "}}";
    comma = ",";
  }
  out += ']';
  return {};
}

Result<void> append_message(std::string& out, const abi::Message& message,
                            const std::set<std::string_view>& offered, ports::Blobs& blobs) {
  std::string text = TRY(bytes_of(message.text, blobs));
  if (message.role == abi::Role::tool)
    text = abi::text_of(base::Json::trusted(std::move(text))).data;
  out += '{';
  append_field(out, "role", base::name_of(message.role));
  out += ',';
  if (text.empty() && !message.tool_calls.empty())
    out += "\"content\":null";
  else
    append_field(out, "content", text);
  if (!message.tool_calls.empty()) TRY(append_calls(out, message, offered, blobs));
  if (message.tool_call_id) {
    out += ',';
    append_field(out, "tool_call_id", *message.tool_call_id);
  }
  out += '}';
  return {};
}

Result<void> append_tools(std::string& out, const std::vector<abi::ToolSpec>& tools,
                          ports::Blobs& blobs) {
  out += ",\"tools\":[";
  for (const char* comma = ""; const abi::ToolSpec& tool : tools) {
    (out += comma) += "{\"type\":\"function\",\"function\":{";
    append_field(out, "name", tool.name);
    out += ',';
    append_field(out, "description", tool.description);
    (out += ",\"parameters\":") += TRY(bytes_of(tool.schema, blobs));
    out += "}}";
    comma = ",";
  }
  out += ']';
  return {};
}

// ---- reply ----

base::Unexpected malformed(std::string what) {
  return fail(Code::unavailable, std::move(what),
              "the server does not speak chat completions as expected: look at its log");
}

std::string_view string_of(Reader object, std::string_view name) {
  const auto field = object.field(name);
  return field ? field->string().value_or(std::string_view{}) : std::string_view{};
}

// A message's content: text, or a list of parts of which the text counts.
std::string content_of(Reader message) {
  const auto content = message.field("content");
  if (!content) return {};
  if (const auto text = content->string()) return std::string(*text);
  std::string out;
  if (content->kind() == "array")
    for (std::size_t i = 0; i < content->size(); ++i) out += string_of(content->at(i), "text");
  return out;
}

// Arguments are text that should be JSON; some servers send the JSON itself.
std::string arguments_of(Reader function) {
  const auto field = function.field("arguments");
  if (!field || field->is_null()) return {};
  const auto text = field->string();
  return text ? std::string(*text) : field->canonical();
}

void read_usage(Reader body, std::uint64_t& input_tokens, std::uint64_t& output_tokens) {
  const auto usage = body.field("usage");
  if (!usage || !usage->is_object()) return;
  const auto count = [&](std::string_view name, std::uint64_t& out) {
    if (const auto field = usage->field(name)) out = field->unsigned_integer().value_or(out);
  };
  count("prompt_tokens", input_tokens);
  count("completion_tokens", output_tokens);
}

bool is_usable_id(std::string_view id) {
  return !id.empty() && id.size() <= kToolIdBytesMax && base::printable(id) == id;
}

// The calls with ids that are there, usable and different.
std::vector<abi::ToolRequest> named_calls(std::vector<PartialCall> calls, std::uint32_t turn) {
  std::vector<abi::ToolRequest> out;
  std::set<std::string> taken;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const std::string wanted =
        is_usable_id(calls[i].id) ? std::move(calls[i].id) : fmt::format("call_{}_{}", turn, i);
    std::string id = wanted;
    for (std::size_t n = 2; !taken.insert(id).second; ++n) id = fmt::format("{}_{}", wanted, n);
    out.push_back({std::move(id), std::move(calls[i].name), std::move(calls[i].arguments)});
  }
  return out;
}

std::string finish_of(std::string_view said, const std::vector<abi::ToolRequest>& calls) {
  if (said == "function_call") return "tool_calls";
  if (said.empty() || (said == "stop" && !calls.empty()))
    return calls.empty() ? "stop" : "tool_calls";
  return base::printable(base::shortened(said, 64));
}

// The error object that some servers send with status 200.
std::optional<base::Unexpected> error_in(Reader body) {
  const auto error = body.field("error");
  if (!error || error->is_null()) return std::nullopt;
  const ServerError said = parse_server_error(body.canonical());
  const bool final = said.kind == "invalid_request_error" || said.kind == "400" ||
                     said.kind == "context_length_exceeded";
  return fail(final ? Code::invalid : Code::unavailable,
              "the server reported an error: " + said.message);
}

// The first choice, of `message` or `delta`; nothing when there is none.
std::optional<Reader> first_choice(Reader body) {
  const auto choices = body.field("choices");
  if (!choices || choices->kind() != "array") return std::nullopt;
  for (std::size_t i = 0; i < choices->size(); ++i) {
    const Reader choice = choices->at(i);
    const auto index = choice.field("index");
    if (choice.is_object() && (!index || index->unsigned_integer().value_or(0) == 0)) return choice;
  }
  return std::nullopt;
}

Result<std::vector<PartialCall>> whole_calls(Reader message) {
  std::vector<PartialCall> out;
  const auto calls = message.field("tool_calls");
  if (!calls || calls->kind() != "array") return out;
  if (calls->size() > kToolCallsMax)
    return fail(Code::exhausted, fmt::format("the reply has {} tool calls, at most {}",
                                             calls->size(), kToolCallsMax));
  for (std::size_t i = 0; i < calls->size(); ++i) {
    const auto function = calls->at(i).field("function");
    if (!function || !function->is_object())
      return malformed(fmt::format("tool call {} of the reply has no function", i));
    out.push_back({std::string(string_of(calls->at(i), "id")),
                   std::string(string_of(*function, "name")), arguments_of(*function)});
  }
  return out;
}

// ---- dates ----

std::optional<base::Time> parse_http_date(std::string_view text) {  // Sun, 06 Nov 1994 08:49:37 GMT
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT")
    return std::nullopt;
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  const auto time = base::parse_time(fmt::format(
      "{}-{:02}-{}T{}Z", text.substr(12, 4), month / 3 + 1, text.substr(5, 2), text.substr(17, 8)));
  return time ? std::optional(*time) : std::nullopt;
}

}  // namespace

Result<std::string> chat_request_body(const ChatShape& shape, const abi::Conversation& talk,
                                      ports::Blobs& blobs) {
  std::set<std::string_view> offered;
  if (talk.tools)
    for (const abi::ToolSpec& tool : *talk.tools) offered.insert(tool.name);
  std::string out = "{";
  append_field(out, "model", shape.model);
  out += ",\"messages\":[";
  const std::string system = TRY(bytes_of(talk.system, blobs));
  const char* comma = "";
  if (!system.empty()) {
    out += "{\"role\":\"system\",";
    append_field(out, "content", system);
    out += '}';
    comma = ",";
  }
  for (const abi::Message* message : talk.transcript.messages()) {
    out += comma;
    comma = ",";
    TRY(append_message(out, *message, offered, blobs));
  }
  out += ']';
  if (talk.tools && !talk.tools->empty()) TRY(append_tools(out, *talk.tools, blobs));
  if (shape.output_tokens_max != 0) {
    out +=
        shape.limit == OutputLimit::max_tokens ? ",\"max_tokens\":" : ",\"max_completion_tokens\":";
    base::append_number(out, shape.output_tokens_max);
  }
  if (shape.delivery == Delivery::streamed)
    out += ",\"stream\":true,\"stream_options\":{\"include_usage\":true}";
  out += '}';
  return out;
}

Result<Reply> parse_chat_reply(std::string_view body, std::uint32_t turn) {
  const auto document = Document::parse(body, base::Source::outside);
  if (!document) return malformed("the reply is " + document.error().what);
  if (!document->root().is_object())
    return malformed(fmt::format("the reply is no object but: {}", document->root().kind()));
  if (auto error = error_in(document->root())) return std::move(*error);
  const auto choice = first_choice(document->root());
  const auto message = choice ? choice->field("message") : std::nullopt;
  if (!message || !message->is_object()) return malformed("the reply has no choices");
  Reply reply;
  reply.tool_calls = named_calls(TRY(whole_calls(*message)), turn);
  std::string text = content_of(*message);
  reply.text = text.empty() ? std::string(string_of(*message, "refusal")) : std::move(text);
  read_usage(document->root(), reply.input_tokens, reply.output_tokens);
  reply.unmetered = reply.input_tokens + reply.output_tokens == 0;
  reply.finish = finish_of(string_of(*choice, "finish_reason"), reply.tool_calls);
  return reply;
}

ServerError parse_server_error(std::string_view body) {
  const auto document = Document::parse(body, base::Source::outside);
  if (!document || !document->root().is_object()) return {std::string(body), {}};
  const Reader root = document->root();
  const auto error = root.field("error");
  const Reader holder = error && error->is_object() ? *error : root;
  ServerError out;
  for (const std::string_view name : {"message", "detail", "error"}) {
    if (!out.message.empty()) break;
    if (const auto field = holder.field(name); field && !field->is_null()) {
      const auto text = field->string();
      out.message = text ? std::string(*text) : field->canonical();
    }
  }
  if (out.message.empty()) out.message = root.canonical();
  for (const std::string_view name : {"code", "type"}) {
    if (!out.kind.empty()) break;
    if (const auto field = holder.field(name); field && !field->is_null()) {
      const auto text = field->string();
      out.kind = text ? std::string(*text) : field->canonical();
    }
  }
  return out;
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, base::Time now) {
  const std::size_t first = value.find_first_not_of(" \t");
  if (first == std::string_view::npos) return std::nullopt;
  value = value.substr(first, value.find_last_not_of(" \t\r\n") + 1 - first);
  static constexpr std::uint64_t kYear = 365ULL * 24 * 3600;
  if (const auto seconds = base::parse_unsigned(value))
    return std::chrono::seconds(std::min(*seconds, kYear));
  const auto when = parse_http_date(value);
  if (!when) return std::nullopt;
  const auto wait = std::chrono::ceil<std::chrono::seconds>(*when - now);
  return std::max(wait, std::chrono::seconds(0));
}

// ---- streams ----

Result<void> ChatStream::feed(std::string_view bytes) {
  while (!bytes.empty() && !done_) {
    if (after_cr_ && bytes.front() == '\n') bytes.remove_prefix(1);
    after_cr_ = false;
    const std::size_t end = bytes.find_first_of("\r\n");
    if (end == std::string_view::npos) {
      line_ += bytes;
      break;
    }
    after_cr_ = bytes[end] == '\r';
    if (line_.empty()) {
      TRY(take_line(bytes.substr(0, end)));
    } else {
      line_ += bytes.substr(0, end);
      const std::string line = std::exchange(line_, {});
      TRY(take_line(line));
    }
    bytes.remove_prefix(end + 1);
  }
  return {};
}

Result<void> ChatStream::take_line(std::string_view line) {
  static constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (std::exchange(first_line_, false) && line.starts_with(kByteOrderMark))
    line.remove_prefix(kByteOrderMark.size());
  if (line.empty()) return dispatch();
  const std::size_t colon = line.find(':');
  if (line.substr(0, colon) != "data")
    return {};  // a comment (colon 0), event, id, retry, or unknown
  line.remove_prefix(colon == std::string_view::npos ? line.size() : colon + 1);
  if (line.starts_with(' ')) line.remove_prefix(1);
  if (!data_.empty()) data_ += '\n';
  data_ += line;
  return {};
}

Result<void> ChatStream::dispatch() {
  const std::string data = std::exchange(data_, {});
  if (data.find_first_not_of(" \t\n") == std::string::npos) return {};
  if (data == "[DONE]") {
    done_ = true;
    return {};
  }
  const auto document = Document::parse(data, base::Source::outside);
  if (!document) return malformed("an event of the reply is " + document.error().what);
  if (!document->root().is_object())
    return malformed(
        fmt::format("an event of the reply is no object but: {}", document->root().kind()));
  return take_chunk(document->root());
}

Result<void> ChatStream::take_chunk(Reader chunk) {
  if (auto error = error_in(chunk)) return std::move(*error);
  read_usage(chunk, input_tokens_, output_tokens_);
  const auto choice = first_choice(chunk);
  if (!choice) return {};
  auto delta = choice->field("delta");
  if (!delta || !delta->is_object()) delta = choice->field("message");
  if (delta && delta->is_object()) {
    text_ += content_of(*delta);
    refusal_ += string_of(*delta, "refusal");
    const auto calls = delta->field("tool_calls");
    if (calls && calls->kind() == "array")
      for (std::size_t i = 0; i < calls->size(); ++i) TRY(take_call(calls->at(i)));
  }
  if (const std::string_view finish = string_of(*choice, "finish_reason"); !finish.empty())
    finish_ = finish;
  return {};
}

// The call that a delta goes on with. Without an index: the one of that id, or the last. An index
// that comes again with another id and a name begins a new call (Ollama numbers them all 0). Null:
// begin one.
PartialCall* ChatStream::call_for(Reader delta, std::string_view id, bool starts) {
  const auto field = delta.field("index");
  const auto index = field ? field->unsigned_integer() : std::nullopt;
  if (index) {
    const auto found = by_index_.find(*index);
    if (found == by_index_.end()) return nullptr;
    PartialCall& call = calls_[found->second];
    return starts && !id.empty() && !call.id.empty() && call.id != id ? nullptr : &call;
  }
  if (calls_.empty()) return nullptr;
  if (id.empty()) return starts ? nullptr : &calls_.back();
  const auto same = std::find_if(calls_.begin(), calls_.end(),
                                 [&](const PartialCall& call) { return call.id == id; });
  return same == calls_.end() ? nullptr : &*same;
}

Result<void> ChatStream::take_call(Reader delta) {
  if (!delta.is_object()) return malformed("a tool call of the reply is no object");
  const auto function = delta.field("function");
  const bool has_function = function && function->is_object();
  const std::string_view id = string_of(delta, "id");
  const std::string_view name = has_function ? string_of(*function, "name") : std::string_view{};
  PartialCall* call = call_for(delta, id, !name.empty());
  if (call == nullptr) {
    if (calls_.size() == kToolCallsMax)
      return fail(Code::exhausted,
                  fmt::format("the reply has more than {} tool calls", kToolCallsMax));
    const auto index = delta.field("index");
    if (const auto number = index ? index->unsigned_integer() : std::nullopt)
      by_index_[*number] = calls_.size();
    call = &calls_.emplace_back();
  }
  if (call->id.empty()) call->id = id;
  if (call->name != name)
    call->name += name;  // some servers say the whole name again with each piece
  if (has_function) call->arguments += arguments_of(*function);
  return {};
}

Result<Reply> ChatStream::finish() {
  if (!done_) {  // the last event may lack its blank line
    if (!line_.empty()) TRY(take_line(std::exchange(line_, {})));
    if (auto last = dispatch(); !last && !is_complete())
      return base::Unexpected(std::move(last).error());
  }
  if (!is_complete()) return malformed("the reply was cut before its end");
  if (finish_.empty() && text_.empty() && refusal_.empty() && calls_.empty())
    return malformed("the reply has no choices");
  Reply reply;
  reply.tool_calls = named_calls(std::move(calls_), turn_);
  reply.text = text_.empty() ? std::move(refusal_) : std::move(text_);
  reply.input_tokens = input_tokens_;
  reply.output_tokens = output_tokens_;
  reply.unmetered = input_tokens_ + output_tokens_ == 0;
  reply.finish = finish_of(finish_, reply.tool_calls);
  return reply;
}

}  // namespace alos::providers
