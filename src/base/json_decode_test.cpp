// Strict decoding: what does not fit is refused, and the error names the place.
#include <gtest/gtest.h>

#include <vector>

#include "base/json.h"

namespace alos::base::test {
namespace {

ALOS_ENUM(Colour, red, green, blue)

struct Leaf {
  std::int32_t count = 0;
  std::string name;
  ALOS_FIELDS(count, name)
};

struct Tree {
  std::uint64_t id = 0;
  std::optional<Colour> colour;
  std::vector<Leaf> leaves;
  std::map<std::string, bool> flags;
  std::optional<Path> path;
  ALOS_FIELDS(id, colour, leaves, flags, path)
};

constexpr std::string_view kGood = R"({"id":1,"leaves":[],"flags":{}})";

Result<Tree> tree(std::string_view text) { return from_json<Tree>(text, Source::outside); }

TEST(JsonDecode, TakesWhatFits) {
  const auto least = tree(kGood);
  ASSERT_TRUE(least.has_value()) << least.error().what;
  EXPECT_FALSE(least->colour.has_value());
  const auto most =
      tree(R"( { "flags":{"x":true,"y":false}, "colour" : "blue", "id": 18446744073709551615,
                              "path":"/w/./a", "leaves":[{"name":"\u00fc","count":-2147483648},{"count":5.0,"name":""}] } )");
  ASSERT_TRUE(most.has_value()) << most.error().what;
  EXPECT_EQ(most->id, UINT64_MAX);
  EXPECT_EQ(most->colour, Colour::blue);
  EXPECT_EQ(most->leaves.at(0).count, INT32_MIN);
  EXPECT_EQ(most->leaves.at(0).name, "\xc3\xbc");
  EXPECT_EQ(most->leaves.at(1).count, 5);  // 5.0 is a whole number
  EXPECT_EQ(most->flags.at("x"), true);
  EXPECT_EQ(most->path->text(), "/w/a");
  const auto nulls = tree(R"({"id":1,"leaves":[],"flags":{},"colour":null,"path":null})");
  ASSERT_TRUE(nulls.has_value()) << nulls.error().what;
  EXPECT_FALSE(nulls->colour.has_value());
}

TEST(JsonDecode, NamesThePlaceOfWhatDoesNotFit) {
  struct Row {
    std::string_view text;
    std::string_view what;          // a part of the error
    std::string_view details = "";  // a part of the way out
  };
  const std::vector<Row> rows{
      {R"([])", "expected an object, got array"},
      {R"("text")", "expected an object, got string \"text\""},
      {R"({"leaves":[],"flags":{}})", "`id` is missing"},
      {R"({"id":1,"leaves":[{"count":1}],"flags":{}})", "`leaves[0]`: `name` is missing"},
      {R"({"id":1,"leaves":[{"count":1,"name":"a"},{"count":1,"name":7}],"flags":{}})",
       "`leaves[1].name`: expected a string, got integer"},
      {R"({"id":1,"leaves":[7],"flags":{}})", "`leaves[0]`: expected an object, got integer"},
      {R"({"id":1,"leaves":{},"flags":{}})", "`leaves`: expected an array, got object"},
      {R"({"id":1,"leaves":[],"flags":[]})", "`flags`: expected an object, got array"},
      {R"({"id":1,"leaves":[],"flags":{"deep":1}})",
       "`flags.deep`: expected true or false, got integer"},
      {R"({"id":1,"leaves":[],"flags":{},"color":"red"})", "`color` is not known",
       "did you mean `colour`?"},
      {R"({"id":1,"leaves":[],"flags":{},"zzzzzzzzz":1})", "`zzzzzzzzz` is not known",
       "known: id colour leaves flags path"},
      {R"({"id":1,"leaves":[{"count":1,"name":"a","nam":"b"}],"flags":{}})",
       "`leaves[0]`: `nam` is not known", "`name`"},
      {R"({"id":1,"leaves":[],"flags":{},"colour":"pink"})",
       "`colour`: expected one of red green blue, got string \"pink\""},
      {R"({"id":1,"leaves":[],"flags":{},"colour":0})",
       "`colour`: expected one of red green blue, got integer"},
      {R"({"id":1,"leaves":[],"flags":{},"colour":"RED"})", "`colour`"},
      {R"({"id":1,"leaves":[],"flags":{},"path":"a/../b"})", "`path`: path `a/../b` holds `..`",
       "from its root"},
      {R"({"id":1,"leaves":[],"flags":{},"path":7})", "`path`: expected a path, got integer"},
      {R"({"id":null,"leaves":[],"flags":{}})",
       "`id`: expected an integer that is not negative, got null"},
      {R"({"id":-1,"leaves":[],"flags":{}})", "`id`: expected an integer that is not negative"},
      {R"({"id":"1","leaves":[],"flags":{}})",
       "`id`: expected an integer that is not negative, got string \"1\""},
      {R"({"id":1.5,"leaves":[],"flags":{}})", "`id`"},
      {R"({"id":18446744073709551616,"leaves":[],"flags":{}})", "`id`"},
      {R"({"id":1e17,"leaves":[],"flags":{}})", "`id`"},  // beyond what a double counts exactly
      {R"({"id":true,"leaves":[],"flags":{}})", "`id`"},
      {R"({"id":1,"leaves":[{"count":2147483648,"name":""}],"flags":{}})",
       "`leaves[0].count`: expected an integer"},
      {R"({"id":1,"leaves":[{"count":-2147483649,"name":""}],"flags":{}})", "`leaves[0].count`"},
      {R"({"id":1,"leaves":[],"flags":{},"\u001b[2J":1})", "`\\u{001B}[2J` is not known"},
  };
  for (const Row& row : rows) {
    const auto bad = tree(row.text);
    ASSERT_FALSE(bad.has_value()) << row.text;
    EXPECT_EQ(bad.error().code, Code::invalid);
    EXPECT_NE(bad.error().what.find(row.what), std::string::npos)
        << row.text << "\n  says: " << bad.error().what;
    EXPECT_NE(bad.error().details.find(row.details), std::string::npos)
        << row.text << "\n  says: " << bad.error().details;
  }
}

TEST(JsonDecode, RefusesWhatIsNoJson) {
  struct Row {
    std::string_view text, what;
  };
  const std::vector<Row> rows{{"", "at byte 0"},
                              {"{", "at byte 1"},
                              {R"({"id":1,})", "at byte 8"},
                              {R"({"id":1} x)", "at byte"},
                              {R"({'id':1})", "at byte 1"},
                              {R"({"id":01})", "at byte"},
                              {R"({"id":NaN})", "at byte 6"},
                              {R"({"id":1} // comment)", "at byte"},
                              {"\"a\nb\"", "at byte"},     // a raw line break in a string
                              {"\"\xff\"", "at byte"},     // not UTF-8
                              {R"("\ud800")", "at byte"},  // half a surrogate pair
                              {"\xef\xbb\xbf{}", "at byte 0"},
                              {"1e400", "exponent overflow"}};
  for (const Row& row : rows) {
    const auto bad = parse_json(row.text);
    ASSERT_FALSE(bad.has_value()) << row.text;
    EXPECT_EQ(bad.error().code, Code::invalid);
    EXPECT_NE(bad.error().what.find(row.what), std::string::npos)
        << row.text << "\n  says: " << bad.error().what;
  }
}

TEST(JsonDecode, TheLastOfEqualKeysCounts) {
  EXPECT_EQ(tree(R"({"id":1,"leaves":[],"flags":{},"id":2})")->id, 2U);
  EXPECT_EQ(parse_json(R"({"a":1,"a":2})")->data, R"({"a":2})");
}

TEST(JsonDecode, DepthIsLimited) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(parse_json(nested(kJsonDepthMax)).has_value());
  EXPECT_FALSE(parse_json(nested(kJsonDepthMax + 1)).has_value());
  EXPECT_FALSE(parse_json(nested(1'000'000)).has_value());
}

TEST(JsonDecode, SizeIsLimited) {
  const std::string text = '"' + std::string(98, 'x') + '"';
  EXPECT_TRUE(parse_json(text, 100).has_value());
  const auto over = parse_json(text, 99);
  ASSERT_FALSE(over.has_value());
  EXPECT_EQ(over.error().code, Code::invalid);
  EXPECT_NE(over.error().what.find("100 bytes"), std::string::npos);
  EXPECT_NE(over.error().details.find("99"), std::string::npos);
  EXPECT_FALSE(from_json<Tree>(kGood, Source::outside, 10).has_value());
}

TEST(JsonDecode, ATypeErrorShowsOnlyTheBeginningOfLongText) {
  const auto bad = tree(R"({"id":")" + std::string(100'000, 'x') + R"(","leaves":[],"flags":{}})");
  ASSERT_FALSE(bad.has_value());
  EXPECT_LT(bad.error().what.size(), 200U);
  const auto unknown =
      tree(R"({"id":1,"leaves":[],"flags":{},")" + std::string(100'000, 'x') + R"(":1})");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_LT(unknown.error().what.size(), 200U);
}

}  // namespace
}  // namespace alos::base::test
