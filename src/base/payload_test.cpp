// Payloads: what leaves a record for the store, and that nobody from outside can name a blob.
#include "base/payload.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/json.h"

namespace alos::base::test {
namespace {

struct HeldText {
  Text text;
  Json value;
  ALOS_FIELDS(text, value)
};

struct Deep {
  Text text;
  std::vector<HeldText> list;
  std::optional<Json> maybe;
  std::map<std::string, Text> named;
  std::vector<int> numbers;
  ALOS_FIELDS(text, list, maybe, named, numbers)
};

const std::string kHex = to_hex(Digest::of("abc"));

std::string reference(std::string_view key) {
  return "{\"" + std::string(key) + "\":\"" + kHex + "\",\"bytes\":3}";
}

TEST(Payload, TextWantsABlobWhenLargeOrNotUtf8) {
  EXPECT_FALSE(wants_blob(Text(std::string(kInlineBytesMax, 'x'))));
  EXPECT_TRUE(wants_blob(Text(std::string(kInlineBytesMax + 1, 'x'))));
  EXPECT_TRUE(wants_blob(Text("a\xff")));
  EXPECT_FALSE(wants_blob(Text("{\"$text\":\"x\"}")));  // quoted in a record, hence no danger
  Text moved;
  moved.blob = BlobRef{Digest::of("abc"), 3};
  EXPECT_FALSE(wants_blob(moved));
}

TEST(Payload, JsonWantsABlobWhenLargeOrLikeAReference) {
  struct Row {
    std::string_view json;
    bool blob;
  };
  const std::vector<Row> rows{{R"(null)", false},
                              {R"({"a":1})", false},
                              {R"({"$json":"x"})", true},
                              {R"({"$text":"x"})", true},
                              {R"({"a":[{"$json":"x","bytes":1}]})", true},
                              {R"([[{"$text":"x"}]])", true},
                              {R"({"$json":5})", false},
                              {R"({"a":1,"$json":"x"})", false},
                              {R"(["{\"$json\":\"x\"}"])", false}};
  for (const Row& row : rows) {
    const auto json = parse_json(row.json);
    ASSERT_TRUE(json.has_value());
    EXPECT_EQ(wants_blob(*json), row.blob) << row.json;
  }
  EXPECT_FALSE(wants_blob(Json::trusted('"' + std::string(kInlineBytesMax - 2, 'x') + '"')));
  EXPECT_TRUE(wants_blob(Json::trusted('"' + std::string(kInlineBytesMax - 1, 'x') + '"')));
}

TEST(Payload, LargeOnesAreEncodedAsReferences) {
  const std::string large(5000, 'x');
  const HeldText held{large, Json::trusted('"' + large + '"')};
  const std::string text = to_json(held);
  EXPECT_EQ(text, R"({"text":{"$text":")" + to_hex(Digest::of(large)) +
                      R"(","bytes":5000},"value":{"$json":")" +
                      to_hex(Digest::of('"' + large + '"')) + R"(","bytes":5002}})");
  const auto back = from_json<HeldText>(text, Source::journal);
  ASSERT_TRUE(back.has_value()) << back.error().what;
  EXPECT_EQ(back->text.blob, (BlobRef{Digest::of(large), 5000}));
  EXPECT_EQ(back->text.digest(), held.text.digest());
  EXPECT_EQ(back->value.size_bytes(), 5002U);
  EXPECT_EQ(to_json(*back), text);
}

TEST(Payload, ReferencesComeOnlyFromTheJournal) {
  const std::string json = R"({"text":"t","value":)" + reference("$json") + "}";
  const auto outside = from_json<HeldText>(json, Source::outside);
  ASSERT_TRUE(outside.has_value()) << outside.error().what;
  EXPECT_FALSE(outside->value.blob.has_value());
  EXPECT_EQ(outside->value.data, reference("$json"));  // just an object
  const auto journal = from_json<HeldText>(json, Source::journal);
  ASSERT_TRUE(journal.has_value());
  EXPECT_EQ(journal->value.blob, (BlobRef{Digest::of("abc"), 3}));

  const std::string text = R"({"text":)" + reference("$text") + R"(,"value":1})";
  const auto refused = from_json<HeldText>(text, Source::outside);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().what, "`text`: expected a string, got object");
  EXPECT_TRUE(from_json<HeldText>(text, Source::journal)->text.blob.has_value());
}

