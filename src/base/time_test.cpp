// Moments as RFC 3339 writes them, and spans as people do.
#include "base/time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace alos::base::test {
namespace {

constexpr std::int64_t kYear0Us = -62'167'219'200'000'000;     // 0000-01-01T00:00:00Z
constexpr std::int64_t kYear9999Us = 253'402'300'799'999'999;  // 9999-12-31T23:59:59.999999Z

TEST(Time, ReadsRfc3339) {
  struct Row {
    std::string_view text, utc;
  };
  const std::vector<Row> rows{{"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
                              {"2026-11-22T16:43:17Z", "2026-11-22T16:43:17.000000Z"},
                              {"2026-11-22 16:43:17Z", "2026-11-22T16:43:17.000000Z"},
                              {"2026-11-22T16:43:17.5Z", "2026-11-22T16:43:17.500000Z"},
                              {"2026-11-22T16:43:17.123456Z", "2026-11-22T16:43:17.123456Z"},
                              {"2026-11-22T16:43:17+02:00", "2026-11-22T14:43:17.000000Z"},
                              {"2026-11-22T23:43:17-05:30", "2026-11-23T05:13:17.000000Z"},
                              {"2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00.000000Z"},
                              {"2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000000Z"},
                              {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
                              {"0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000000Z"},
                              {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"}};
  for (const Row& row : rows) {
    const auto time = parse_time(row.text);
    ASSERT_TRUE(time.has_value()) << row.text << ": " << time.error().what;
    EXPECT_EQ(to_string(*time), row.utc) << row.text;
  }
  EXPECT_EQ(parse_time("1970-01-01T00:00:00.000001Z")->unix_us, 1);
  EXPECT_EQ(parse_time("2001-09-09T01:46:40Z")->unix_us, 1'000'000'000'000'000);
}

TEST(Time, RefusesWhatIsNone) {
  for (const std::string_view text : {"",
                                      "now",
                                      "2026",
                                      "2026-11-22",
                                      "2026-11-22T16:43:17",
                                      "2026-11-22T16:43Z",
                                      "2026-13-01T00:00:00Z",
                                      "2026-00-01T00:00:00Z",
                                      "2026-02-29T00:00:00Z",
                                      "2026-11-31T00:00:00Z",
                                      "2026-11-22T24:00:00Z",
                                      "2026-11-22T23:60:00Z",
                                      "2026-11-22T23:59:60Z",
                                      "2026-11-22T16:43:17.Z",
                                      "2026-11-22T16:43:17Zz",
                                      " 2026-11-22T16:43:17Z",
                                      "2026/11/22T16:43:17Z",
                                      "2026-11-22T16:43:17+0200",
                                      "2026-11-22T16:43:17+02",
                                      "2026-11-22T16:43:17+24:00",
                                      "2026-11-22T16:43:17+02:60",
                                      "2026-11-22T16:43:17 +02:00",
                                      "0000-01-01T00:00:00+00:01",
                                      "9999-12-31T23:59:59-00:01",
                                      "-001-01-01T00:00:00Z",
                                      "1763829797",
                                      "20-6-11-22T16:43:17Z"}) {
    const auto time = parse_time(text);
    ASSERT_FALSE(time.has_value()) << text;
    EXPECT_EQ(time.error().code, Code::invalid);
    EXPECT_NE(time.error().details.find("2026-11-22T16:43:17Z"), std::string::npos)
        << time.error().details;
  }
}

RC_GTEST_PROP(Time, IsReadAsItWasWritten, ()) {
  const Time time{*rc::gen::inRange(kYear0Us, kYear9999Us + 1)};
  const auto back = parse_time(to_string(time));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == time);
}

TEST(Time, WritesTheEdges) {
  for (const std::int64_t us : {kYear0Us, std::int64_t{-1}, std::int64_t{0}, kYear9999Us})
    EXPECT_EQ(parse_time(to_string(Time{us}))->unix_us, us);
}

TEST(Duration, ReadsNumberAndUnit) {
  struct Row {
    std::string_view text;
    std::int64_t us;
    std::string_view shortest;
  };
  const std::vector<Row> rows{{"250ms", 250'000, "250ms"},    {"90s", 90'000'000, "90s"},
                              {"60s", 60'000'000, "1m"},      {"30m", 1'800'000'000, "30m"},
                              {"2h", 7'200'000'000, "2h"},    {"24h", 86'400'000'000, "1d"},
                              {"7d", 604'800'000'000, "7d"},  {"0s", 0, "0ms"},
                              {"1500ms", 1'500'000, "1500ms"}};
  for (const Row& row : rows) {
    const auto span = parse_duration(row.text);
    ASSERT_TRUE(span.has_value()) << row.text << ": " << span.error().what;
    EXPECT_EQ(span->count(), row.us) << row.text;
    EXPECT_EQ(to_string(*span), row.shortest);
    EXPECT_EQ(parse_duration(to_string(*span)).value(), *span);
  }
}

TEST(Duration, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "90", "s", "1.5h", "-1h", "+1h", "1 h", "1w", "1hour", "1H", "007s", "1h30m",
        "106751992d", "99999999999999999999s"}) {
    const auto span = parse_duration(text);
    ASSERT_FALSE(span.has_value()) << text;
    EXPECT_EQ(span.error().code, Code::invalid);
    EXPECT_NE(span.error().details.find("90s"), std::string::npos) << "the way out is missing";
  }
}

TEST(Time, ErrorsShowNoControlCharacters) {
  EXPECT_EQ(parse_time("\x1b[2J").error().what, "`\\u{001B}[2J` is not a time");
  EXPECT_EQ(parse_duration("\x1b[2J").error().what, "`\\u{001B}[2J` is not a duration");
}

}  // namespace
}  // namespace alos::base::test
