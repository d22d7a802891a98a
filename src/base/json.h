// JSON <-> described structs, strict and with errors that name the field.
//
// Encoding is canonical: fields in the order of the struct, absent optionals left out, no white
// space; the same value is the same bytes for ever. Decoding refuses unknown, missing and ill-typed
// fields. The parser is Boost.JSON, which no header of ours shows.
#pragma once

#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/describe.h"
#include "base/digest.h"
#include "base/id.h"
#include "base/path.h"
#include "base/payload.h"
#include "base/result.h"
#include "base/time.h"

namespace boost::json {
class value;
}

namespace alos::base {

inline constexpr std::size_t kJsonDepthMax = 32;          // from outside
inline constexpr std::size_t kJournalJsonDepthMax = 128;  // records and states wrap it deeper
inline constexpr std::size_t kJsonBytesMax = 64U
                                             << 20;  // of one document, unless the caller sets less

// ---- reading ----

// Where in a document a Reader stands; only looked at when an error is made.
struct Where {
  const Where* up = nullptr;
  std::string_view name;
  std::size_t index = 0;
};

// Who wrote a document. Only the journal's own may hold references to blobs: from outside, an
// object that looks like one is just an object.
enum class Source : unsigned char { outside, journal };

// A view of one value of a parsed Document.
class Reader {
 public:
  Reader(const boost::json::value& value, Source source) : value_(&value), source_(source) {}

  Source source() const { return source_; }

  std::string_view kind()
      const;  // "object", "array", "string", "integer", "number", "boolean", "null"
  bool is_object() const { return kind() == "object"; }
  std::optional<std::string_view> string() const;
  std::optional<bool> boolean() const;
  std::optional<std::int64_t> signed_integer() const;     // also 5.0
  std::optional<std::uint64_t> unsigned_integer() const;  // also 5.0
  std::optional<double> number() const;
  bool is_null() const { return kind() == "null"; }

  std::size_t size() const;            // of an array or object, else 0
  Reader at(std::size_t index) const;  // of an array
  std::optional<Reader> field(std::string_view name) const;
  std::pair<std::string_view, Reader> member(
      std::size_t index) const;   // of an object, in document order
  std::string canonical() const;  // the value as canonical JSON text

 private:
  const boost::json::value* value_;
  Source source_;
};

class Document {
 public:
  // Errors are `invalid` and give the byte offset.
  static Result<Document> parse(std::string_view text, Source source,
                                std::size_t bytes_max = kJsonBytesMax);
  Reader root() const { return Reader(*value_, source_); }

 private:
  Document(std::shared_ptr<const boost::json::value> value, Source source)
      : value_(std::move(value)), source_(source) {}
  std::shared_ptr<const boost::json::value> value_;
  Source source_;
};

// Any JSON text -> canonical: no white space, objects as written. Errors are `invalid`.
Result<Json> parse_json(std::string_view text, std::size_t bytes_max = kJsonBytesMax);

// ---- building blocks ----

void append_json_string(std::string& out,
                        std::string_view text);  // quoted; bytes that are no UTF-8 become \\xNN
void append_number(std::string& out, std::int64_t number);
void append_number(std::string& out, std::uint64_t number);
void append_text(std::string& out, const Text& text);
void append_json(std::string& out, const Json& json);

// A record's line with every reference replaced by what it refers to, for people and scripts.
using LoadBlob = std::function<Result<std::string>(const Digest&)>;
Result<std::string> with_payloads(std::string_view line, const LoadBlob& load);

Unexpected wrong_type(const Where* where, std::string_view expected, Reader got);
Unexpected at_field(const Where* where,
                    const Error& error);  // an error of a field's own parser, with its place
Unexpected missing_field(const Where* where, std::string_view name);
Unexpected unknown_field(const Where* where, std::string_view name, const std::string_view* known,
                         std::size_t count);
Result<void> read_text(Reader in, const Where* where, Text& out);
Result<void> read_json(Reader in, const Where* where, Json& out);

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};
template <typename T>
struct IsMap : std::false_type {};
template <typename V>
struct IsMap<std::map<std::string, V>> : std::true_type {};
template <typename T>
struct IsId : std::false_type {};
template <typename Tag>
struct IsId<Id<Tag>> : std::true_type {};

// A type with a text form of its own: `std::string to_text() const` and `static Result<T>
// from_text(string_view)`.
template <typename T>
concept Textual = requires(const T& value, std::string_view text) {
  { value.to_text() } -> std::convertible_to<std::string>;
  { T::from_text(text) } -> std::same_as<Result<T>>;
};

