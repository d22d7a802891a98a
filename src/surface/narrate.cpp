#include "surface/narrate.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "surface/table.h"

namespace alos::surface {
namespace {

using base::Document;
using base::Reader;
using kernel::RecordView;

constexpr std::size_t kTextBytesMax = 160;

std::string text_of(Reader value) {
  if (const auto text = value.string()) return std::string(*text);
  return value.canonical();
}

std::optional<Reader> walk(Reader from, std::string_view name) {
  return from.is_object() ? from.field(name) : std::nullopt;
}

std::string get(Reader from, std::string_view name) {
  const auto value = walk(from, name);
  return value ? text_of(*value) : std::string();
}

std::string brief(std::string_view text, std::size_t bytes_max = kTextBytesMax) {
  return base::printable(base::shortened(text, bytes_max));
}

std::string error_text(Reader body) {
  const auto error = walk(body, "error");
  return error ? fmt::format("{}: {}", get(*error, "code"), brief(get(*error, "what")))
               : std::string();
}

// The argument that says most of a tool call: its path, its question, else all of it.
std::string main_argument(std::string_view json) {
  const auto document = Document::parse(json, base::Source::outside);
  if (!document || !document->root().is_object()) return brief(json, 80);
  const Reader root = document->root();
  for (const std::string_view name :
       {"path", "from", "name", "question", "text", "pattern", "query", "seconds", "result"})
    if (const auto value = root.field(name)) {
      std::string out = brief(text_of(*value), 80);
      if (const auto to = name == "from" ? root.field("to") : std::nullopt)
        out += " -> " + brief(text_of(*to), 80);
      return out;
    }
  return root.size() == 0 ? std::string() : brief(json, 80);
}

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  if (bytes < 1024 * 1024) return fmt::format("{:.1f} KB", static_cast<double>(bytes) / 1024);
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / (1024 * 1024));
}

// A tool's value in a few words.
std::string value_text(Reader value) {
  if (!value.is_object()) return brief(text_of(value), 80);
  for (const std::string_view name :
       {"entries", "matches", "files", "paths", "objects", "capabilities"})
    if (const auto items = value.field(name); items && items->kind() == "array")
      return fmt::format("{} {}", items->size(), name);
  if (const auto content = value.field("content")) return size_text(text_of(*content).size());
  if (const auto bytes = value.field("bytes"); bytes && bytes->unsigned_integer())
    return (get(value, "created") == "true" ? "new, " : "") + size_text(*bytes->unsigned_integer());
  if (value.field("exiting")) return {};
  if (const auto answer = value.field("answer")) return brief(text_of(*answer), 80);
  return value.size() == 0 ? "done" : brief(value.canonical(), 80);
}

std::string needs_text(Reader body) {
  const auto needs = walk(body, "needs");
  std::string out;
  for (std::size_t i = 0; needs && i < needs->size(); ++i)
    out += fmt::format("{}{} {}", i == 0 ? "" : ", ", get(needs->at(i), "right"),
                       brief(get(needs->at(i), "resource")));
  return out;
}

std::string process_summary(std::string_view kind, Reader body) {
  if (kind == "process.spawned")
    return fmt::format("{} starts from image {} with {}: {}", brief(get(body, "name")),
                       brief(get(body, "image")), brief(get(body, "model")),
                       brief(get(body, "goal")));
  if (kind == "process.moved") return fmt::format("works in {}", brief(get(body, "cwd")));
  if (kind == "process.paused")
    return fmt::format("paused by {}: {}", brief(get(body, "by")), brief(get(body, "reason")));
  if (kind == "process.resumed") return fmt::format("resumed by {}", brief(get(body, "by")));
  if (kind == "process.exiting") return "asks to end";
  if (kind == "process.exited") return fmt::format("ended: {}", brief(get(body, "result")));
  if (kind == "process.failed") return fmt::format("failed: {}", error_text(body));
  if (kind == "process.killed")
    return fmt::format("killed by {} {}", brief(get(body, "by")), brief(get(body, "reason")));
  return {};
}

