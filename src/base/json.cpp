#include "base/json.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>

#include "base/text.h"

namespace alos::base {
namespace {

namespace json = boost::json;

// How a reference to a payload looks in a record. No inline JSON may hold this anywhere, so that a
// reader of the line can tell references from values.
constexpr std::string_view kTextKey = "$text";
constexpr std::string_view kJsonKey = "$json";
constexpr std::string_view kTextPrefix = "{\"$text\":\"";
constexpr std::string_view kJsonPrefix = "{\"$json\":\"";

std::string place(const Where* where) {
  if (where == nullptr) return {};
  std::string out = place(where->up);
  if (where->name.empty()) return out + fmt::format("[{}]", where->index);
  if (!out.empty()) out += '.';
  return out + printable(where->name);
}

std::string in_place(const Where* where) {
  const std::string at = place(where);
  return at.empty() ? std::string{} : fmt::format("`{}`: ", at);
}

// The first byte from `at` on that a JSON string escapes, eight at a time; the size when there is
// none.
std::size_t next_to_escape(std::string_view text, std::size_t at) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL, kHighs = 0x8080808080808080ULL;
  const auto has_zero = [](std::uint64_t word) { return (word - kOnes) & ~word & kHighs; };
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    if ((has_zero(word & ~(kOnes * 0x1F)) | has_zero(word ^ (kOnes * '"')) |
         has_zero(word ^ (kOnes * '\\'))) != 0)
      break;
  }
  for (; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x20 || c == '"' || c == '\\') break;
  }
  return at;
}

void append_canonical(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::object: {
      out += '{';
      const char* comma = "";
      for (const auto& [key, item] : value.get_object()) {
        out += comma;
        append_json_string(out, {key.data(), key.size()});
        out += ':';
        append_canonical(out, item);
        comma = ",";
      }
      out += '}';
      break;
    }
    case json::kind::array: {
      out += '[';
      const char* comma = "";
      for (const auto& item : value.get_array())
        out += comma, append_canonical(out, item), comma = ",";
      out += ']';
      break;
    }
    case json::kind::string:
      append_json_string(out, {value.get_string().data(), value.get_string().size()});
      break;
    case json::kind::int64: append_number(out, value.get_int64()); break;
    case json::kind::uint64: append_number(out, value.get_uint64()); break;
    case json::kind::double_: {
      const double number = value.get_double();
      CHECK(std::isfinite(number));  // the parser refuses others
      out += number == 0 ? std::string("0") : fmt::format("{}", number);
      break;
    }
    case json::kind::bool_: out += value.get_bool() ? "true" : "false"; break;
    case json::kind::null: out += "null"; break;
  }
}

void append_reference(std::string& out, std::string_view prefix, const BlobRef& blob) {
  out += prefix;
  out += to_hex(blob.digest);
  out += "\",\"bytes\":";
  append_number(out, blob.bytes);
  out += '}';
}

// A reference is an object that begins with `key` and a string: exactly what no inline JSON may
// hold (wants_blob).
Result<std::optional<BlobRef>> read_reference(Reader in, std::string_view key, const Where* where) {
  if (in.source() == Source::outside || !in.is_object() || in.size() == 0)
    return std::optional<BlobRef>{};
  const auto [first, name] = in.member(0);
  if (first != key || !name.string()) return std::optional<BlobRef>{};
  BlobRef blob;
  TRY(decode(name, blob.digest, where));
  const auto bytes = in.field("bytes");
  if (!bytes || in.size() != 2) return wrong_type(where, "a reference to a payload", in);
  TRY(decode(*bytes, blob.bytes, where));
  return std::optional<BlobRef>{blob};
}

// Builds a json::value as json::parser does, except that doubles are read exactly: what is written
// in its shortest form is read back as itself. Boost's own reading can be off by one unit in the
// last place.
class Builder {
 public:
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();
  using Failure = json::error_code;

  Builder() { stack_.reset(); }
  json::value release() { return stack_.release(); }