// A type that is written as a list of items.
template <typename T>
concept Listed = requires(const T& value) {
  { T::from_items(value.to_items()) } -> std::same_as<T>;
};

template <typename T>
void encode(std::string& out, const T& value);
template <typename T>
Result<void> decode(Reader in, T& out, const Where* where = nullptr);

// The index of the first field that joined the struct after journals were written with it:
// `static constexpr std::size_t kAddedFrom`. Such a field is left out when it is as by default, and
// has its default when it is left out.
template <Described T>
constexpr std::size_t added_from() {
  if constexpr (requires { T::kAddedFrom; }) return T::kAddedFrom;
  return static_cast<std::size_t>(-1);
}

// ---- encode ----

template <Described T>
void encode_fields(std::string& out, const T& value) {
  [[maybe_unused]] static constexpr auto names = field_names<T>();
  bool first = true;
  const auto one = [&]<std::size_t I>(const auto& field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    if constexpr (IsOptional<Field>::value) {
      if (!field) return;
    } else if constexpr (I >= added_from<T>()) {
      if (field == Field{}) return;
    }
    out += first ? "\"" : ",\"";
    first = false;
    out += names[I];
    out += "\":";
    encode(out, field);
  };
  out += '{';
  const auto fields = value.fields();
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (one.template operator()<I>(std::get<I>(fields)), ...);
  }(std::make_index_sequence<std::tuple_size_v<decltype(fields)>>{});
  out += '}';
}

template <typename T>
void encode_items(std::string& out, const std::vector<T>& items) {
  out += '[';
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != 0) out += ',';
    encode(out, static_cast<const T&>(items[i]));
  }
  out += ']';
}

template <typename T>
void encode(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>)
    out += value ? "true" : "false";
  else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
    append_number(out, static_cast<std::int64_t>(value));
  else if constexpr (std::is_integral_v<T>)
    append_number(out, static_cast<std::uint64_t>(value));
  else if constexpr (std::is_same_v<T, std::string>)
    append_json_string(out, value);
  else if constexpr (std::is_same_v<T, Text>)
    append_text(out, value);
  else if constexpr (std::is_same_v<T, Json>)
    append_json(out, value);
  else if constexpr (std::is_same_v<T, RawJson>)
    out += value.text;
  else if constexpr (std::is_same_v<T, Path>)
    append_json_string(out, value.text());
  else if constexpr (std::is_same_v<T, Digest>)
    (out += '"') += to_hex(value) + '"';
  else if constexpr (std::is_same_v<T, Time>)
    out += '"', append_time(out, value), out += '"';
  else if constexpr (std::is_same_v<T, Pid>)
    (out += '"') += to_string(value) + '"';
  else if constexpr (IsId<T>::value)
    append_number(out, value.value);
  else if constexpr (DescribedEnum<T>)
    ((out += '"') += name_of(value)) += '"';
  else if constexpr (IsOptional<T>::value)
    value ? encode(out, *value) : void(out += "null");
  else if constexpr (IsVector<T>::value)
    encode_items(out, value);
  else if constexpr (IsMap<T>::value) {
    out += '{';
    for (const char* comma = ""; const auto& [key, item] : value)
      out += comma, append_json_string(out, key), out += ':', encode(out, item), comma = ",";
    out += '}';
  } else if constexpr (Textual<T>)
    append_json_string(out, value.to_text());
  else if constexpr (Listed<T>)
    encode_items(out, value.to_items());
  else
    encode_fields(out, value);
}

template <typename T>
std::string to_json(const T& value) {
  std::string out;
  encode(out, value);
  return out;
}

// Calls `visit` with every Text and Json inside `value`.
template <typename T, typename Visit>
void for_each_payload(T& value, Visit&& visit) {
  using Plain = std::remove_const_t<T>;
  if constexpr (std::is_same_v<Plain, Text> || std::is_same_v<Plain, Json>)
    visit(value);
  else if constexpr (IsOptional<Plain>::value) {
    if (value) for_each_payload(*value, visit);
  } else if constexpr (IsVector<Plain>::value) {
    if constexpr (!std::is_scalar_v<typename Plain::value_type>)
      for (auto& item : value) for_each_payload(item, visit);
  } else if constexpr (IsMap<Plain>::value) {
    for (auto& [key, item] : value) for_each_payload(item, visit);
  } else if constexpr (Described<Plain>) {
    std::apply([&](auto&... field) { (for_each_payload(field, visit), ...); }, value.fields());
  }
}