std::string call_summary(std::string_view kind, Reader body) {
  if (kind == "turn.started") return fmt::format("turn {}: asks the model", get(body, "turn"));
  if (kind == "turn.failed") return fmt::format("the model gave no reply: {}", error_text(body));
  if (kind == "tool.called") return fmt::format("calls tool {}", brief(get(body, "tool")));
  if (kind == "tool.returned") {
    const auto value = walk(body, "value");
    return fmt::format(
        "tool {} returned {}", brief(get(body, "tool")),
        get(body, "ok") == "true" ? (value ? value_text(*value) : "") : error_text(body));
  }
  if (kind == "call.intended")
    return fmt::format("is about to do {} ({}): {}", get(body, "name"), get(body, "effect"),
                       needs_text(body));
  if (kind == "call.settled") {
    const std::string error = error_text(body);
    return fmt::format("the effect is {}{}{}", get(body, "outcome"), error.empty() ? "" : ": ",
                       error);
  }
  if (kind == "call.observed") {
    const std::string error = error_text(body);
    return fmt::format("{} answered{}{}", get(body, "name"), error.empty() ? "" : ": ", error);
  }
  if (kind == "call.waiting") {
    const std::string until = get(body, "until");
    return fmt::format("{} waits{}", get(body, "name"), until.empty() ? "" : " until " + until);
  }
  return {};
}

std::string authority_summary(std::string_view kind, Reader body) {
  if (kind == "cap.granted") {
    const auto cap = walk(body, "cap");
    const auto grant = cap ? walk(*cap, "grant") : std::nullopt;
    std::string text;
    if (grant && grant->is_object())
      text = fmt::format("{} {} {}", get(*grant, "rights"), get(*grant, "resource"),
                         get(*grant, "effect"));
    else if (grant)
      text = text_of(*grant);
    return fmt::format("granted {} by {}", brief(text), cap ? brief(get(*cap, "from")) : "?");
  }
  if (kind == "cap.revoked")
    return fmt::format("capabilities {} revoked by {}", get(body, "caps"), brief(get(body, "by")));
  if (kind == "authority.decided") {
    const std::string reason = get(body, "reason");
    return fmt::format("{}: {} {}{}{}", get(body, "decision"), get(body, "right"),
                       brief(get(body, "resource")), reason.empty() ? "" : ", ", brief(reason));
  }
  if (kind == "request.opened")
    return fmt::format("{} for {}{}: {}", get(body, "kind"), brief(get(body, "to")),
                       get(body, "kind") == "approval" ? " of " + brief(get(body, "name")) : "",
                       brief(get(body, "question")));
  if (kind == "request.voted")
    return fmt::format("yes from {} {}", brief(get(body, "by")), brief(get(body, "scope")));
  if (kind == "request.answered")
    return fmt::format("{} by {} {}{} {}", get(body, "answer"), brief(get(body, "by")),
                       brief(get(body, "scope")), get(body, "edited").empty() ? "" : ", edited",
                       brief(get(body, "text")));
  return {};
}

std::string other_summary(std::string_view kind, Reader body) {
  if (kind == "job.created")
    return fmt::format("a job of {}, roots {}", brief(get(body, "owner")),
                       brief(get(body, "roots")));
  if (kind == "job.opened")
    return fmt::format("taken up by a runtime, epoch {}", get(body, "epoch"));
  if (kind == "budget.warned" || kind == "budget.set") {
    const auto budget = abi::budget_kind(get(body, "kind"));
    const auto amount = [&](std::string_view name) {
      const auto number = base::parse_unsigned(get(body, name));
      return budget && number ? abi::amount_text(*budget, *number) : std::string("no limit");
    };
    if (kind == "budget.set")
      return fmt::format("budget {} is {} now, by {}", get(body, "kind"), amount("limit"),
                         brief(get(body, "by")));
    return fmt::format("budget {}: {} of {} are used", get(body, "kind"), amount("used"),
                       amount("limit"));
  }
  if (kind == "message.sent")
    return fmt::format("message {} to {}: {}", get(body, "number"), get(body, "to"),
                       brief(get(body, "text")));
  if (kind == "message.received" || kind == "message.taken") {
    const Reader letter = walk(body, "letter").value_or(body);
    return fmt::format(
        "message {} of {} {}", get(letter, "number"), brief(get(letter, "from")),
        kind == "message.taken" ? "is read" : "comes: " + brief(get(letter, "text")));
  }
  if (kind == "message.delivered") {
    const std::string error = error_text(body);
    return fmt::format("message {} has {}", get(body, "number"),
                       error.empty() ? "arrived" : "not arrived: " + error);
  }
  if (kind == "object.put")
    return fmt::format("object {} version {}", brief(get(body, "name")), get(body, "version"));
  if (kind == "human.told")
    return fmt::format("tells {}: {}", brief(get(body, "to")), brief(get(body, "text")));
  return brief(body.canonical());
}

}  // namespace