  static bool on_document_begin(Failure&) { return true; }
  static bool on_document_end(Failure&) { return true; }
  static bool on_object_begin(Failure&) { return true; }
  static bool on_array_begin(Failure&) { return true; }
  bool on_object_end(std::size_t count, Failure&) { return stack_.push_object(count), true; }
  bool on_array_end(std::size_t count, Failure&) { return stack_.push_array(count), true; }
  bool on_key_part(json::string_view text, std::size_t, Failure&) {
    return stack_.push_chars(text), true;
  }
  bool on_key(json::string_view text, std::size_t, Failure&) { return stack_.push_key(text), true; }
  bool on_string_part(json::string_view text, std::size_t, Failure&) {
    return stack_.push_chars(text), true;
  }
  bool on_string(json::string_view text, std::size_t, Failure&) {
    return stack_.push_string(text), true;
  }
  bool on_number_part(json::string_view text, Failure&) {
    return number_.append(text.data(), text.size()), true;
  }
  bool on_int64(std::int64_t number, json::string_view, Failure&) {
    return number_.clear(), stack_.push_int64(number), true;
  }
  bool on_uint64(std::uint64_t number, json::string_view, Failure&) {
    return number_.clear(), stack_.push_uint64(number), true;
  }
  bool on_bool(bool flag, Failure&) { return stack_.push_bool(flag), true; }
  bool on_null(Failure&) { return stack_.push_null(), true; }
  static bool on_comment_part(json::string_view, Failure&) { return true; }
  static bool on_comment(json::string_view, Failure&) { return true; }

  bool on_double(double near, json::string_view text, Failure& error) {
    number_.append(text.data(), text.size());
    double exact = near;
    (void)std::from_chars(number_.data(), number_.data() + number_.size(),
                          exact);  // out of range: as Boost has it
    number_.clear();
    if (!std::isfinite(exact)) return error = json::error::exponent_overflow, false;
    return stack_.push_double(exact), true;
  }

 private:
  json::value_stack stack_;
  std::string number_;  // the parts of one that is still being read
};

}  // namespace

std::string_view Reader::kind() const {
  switch (value_->kind()) {
    case json::kind::object: return "object";
    case json::kind::array: return "array";
    case json::kind::string: return "string";
    case json::kind::int64:
    case json::kind::uint64: return "integer";
    case json::kind::double_: return "number";
    case json::kind::bool_: return "boolean";
    case json::kind::null: break;
  }
  return "null";
}

std::optional<std::string_view> Reader::string() const {
  if (const auto* text = value_->if_string()) return std::string_view(text->data(), text->size());
  return std::nullopt;
}

std::optional<bool> Reader::boolean() const {
  if (const auto* flag = value_->if_bool()) return *flag;
  return std::nullopt;
}

std::optional<std::int64_t> Reader::signed_integer() const {
  if (const auto* n = value_->if_int64()) return *n;
  if (const auto* d = value_->if_double();
      d != nullptr && std::trunc(*d) == *d && std::abs(*d) < 9e15)
    return static_cast<std::int64_t>(*d);
  return std::nullopt;
}

std::optional<std::uint64_t> Reader::unsigned_integer() const {
  if (const auto* n = value_->if_uint64()) return *n;
  const auto n = signed_integer();
  return n && *n >= 0 ? std::optional<std::uint64_t>(static_cast<std::uint64_t>(*n)) : std::nullopt;
}

std::optional<double> Reader::number() const {
  if (value_->is_number()) return value_->to_number<double>();
  return std::nullopt;
}

std::size_t Reader::size() const {
  if (const auto* object = value_->if_object()) return object->size();
  if (const auto* array = value_->if_array()) return array->size();
  return 0;
}

Reader Reader::at(std::size_t index) const { return {value_->get_array()[index], source_}; }

std::optional<Reader> Reader::field(std::string_view name) const {
  const auto* object = value_->if_object();
  const json::value* found =
      object == nullptr ? nullptr : object->if_contains({name.data(), name.size()});
  return found == nullptr ? std::nullopt : std::optional<Reader>(Reader(*found, source_));
}

std::pair<std::string_view, Reader> Reader::member(std::size_t index) const {
  const auto& pair = *(value_->get_object().begin() + static_cast<std::ptrdiff_t>(index));
  return {std::string_view(pair.key().data(), pair.key().size()), Reader(pair.value(), source_)};
}

std::string Reader::canonical() const {
  std::string out;
  append_canonical(out, *value_);
  return out;
}

Result<Document> Document::parse(std::string_view text, Source source, std::size_t bytes_max) {
  if (text.size() > bytes_max)
    return fail(Code::invalid, fmt::format("a JSON document of {} bytes is too large", text.size()),
                fmt::format("at most {} bytes here", bytes_max));
  json::parse_options options;
  options.max_depth = source == Source::journal ? kJournalJsonDepthMax : kJsonDepthMax;
  json::basic_parser<Builder> parser(options);
  json::error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (!error && read < text.size()) error = json::error::extra_data;
  if (error)
    return fail(Code::invalid, fmt::format("not JSON at byte {}: {}", read, error.message()));
  return Document(std::make_shared<const json::value>(parser.handler().release()), source);
}