// ---- decode ----

template <Described T>
Result<void> decode_fields(Reader in, T& out, const Where* where) {
  static constexpr auto names = field_names<T>();
  if (!in.is_object()) return wrong_type(where, "an object", in);
  std::size_t found = 0;
  Result<void> result;
  const auto one = [&](std::size_t index, auto& field) {
    const std::string_view name = names[index];
    const Where here{where, name};
    const auto value = in.field(name);
    if (value) {
      ++found;
      result = decode(*value, field, &here);
    } else if constexpr (!IsOptional<std::remove_cvref_t<decltype(field)>>::value) {
      if (index < added_from<T>()) result = missing_field(where, name);
    }
    return result.has_value();
  };
  std::apply(
      [&](auto&... field) {
        std::size_t i = 0;
        (void)(one(i++, field) && ...);
      },
      out.fields());
  if (!result) return result;
  if (found != in.size()) {
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::string_view key = in.member(i).first;
      bool known = false;
      for (const std::string_view name : names) known = known || name == key;
      if (!known) return unknown_field(where, key, names.data(), names.size());
    }
  }
  return {};
}

template <typename T>
Result<void> decode_items(Reader in, std::vector<T>& out, const Where* where) {
  if (in.kind() != "array") return wrong_type(where, "an array", in);
  out.clear();
  out.reserve(in.size());
  for (std::size_t i = 0; i < in.size(); ++i) {
    const Where here{where, {}, i};
    T item{};
    TRY(decode(in.at(i), item, &here));
    out.push_back(std::move(item));
  }
  return {};
}

template <typename T, typename Parse>
Result<void> decode_parsed(Reader in, T& out, const Where* where, std::string_view expected,
                           Parse parse) {
  const auto text = in.string();
  if (!text) return wrong_type(where, expected, in);
  auto parsed = parse(*text);
  if (!parsed) return at_field(where, parsed.error());
  out = std::move(*parsed);
  return {};
}

template <DescribedEnum E>
Result<void> decode_enum(Reader in, E& out, const Where* where) {
  static constexpr auto names = enum_names<E>();
  const auto text = in.string();
  for (std::size_t i = 0; text && i < names.size(); ++i) {
    if (names[i] == *text) {
      out = static_cast<E>(static_cast<int>(i) + first_value<E>());
      return {};
    }
  }
  std::string expected = "one of";
  for (const std::string_view name : names) (expected += ' ') += name;
  return wrong_type(where, expected, in);
}

template <typename T>
Result<void> decode_integer(Reader in, T& out, const Where* where) {
  const auto value = [&] {
    if constexpr (std::is_signed_v<T>)
      return in.signed_integer();
    else
      return in.unsigned_integer();
  }();
  if (!value || static_cast<decltype(*value)>(static_cast<T>(*value)) != *value)
    return wrong_type(where, std::is_signed_v<T> ? "an integer" : "an integer that is not negative",
                      in);
  out = static_cast<T>(*value);
  return {};
}

template <typename V>
Result<void> decode_map(Reader in, std::map<std::string, V>& out, const Where* where) {
  if (!in.is_object()) return wrong_type(where, "an object", in);
  out.clear();
  for (std::size_t i = 0; i < in.size(); ++i) {
    const auto [key, item] = in.member(i);
    const Where here{where, key};
    TRY(decode(item, out[std::string(key)], &here));
  }
  return {};
}