std::string summary_of(const RecordView& record) {
  const auto document = Document::parse(record.body, base::Source::outside);
  if (!document) return brief(record.body);
  const Reader body = document->root();
  for (const auto& say : {process_summary, call_summary, authority_summary})
    if (std::string text = say(record.kind, body); !text.empty()) return text;
  return other_summary(record.kind, body);
}

std::string clock_of(base::Time time) { return base::to_string(time).substr(11, 8); }

std::string field_of(const RecordView& record, std::string_view name) {
  const auto document = Document::parse(record.body, base::Source::outside);
  return document ? get(document->root(), name) : std::string();
}

std::string Narrator::prefix(const RecordView& record) const {
  return names_ ? paint(style_, Ink::dim, base::to_string(record.pid) + ' ') : std::string();
}

// A model's reply: what it says, and what it asks for, to be told when it is done.
std::string Narrator::tell_reply(const RecordView& record) {
  const auto document = Document::parse(record.body, base::Source::outside);
  const auto reply = document ? walk(document->root(), "reply") : std::nullopt;
  const auto calls = reply ? walk(*reply, "tool_calls") : std::nullopt;
  if (!calls) return {};
  for (std::size_t i = 0; i < calls->size(); ++i)
    arguments_[{record.pid, get(calls->at(i), "id")}] =
        main_argument(get(calls->at(i), "arguments"));
  const std::string text = get(*reply, "text");
  if (text.empty()) return {};
  std::string out;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    out += prefix(record) + "  " + base::printable(rest.substr(0, end)) + '\n';
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  return out;
}

std::string Narrator::tell_return(const RecordView& record) {
  const auto document = Document::parse(record.body, base::Source::outside);
  if (!document) return {};
  const Reader body = document->root();
  const std::string tool = get(body, "tool");
  const std::string argument = arguments_[{record.pid, requests_[{record.pid, get(body, "call")}]}];
  const std::string left = fmt::format("{:<14} {}", brief(tool, 40), argument);
  if (get(body, "ok") == "true") {
    const auto value = walk(body, "value");
    const std::string result = value ? value_text(*value) : std::string();
    return fmt::format("{}{} {}  {}\n", prefix(record), paint(style_, Ink::green, "✓"), left,
                       paint(style_, Ink::dim, result));
  }
  return fmt::format("{}{} {}  {}\n", prefix(record), paint(style_, Ink::red, "✗"), left,
                     paint(style_, Ink::red, error_text(body)));
}

std::string Narrator::tell(const RecordView& record) {
  const std::string& kind = record.kind;
  if (kind == "call.settled") return tell_reply(record);
  if (kind == "tool.called") {
    requests_[{record.pid, field_of(record, "call")}] = field_of(record, "request");
    const std::string outside = field_of(record, "arguments");
    if (!outside.empty())
      arguments_[{record.pid, field_of(record, "request")}] = main_argument(outside);
    return {};
  }
  if (kind == "tool.returned") return tell_return(record);
  const auto line = [&](std::string_view mark, Ink ink) {
    return fmt::format("{}{} {}\n", prefix(record), paint(style_, ink, mark), summary_of(record));
  };
  if (kind == "human.told") return line("·", Ink::cyan);
  if (kind == "request.opened") return line("?", Ink::yellow);
  if (kind == "request.answered" || kind == "request.voted") return line("!", Ink::yellow);
  if (kind == "process.paused" || kind == "process.resumed" || kind == "process.killed")
    return line("·", Ink::yellow);
  if (kind == "budget.warned" || kind == "budget.set") return line("·", Ink::yellow);
  if (kind == "message.sent" || kind == "message.received") return line("·", Ink::cyan);
  if (kind == "job.opened") return line("·", Ink::dim);
  return {};
}

}  // namespace alos::surface
