// Canonical encoding: the same value is the same bytes for ever. The golden strings are a contract
// with every journal.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace alos::base::test {
namespace {

ALOS_ENUM(Size, small, large)

struct Inner {
  bool flag = false;
  std::optional<std::int64_t> number;
  std::string text;
  ALOS_FIELDS(flag, number, text)
  bool operator==(const Inner&) const = default;
};

struct Outer {
  std::uint64_t id = 0;
  std::int64_t balance = 0;
  Size size = Size::small;
  std::vector<Inner> items;
  std::optional<Inner> extra;
  std::map<std::string, std::uint64_t> counts;
  Time at;
  Pid pid;
  CapId cap;
  Digest digest;
  Path path;
  Text body;
  Json value;
  ALOS_FIELDS(id, balance, size, items, extra, counts, at, pid, cap, digest, path, body, value)
  bool operator==(const Outer&) const = default;
};

Outer sample() {
  Outer out;
  out.id = UINT64_MAX;
  out.balance = INT64_MIN;
  out.size = Size::large;
  out.items = {{true, 0, "a"}, {false, {}, ""}};
  out.extra = Inner{false, -1, "\xc3\xbc\xf0\x9f\x98\x80"};
  out.counts = {{"b", 2}, {"a", 1}};
  out.at = Time{1'763'829'797'123'456};
  out.pid = Pid{JobId{7}, 2};
  out.cap = CapId{3};
  out.digest = Digest::of("abc");
  out.path = Path::parse("/workspace/a b").value();
  out.body = "one\ntwo";
  out.value = parse_json(R"( {"z" : [1, 2.5, null], "a":"\u0041"} )").value();
  return out;
}

TEST(JsonEncode, GoldenStruct) {
  EXPECT_EQ(
      to_json(sample()),
      R"({"id":18446744073709551615,"balance":-9223372036854775808,"size":"large",)"
      R"("items":[{"flag":true,"number":0,"text":"a"},{"flag":false,"text":""}],)"
      "\"extra\":{\"flag\":false,\"number\":-1,\"text\":\"\xc3\xbc\xf0\x9f\x98\x80\"},"
      R"("counts":{"a":1,"b":2},"at":"2025-11-22T16:43:17.123456Z","pid":"7.2","cap":3,)"
      R"("digest":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","path":"/workspace/a b",)"
      R"("body":"one\ntwo","value":{"z":[1,2.5,null],"a":"A"}})");
}

TEST(JsonEncode, GoldenStrings) {
  struct Row {
    std::string_view text, json;
  };
  const std::vector<Row> rows{{"", R"("")"},
                              {"plain", R"("plain")"},
                              {"\"\\/", R"("\"\\/")"},
                              {"\n\r\t", R"("\n\r\t")"},
                              {"\b\f\x01\x1f", R"("\u0008\u000c\u0001\u001f")"},
                              {"\x7f", "\"\x7f\""},
                              {std::string_view("\0", 1), R"("\u0000")"},
                              {"\xe2\x80\xa8", "\"\xe2\x80\xa8\""},
                              {"a\xff"
                               "b",
                               R"("a\\xffb")"}};  // no UTF-8: the bytes are written out
  for (const Row& row : rows) {
    std::string out;
    append_json_string(out, row.text);
    EXPECT_EQ(out, row.json);
  }
}

TEST(JsonEncode, EscapesWhereverItStands) {
  for (int byte = 0; byte < 0x80; ++byte) {
    const bool escaped = byte < 0x20 || byte == '"' || byte == '\\';
    for (std::size_t at = 0; at < 20; ++at) {
      std::string text(20, '~');
      text[at] = static_cast<char>(byte);
      const std::string json = to_json(text);
      ASSERT_EQ(json.size() > text.size() + 2, escaped) << byte << " at " << at;
      ASSERT_EQ(from_json<std::string>(json, Source::outside).value(), text);
    }
  }
}

TEST(JsonEncode, GoldenNumbersOfAnyJson) {
  struct Row {
    std::string_view text, canonical;
  };
  const std::vector<Row> rows{{"0", "0"},
                              {"-0", "0"},
                              {"-0.0", "0"},
                              {"5.0", "5"},
                              {"1E5", "100000"},
                              {"0.1", "0.1"},
                              {"-2.50", "-2.5"},
                              {"1e21", "1e+21"},
                              {"1e-7", "1e-07"},
                              {"1e-400", "0"},
                              {"18446744073709551615", "18446744073709551615"},
                              {"-9223372036854775808", "-9223372036854775808"},
                              {"123456789012345678901234", "1.2345678901234569e+23"},
                              {"1.3927926388013963e-143", "1.3927926388013963e-143"},
                              {"1.7976931348623157e308", "1.7976931348623157e+308"},
                              {"5e-324", "5e-324"}};
  for (const Row& row : rows) {
    const auto json = parse_json(row.text);
    ASSERT_TRUE(json.has_value()) << row.text << ": " << json.error().what;
    EXPECT_EQ(json->data, row.canonical) << row.text;
  }
}

RC_GTEST_PROP(JsonEncode, EveryDoubleIsReadAsItIsWritten, ()) {
  const auto bits = *rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>());
  double number = 0;
  std::memcpy(&number, &bits, sizeof(number));
  RC_PRE(std::isfinite(number) && number != 0);
  const std::string text = fmt::format("[{}]", number);
  RC_ASSERT(parse_json(text)->data == text);
}