template <typename T>
Result<void> decode(Reader in, T& out, const Where* where) {
  if constexpr (std::is_same_v<T, bool>) {
    const auto value = in.boolean();
    if (!value) return wrong_type(where, "true or false", in);
    out = *value;
    return {};
  } else if constexpr (std::is_integral_v<T>) {
    return decode_integer(in, out, where);
  } else if constexpr (std::is_same_v<T, std::string>) {
    const auto value = in.string();
    if (!value) return wrong_type(where, "a string", in);
    out = *value;
    return {};
  } else if constexpr (std::is_same_v<T, Text>) {
    return read_text(in, where, out);
  } else if constexpr (std::is_same_v<T, Json>) {
    return read_json(in, where, out);
  } else if constexpr (std::is_same_v<T, RawJson>) {
    out.text = in.canonical();
    return {};
  } else if constexpr (std::is_same_v<T, Path>) {
    return decode_parsed(in, out, where, "a path",
                         [](std::string_view text) { return Path::parse(text); });
  } else if constexpr (std::is_same_v<T, Digest>) {
    return decode_parsed(in, out, where, "a digest", &Digest::from_hex);
  } else if constexpr (std::is_same_v<T, Time>) {
    return decode_parsed(in, out, where, "a time", &parse_time);
  } else if constexpr (std::is_same_v<T, Pid>) {
    return decode_parsed(in, out, where, "a pid", &parse_pid);
  } else if constexpr (IsId<T>::value) {
    return decode_integer(in, out.value, where);
  } else if constexpr (DescribedEnum<T>) {
    return decode_enum(in, out, where);
  } else if constexpr (IsOptional<T>::value) {
    if (in.is_null()) return out.reset(), Result<void>{};
    return decode(in, out.emplace(), where);
  } else if constexpr (IsVector<T>::value) {
    return decode_items(in, out, where);
  } else if constexpr (IsMap<T>::value) {
    return decode_map(in, out, where);
  } else if constexpr (Textual<T>) {
    return decode_parsed(in, out, where, "text",
                         [](std::string_view text) { return T::from_text(text); });
  } else if constexpr (Listed<T>) {
    decltype(out.to_items()) items;
    TRY(decode_items(in, items, where));
    out = T::from_items(std::move(items));
    return {};
  } else {
    return decode_fields(in, out, where);
  }
}

template <typename T>
Result<T> from_json(std::string_view text, Source source, std::size_t bytes_max = kJsonBytesMax) {
  const Document document = TRY(Document::parse(text, source, bytes_max));
  T out{};
  TRY(decode(document.root(), out));
  return out;
}

// ---- schema ----

// A field's explanation for the schema: `static constexpr std::array<std::string_view, N>
// kFieldDocs`.
template <typename T>
void append_schema(std::string& out, std::string_view description = {});

template <Described T>
void append_properties(std::string& out) {
  static constexpr auto names = field_names<T>();
  std::string required;
  const auto one = [&]<typename F>(std::size_t i, const F*) {
    if (i != 0) out += ',';
    append_json_string(out, names[i]);
    out += ':';
    std::string_view description;
    if constexpr (requires { T::kFieldDocs; }) description = T::kFieldDocs[i];
    append_schema<F>(out, description);
    if constexpr (!IsOptional<F>::value) {
      if (i >= added_from<T>()) return;
      required += required.empty() ? "" : ",";
      append_json_string(required, names[i]);
    }
  };
  const T sample{};
  out += "\"properties\":{";
  std::apply(
      [&](const auto&... field) {
        std::size_t i = 0;
        (one(i++, &field), ...);
      },
      sample.fields());
  (out += "},\"required\":[") += required + "],\"additionalProperties\":false";
}

template <typename T>
void append_schema_type(std::string& out) {
  if constexpr (std::is_same_v<T, bool>)
    out += R"("type":"boolean")";
  else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
    out += R"("type":"integer")";
  else if constexpr (std::is_integral_v<T> || IsId<T>::value)
    out += R"("type":"integer","minimum":0)";
  else if constexpr (IsOptional<T>::value)
    append_schema_type<typename T::value_type>(out);
  else if constexpr (IsVector<T>::value) {
    out += R"("type":"array","items":)";
    append_schema<typename T::value_type>(out);
  } else if constexpr (IsMap<T>::value) {
    out += R"("type":"object","additionalProperties":)";
    append_schema<typename T::mapped_type>(out);
  } else if constexpr (DescribedEnum<T>) {
    out += R"("type":"string","enum":[)";
    for (const char* comma = ""; const std::string_view name : enum_names<T>())
      out += comma, append_json_string(out, name), comma = ",";
    out += ']';
  } else if constexpr (Described<T>) {
    out += R"("type":"object",)";
    append_properties<T>(out);
  } else {
    out += R"("type":"string")";
  }
}

template <typename T>
void append_schema(std::string& out, std::string_view description) {
  out += '{';
  if constexpr (std::is_same_v<T, Json> || std::is_same_v<T, std::optional<Json>>) {
    out += "\"description\":";
    append_json_string(out, description.empty() ? "any JSON value" : description);
    out += '}';
    return;
  }
  if (!description.empty()) {
    out += "\"description\":";
    append_json_string(out, description);
    out += ',';
  }
  append_schema_type<T>(out);
  out += '}';
}

// The JSON Schema of a described struct.
template <Described T>
std::string json_schema() {
  std::string out;
  append_schema<T>(out);
  return out;
}

}  // namespace alos::base