Result<Json> parse_json(std::string_view text, std::size_t bytes_max) {
  const Document document = TRY(Document::parse(text, Source::outside, bytes_max));
  return Json::trusted(document.root().canonical());
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  if (!is_utf8(text)) return append_json_string(out, printable(text, Lines::keep));
  out += '"';
  std::size_t start = 0;
  for (std::size_t i = next_to_escape(text, 0); i < text.size(); i = next_to_escape(text, i + 1)) {
    const auto c = static_cast<unsigned char>(text[i]);
    out.append(text, start, i - start);
    start = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: ((out += "\\u00") += kHex[c >> 4]) += kHex[c & 15];
    }
  }
  out.append(text, start, text.size() - start);
  out += '"';
}

void append_number(std::string& out, std::int64_t number) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), number).ptr;
  out.append(buffer, end);
}

void append_number(std::string& out, std::uint64_t number) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), number).ptr;
  out.append(buffer, end);
}

bool wants_blob(const Text& text) {
  return !text.blob && (text.data.size() > kInlineBytesMax || !is_utf8(text.data));
}

bool wants_blob(const Json& json) {
  return !json.blob &&
         (json.data.size() > kInlineBytesMax || json.data.find(kJsonPrefix) != std::string::npos ||
          json.data.find(kTextPrefix) != std::string::npos);
}

void append_text(std::string& out, const Text& text) {
  if (text.blob)
    append_reference(out, kTextPrefix, *text.blob);
  else if (wants_blob(text))
    append_reference(out, kTextPrefix, {Digest::of(text.data), text.data.size()});
  else
    append_json_string(out, text.data);
}

void append_json(std::string& out, const Json& json) {
  if (json.blob)
    append_reference(out, kJsonPrefix, *json.blob);
  else if (wants_blob(json))
    append_reference(out, kJsonPrefix, {Digest::of(json.data), json.data.size()});
  else
    out += json.data;
}

Result<std::string> with_payloads(std::string_view line, const LoadBlob& load) {
  std::string out;
  while (true) {
    const std::size_t text_at = line.find(kTextPrefix), json_at = line.find(kJsonPrefix);
    const std::size_t at = std::min(text_at, json_at);
    out += line.substr(0, at);
    if (at == std::string_view::npos) return out;
    const std::size_t end = line.find('}', at);
    if (end == std::string_view::npos)
      return fail(Code::corrupt, "a reference to a payload is cut off");
    const Digest digest = TRY(Digest::from_hex(line.substr(at + kTextPrefix.size(), 64)));
    const std::string bytes = TRY(load(digest));
    if (at == json_at)
      out += bytes;
    else
      append_json_string(out, bytes);
    line.remove_prefix(end + 1);
  }
}

Result<void> read_text(Reader in, const Where* where, Text& out) {
  if (const auto text = in.string()) {
    out = Text(std::string(*text));
    return {};
  }
  out.blob = TRY(read_reference(in, kTextKey, where));
  out.data.clear();
  if (!out.blob) return wrong_type(where, "a string", in);
  return {};
}

Result<void> read_json(Reader in, const Where* where, Json& out) {
  out.blob = TRY(read_reference(in, kJsonKey, where));
  out.data = out.blob ? std::string{} : in.canonical();
  return {};
}

Unexpected wrong_type(const Where* where, std::string_view expected, Reader got) {
  const auto text = got.string();
  const std::string shown =
      text ? fmt::format(" \"{}\"", printable(shortened(*text, 60))) : std::string{};
  return fail(Code::invalid,
              fmt::format("{}expected {}, got {}{}", in_place(where), expected, got.kind(), shown));
}

Unexpected at_field(const Where* where, const Error& error) {
  return fail(error.code, in_place(where) + error.what, error.details);
}

Unexpected missing_field(const Where* where, std::string_view name) {
  return fail(Code::invalid, fmt::format("{}`{}` is missing", in_place(where), name));
}

Unexpected unknown_field(const Where* where, std::string_view name, const std::string_view* known,
                         std::size_t count) {
  const std::string_view near = nearest(name, {known, count});
  std::string details = near.empty() ? std::string{} : fmt::format("did you mean `{}`? ", near);
  details += "known:";
  for (std::size_t i = 0; i < count; ++i) (details += ' ') += known[i];
  return fail(Code::invalid,
              fmt::format("{}`{}` is not known", in_place(where), printable(shortened(name, 80))),
              details);
}

}  // namespace alos::base