// A JSON value of any shape, as text with white space.
std::string any_json(int depth) {
  const int kind = *rc::gen::inRange(0, depth == 0 ? 5 : 7);
  std::string out = *rc::gen::element<std::string>("", " ", "\n\t");
  switch (kind) {
    case 0: return out + *rc::gen::element<std::string>("null", "true", "false");
    case 1: return out + std::to_string(*rc::gen::arbitrary<std::int64_t>());
    case 2: return out + fmt::format("{}", *rc::gen::arbitrary<double>());
    case 3: return out + "\"\\u00fc\\n\"";
    case 4: append_json_string(out, *rc::gen::arbitrary<std::string>()); return out;
    default: break;
  }
  const int count = *rc::gen::inRange(0, 4);
  out += kind == 5 ? '[' : '{';
  for (int i = 0; i < count; ++i) {
    if (i != 0) out += " ,";
    if (kind == 6)
      out += *rc::gen::element<std::string>(
          "\"a\":", "\"b\" :", "\"$json\":", "\"$text\":", "\"\":", "\"bytes\":");
    out += any_json(depth - 1);
  }
  return out + (kind == 5 ? ']' : '}');
}

RC_GTEST_PROP(JsonEncode, CanonicalIsAFixedPoint, ()) {
  const auto once = parse_json(any_json(4));
  RC_ASSERT(once.has_value());
  RC_ASSERT(parse_json(once->data).value() == *once);
}

struct Held {
  Json value;
  ALOS_FIELDS(value)
};

// What a value is must not change on its way through the journal, whatever an agent put into it.
RC_GTEST_PROP(JsonEncode, AnyValueComesBackFromTheJournal, ()) {
  const Held before{parse_json(any_json(4)).value()};
  const auto after = from_json<Held>(to_json(before), Source::journal);
  RC_ASSERT(after.has_value());
  if (after->value.blob) {
    RC_ASSERT(wants_blob(before.value));
    RC_ASSERT(after->value.digest() == before.value.digest());
    RC_ASSERT(after->value.size_bytes() == before.value.size_bytes());
  } else {
    RC_ASSERT(after->value == before.value);
  }
}

Inner any_inner() {
  Inner inner{*rc::gen::arbitrary<bool>(), std::nullopt,
              printable(*rc::gen::arbitrary<std::string>())};
  if (*rc::gen::arbitrary<bool>()) inner.number = *rc::gen::arbitrary<std::int64_t>();
  return inner;
}

RC_GTEST_PROP(JsonEncode, WhatIsWrittenIsRead, ()) {
  Outer before;
  before.id = *rc::gen::arbitrary<std::uint64_t>();
  before.balance = *rc::gen::arbitrary<std::int64_t>();
  before.size = *rc::gen::element(Size::small, Size::large);
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) before.items.push_back(any_inner());
  if (*rc::gen::arbitrary<bool>()) before.extra = any_inner();
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i)
    before.counts[printable(*rc::gen::arbitrary<std::string>())] =
        *rc::gen::arbitrary<std::uint64_t>();
  before.at = Time{*rc::gen::inRange<std::int64_t>(-1'000'000'000'000, 4'000'000'000'000'000)};
  before.pid = Pid{JobId{*rc::gen::inRange<std::uint64_t>(1, INT64_MAX)},
                   *rc::gen::inRange<std::uint32_t>(1, UINT32_MAX)};
  before.cap = CapId{*rc::gen::arbitrary<std::uint64_t>()};
  before.digest = Digest::of(*rc::gen::arbitrary<std::string>());
  before.body = printable(*rc::gen::arbitrary<std::string>());
  before.value = parse_json(R"({"n":)" + std::to_string(*rc::gen::arbitrary<int>()) + "}").value();
  const std::string text = to_json(before);
  const auto after = from_json<Outer>(text, Source::journal);
  RC_ASSERT(after.has_value());
  RC_ASSERT(*after == before);
  RC_ASSERT(to_json(*after) == text);
}

struct Documented {
  std::string path;
  std::optional<std::uint64_t> limit;
  std::vector<Size> sizes;
  Json value;
  std::map<std::string, bool> flags;
  Inner inner;
  static constexpr std::array<std::string_view, 6> kFieldDocs{"where it is", "", "",
                                                              "what it is",  "", ""};
  ALOS_FIELDS(path, limit, sizes, value, flags, inner)
};

TEST(JsonSchema, Golden) {
  EXPECT_EQ(
      json_schema<Documented>(),
      R"({"type":"object","properties":{"path":{"description":"where it is","type":"string"},)"
      R"("limit":{"type":"integer","minimum":0},)"
      R"("sizes":{"type":"array","items":{"type":"string","enum":["small","large"]}},)"
      R"("value":{"description":"what it is"},)"
      R"("flags":{"type":"object","additionalProperties":{"type":"boolean"}},)"
      R"("inner":{"type":"object","properties":{"flag":{"type":"boolean"},"number":{"type":"integer"},"text":{"type":"string"}},)"
      R"("required":["flag","text"],"additionalProperties":false}},)"
      R"("required":["path","sizes","value","flags","inner"],"additionalProperties":false})");
  EXPECT_TRUE(parse_json(json_schema<Documented>()).has_value());
}

struct Nothing {
  ALOS_FIELDS()
};

TEST(JsonSchema, OfNothing) {
  EXPECT_EQ(json_schema<Nothing>(),
            R"({"type":"object","properties":{},"required":[],"additionalProperties":false})");
  EXPECT_EQ(to_json(Nothing{}), "{}");
  EXPECT_TRUE(from_json<Nothing>("{}", Source::outside).has_value());
  EXPECT_FALSE(from_json<Nothing>(R"({"a":1})", Source::outside).has_value());
}

}  // namespace
}  // namespace alos::base::test
