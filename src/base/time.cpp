#include "base/time.h"

#include <fmt/format.h>

#include <array>

#include "base/id.h"
#include "base/text.h"

namespace alos::base {
namespace {

constexpr std::int64_t kUsPerDay = 86'400'000'000;
constexpr std::int64_t kSpanUsMax = 36'500 * kUsPerDay;  // a hundred years
constexpr std::int64_t kFirstUs =
    -62'167'219'200'000'000;  // 0000-01-01T00:00:00Z: years have four digits
constexpr std::int64_t kLastUs = 253'402'300'799'999'999;  // 9999-12-31T23:59:59.999999Z

struct Unit {
  std::string_view name;
  std::int64_t us;
};
constexpr std::array<Unit, 5> kUnits{
    {{"d", kUsPerDay}, {"h", 3'600'000'000}, {"m", 60'000'000}, {"s", 1'000'000}, {"ms", 1000}}};

void put_digits(char* out, std::uint64_t value, int width) {
  for (int i = width - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t width) {
  if (at + width > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = at; i < at + width; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

void append_time(std::string& out, Time time) {
  std::int64_t day = time.unix_us / kUsPerDay;
  std::int64_t rest = time.unix_us % kUsPerDay;
  if (rest < 0) rest += kUsPerDay, --day;
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  char text[] = "0000-00-00T00:00:00.000000Z";
  put_digits(text, static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
  put_digits(text + 5, static_cast<unsigned>(date.month()), 2);
  put_digits(text + 8, static_cast<unsigned>(date.day()), 2);
  const auto us = static_cast<std::uint64_t>(rest);
  put_digits(text + 11, us / 3'600'000'000U, 2);
  put_digits(text + 14, us / 60'000'000U % 60, 2);
  put_digits(text + 17, us / 1'000'000U % 60, 2);
  put_digits(text + 20, us % 1'000'000U, 6);
  out.append(text, sizeof(text) - 1);
}

std::string to_string(Time time) {
  std::string out;
  append_time(out, time);
  return out;
}

Result<Time> parse_time(std::string_view text) {
  const auto bad = [&] {
    return fail(Code::invalid, fmt::format("`{}` is not a time", printable(shortened(text, 60))),
                "write RFC 3339, for example 2026-11-22T16:43:17Z");
  };
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != ' ') || text[13] != ':' || text[16] != ':')
    return bad();
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return bad();
  std::int64_t us = std::chrono::sys_days{date}.time_since_epoch().count() * kUsPerDay;
  us += (*hour * 3600LL + *minute * 60LL + *second) * 1'000'000LL;
  std::size_t at = 19;
  if (at < text.size() && text[at] == '.') {
    std::int64_t scale = 100'000;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
      us += (text[at] - '0') * scale;
    if (scale == 100'000) return bad();
  }
  if (text.substr(at) == "Z") return Time{us};
  const auto zone_hour = digits(text, at + 1, 2), zone_minute = digits(text, at + 4, 2);
  if (text.size() != at + 6 || !zone_hour || !zone_minute || text[at + 3] != ':' ||
      (text[at] != '+' && text[at] != '-') || *zone_hour > 23 || *zone_minute > 59)
    return bad();
  const std::int64_t zone = (*zone_hour * 60LL + *zone_minute) * 60'000'000LL;
  us += text[at] == '+' ? -zone : zone;
  if (us < kFirstUs || us > kLastUs) return bad();
  return Time{us};
}

Result<Duration> parse_duration(std::string_view text) {
  const std::size_t split = text.find_first_not_of("0123456789");
  if (split != std::string_view::npos && split > 0) {
    const auto count = parse_unsigned(text.substr(0, split));
    for (const Unit& unit : kUnits)
      if (count && text.substr(split) == unit.name &&
          *count <= static_cast<std::uint64_t>(kSpanUsMax / unit.us))
        return Duration{static_cast<std::int64_t>(*count) * unit.us};
  }
  return fail(Code::invalid, fmt::format("`{}` is not a duration", printable(shortened(text, 60))),
              "write a number and a unit: 250ms, 90s, 30m, 2h, 7d");
}

std::string to_string(Duration duration) {
  for (const Unit& unit : kUnits)
    if (duration.count() != 0 && duration.count() % unit.us == 0)
      return fmt::format("{}{}", duration.count() / unit.us, unit.name);
  return fmt::format("{}ms", duration.count() / 1000);
}

}  // namespace alos::base