TEST(Payload, AnObjectFromOutsideThatLooksLikeAReferenceSurvivesTheJournal) {
  const auto outside =
      from_json<HeldText>(R"({"text":"t","value":)" + reference("$json") + "}", Source::outside);
  ASSERT_TRUE(outside.has_value());
  const std::string line = to_json(*outside);
  const auto back = from_json<HeldText>(line, Source::journal);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->value.blob->digest,
            Digest::of(reference("$json")));  // of the object's text, not of "abc"
}

TEST(Payload, WhatOnlyResemblesAReferenceIsAValueInTheJournalToo) {
  for (const std::string_view json :
       {R"({"$json":5})", R"({"$json":null,"bytes":1})", R"({"a":1,"$json":"x"})",
        R"({"bytes":3,"$json":"x"})", R"({"$jsonx":"x"})"}) {
    const auto value = parse_json(json);
    ASSERT_TRUE(value.has_value());
    ASSERT_FALSE(wants_blob(*value));
    const auto back = from_json<HeldText>(to_json(HeldText{"t", *value}), Source::journal);
    ASSERT_TRUE(back.has_value()) << json << ": " << back.error().what;
    EXPECT_EQ(back->value, *value);
  }
}

TEST(Payload, ADamagedReferenceIsAnError) {
  for (const std::string& json :
       {std::string(R"({"$json":"12","bytes":1})"), "{\"$json\":\"" + kHex + "\"}",
        "{\"$json\":\"" + kHex + "\",\"bytes\":-1}",
        "{\"$json\":\"" + kHex + "\",\"bytes\":1,\"more\":1}"})
    EXPECT_FALSE(
        from_json<HeldText>(R"({"text":"t","value":)" + json + "}", Source::journal).has_value())
        << json;
}

TEST(Payload, WithPayloadsPutsTheBytesBack) {
  const std::string large(3000, 'x');
  const std::string json = R"(["$)" + large + R"("])";
  const auto load = [&](const Digest& digest) -> Result<std::string> {
    if (digest == Digest::of(large)) return large;
    if (digest == Digest::of(json)) return json;
    return fail(Code::not_found, "no such blob");
  };
  const std::string line =
      R"({"a":)" + to_json(HeldText{large, Json::trusted(json)}) + R"(,"b":"{\"$text\":\"x\"}"})";
  const auto whole = with_payloads(line, load);
  ASSERT_TRUE(whole.has_value()) << whole.error().what;
  EXPECT_EQ(*whole,
            R"({"a":{"text":")" + large + R"(","value":)" + json + R"(},"b":"{\"$text\":\"x\"}"})");
  EXPECT_EQ(with_payloads("{}", load).value(), "{}");
  EXPECT_EQ(with_payloads(reference("$text"), load).error().code, Code::not_found);
  EXPECT_EQ(with_payloads(R"({"$text":")" + kHex, load).error().code, Code::corrupt);
  EXPECT_FALSE(with_payloads(R"({"$text":"zz","bytes":1})", load).has_value());
}

TEST(Payload, BytesThatAreNoTextAreQuotedWhenPutBack) {
  const std::string bytes = "a\"\n\xff";
  const auto load = [&](const Digest&) -> Result<std::string> { return bytes; };
  EXPECT_EQ(with_payloads(to_json(Text(bytes)), load).value(), R"("a\"\n\\xff")");
}

TEST(Payload, EveryPayloadIsVisited) {
  Deep deep{"1",
            {{"2", Json::trusted("3")}, {"4", Json::trusted("5")}},
            Json::trusted("6"),
            {{"k", Text("7")}},
            {1, 2}};
  std::string seen;
  for_each_payload(deep, [&](auto& payload) { seen += payload.data; });
  EXPECT_EQ(seen, "1234567");
}

}  // namespace
}  // namespace alos::base::test
