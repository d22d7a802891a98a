// Grants as people write them, and as records keep them.
#include "abi/grant.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

#include "base/json.h"

namespace alos::abi::test {
namespace {

using base::Code;
using base::Time;

TEST(Grant, IsPrintedAsItIsRead) {
  struct Row {
    std::string_view text, printed;
  };
  const std::vector<Row> rows{
      {"read fs:/workspace/**", "read fs:/workspace/**"},
      {"list,read fs:/workspace/**", "read,list fs:/workspace/**"},
      {"  read \t fs:/w  ", "read fs:/w"},
      {"write fs:/workspace/** ask", "write fs:/workspace/** ask"},
      {"read,list,write fs:/workspace/.env deny", "read,write,list fs:/workspace/.env deny"},
      {"execute shell:*", "execute shell:*"},
      {"read net:https://api.github.com/** uses=20", "read net:https://api.github.com/** uses=20"},
      {"write fs:/w/a until=2026-11-22T16:43:17Z",
       "write fs:/w/a until=2026-11-22T16:43:17.000000Z"},
      {"write fs:/w/a delegate", "write fs:/w/a delegate"},
      {"write fs:/w/a delegate-only", "write fs:/w/a delegate-only"},
      {"write fs:/w/a delegate until=2026-11-22T18:43:17+02:00 uses=3 ask",
       "write fs:/w/a ask uses=3 until=2026-11-22T16:43:17.000000Z delegate"},
      {"read,read fs:/w", "read fs:/w"},
  };
  for (const Row& row : rows) {
    const auto grant = Grant::from_text(row.text);
    ASSERT_TRUE(grant.has_value()) << row.text << ": " << grant.error().what;
    EXPECT_EQ(grant->to_text(), row.printed);
    EXPECT_EQ(Grant::from_text(grant->to_text()).value(), *grant);
  }
}

TEST(Grant, HoldsWhatWasWritten) {
  const Grant grant =
      Grant::from_text("read,list fs:/w/** ask uses=3 until=2026-11-22T16:43:17Z delegate").value();
  EXPECT_EQ(grant.rights, (Rights{Right::read, Right::list}));
  EXPECT_EQ(grant.resource.text(), "fs:/w/**");
  EXPECT_EQ(grant.effect, GrantEffect::ask);
  EXPECT_EQ(grant.uses, 3U);
  EXPECT_EQ(grant.until, base::parse_time("2026-11-22T16:43:17Z").value());
  EXPECT_EQ(grant.delegation, Delegation::also);
  const Grant plain = Grant::from_text("read fs:/w").value();
  EXPECT_EQ(plain.effect, GrantEffect::allow);
  EXPECT_FALSE(plain.uses.has_value());
  EXPECT_FALSE(plain.until.has_value());
  EXPECT_EQ(plain.delegation, Delegation::none);
}

TEST(Grant, RefusesWhatIsNone) {
  struct Row {
    std::string_view text, what;
  };
  const std::vector<Row> rows{
      {"", "needs rights and a resource"},
      {"   ", "needs rights and a resource"},
      {"read", "needs rights and a resource"},
      {"fs:/w read", "`fs:/w` is not a right"},
      {"raed fs:/w", "did you mean `read`?"},
      {"read, fs:/w", "`` is not a right"},
      {",read fs:/w", "`` is not a right"},
      {"read;write fs:/w", "is not a right"},
      {"READ fs:/w", "is not a right"},
      {"read /w", "no scheme"},
      {"read fs:/w/../x", "`..`"},
      {"read fs:/w alow", "`alow` is not an option"},
      {"read fs:/w dney", "did you mean `deny`?"},
      {"read fs:/w ask deny", "not both"},
      {"read fs:/w deny ask", "not both"},
      {"read fs:/w ask ask", "not both"},
      {"read fs:/w uses=0", "whole number from 1"},
      {"read fs:/w uses=-1", "whole number from 1"},
      {"read fs:/w uses=", "whole number from 1"},
      {"read fs:/w uses=1.5", "whole number from 1"},
      {"read fs:/w uses=18446744073709551616", "whole number from 1"},
      {"read fs:/w until=", "is not a time"},
      {"read fs:/w until=tomorrow", "is not a time"},
      {"read fs:/w until=2h", "is not a time"},  // from when? only parse() knows now
      {"read fs:/w deny uses=1", "neither uses nor delegation"},
      {"read fs:/w deny delegate", "neither uses nor delegation"},
      {"read fs:/w deny delegate-only", "neither uses nor delegation"},
      {"read fs:/w\nwrite fs:/x", "white space"},
      {"read fs:/\x1b[2J", "\\u{001B}"}};
  for (const Row& row : rows) {
    const auto bad = Grant::from_text(row.text);
    ASSERT_FALSE(bad.has_value()) << row.text;
    EXPECT_EQ(bad.error().code, Code::invalid);
    EXPECT_EQ(bad.error().what.rfind("grant `", 0), 0U)
        << "does not name the thing: " << bad.error().what;
    EXPECT_NE(bad.error().what.find(row.what), std::string::npos)
        << row.text << " says: " << bad.error().what;
    EXPECT_EQ(bad.error().what.find('\x1b'), std::string::npos);
  }
}

TEST(Grant, UntilMayBeASpanFromNow) {
  const Time now = base::parse_time("2026-11-22T12:00:00Z").value();
  EXPECT_EQ(Grant::parse("read fs:/w until=2h", now)->until,
            base::parse_time("2026-11-22T14:00:00Z").value());
  EXPECT_EQ(Grant::parse("read fs:/w until=2026-11-22T13:00:00Z", now)->until,
            base::parse_time("2026-11-22T13:00:00Z").value());
  for (const std::string_view far : {"read fs:/w until=106751991d", "read fs:/w until=4000000d"}) {
    const auto bad = Grant::parse(far, now);  // would wrap around, or have a year of five digits
    ASSERT_FALSE(bad.has_value()) << far << " became " << bad->to_text();
    EXPECT_EQ(bad.error().code, Code::invalid);
  }
}

TEST(Rights, AreASet) {
  const Rights some{Right::read, Right::write};
  EXPECT_TRUE(some.has(Right::read));
  EXPECT_FALSE(some.has(Right::list));
  EXPECT_TRUE(some.has_all(Rights{Right::write}));
  EXPECT_FALSE(some.has_all(Rights{Right::write, Right::execute}));
  EXPECT_TRUE(some.has_all(Rights{}));
  EXPECT_TRUE(some.intersects(Rights{Right::write, Right::execute}));
  EXPECT_FALSE(some.intersects(Rights{Right::list}));
  EXPECT_TRUE(Rights{}.empty());
  EXPECT_FALSE(some.empty());
  EXPECT_EQ(Rights{}.to_text(), "");
  EXPECT_EQ((Rights{Right::execute, Right::list, Right::write, Right::read}.to_text()),
            "read,write,list,execute");
}

Grant any_grant() {
  Grant grant;
  while (grant.rights.empty())
    for (const Right right : {Right::read, Right::write, Right::list, Right::execute})
      if (*rc::gen::arbitrary<bool>()) grant.rights.add(right);
  grant.resource = Pattern::from_text(
                       *rc::gen::element<std::string>("fs:/**", "fs:/w/*/a%20b", "human:owner",
                                                      "net:https://h/**", "object:7.1/", "model:*"))
                       .value();
  grant.effect = *rc::gen::element(GrantEffect::allow, GrantEffect::ask, GrantEffect::deny);
  if (*rc::gen::arbitrary<bool>())
    grant.until = Time{*rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000'000)};
  if (grant.effect == GrantEffect::deny) return grant;
  if (*rc::gen::arbitrary<bool>()) grant.uses = *rc::gen::inRange<std::uint64_t>(1, UINT64_MAX);
  grant.delegation = *rc::gen::element(Delegation::none, Delegation::also, Delegation::only);
  return grant;
}

RC_GTEST_PROP(Grant, WhatIsPrintedIsRead, ()) {
  const Grant before = any_grant();
  const auto after = Grant::from_text(before.to_text());
  RC_ASSERT(after.has_value());
  RC_ASSERT(*after == before);
  const auto record = base::from_json<std::vector<Grant>>(base::to_json(std::vector{before}),
                                                          base::Source::journal);
  RC_ASSERT(record.has_value());
  RC_ASSERT(record->front() == before);
}

}  // namespace
}  // namespace alos::abi::test
