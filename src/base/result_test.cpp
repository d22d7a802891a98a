// Result and TRY: a value or an error, moved and never dropped. The numbers of the codes are a
// contract.
#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace alos::base::test {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Code::invalid, "odd", "give an even number");
  return number / 2;
}

Result<int> quarter(int number) { return half(TRY(half(number))); }
Result<int> eighth(int number) { return TRY(half(TRY(half(TRY(half(number)))))); }

Result<void> must_be_even(int number) {
  TRY(half(number));
  return {};
}

Result<std::string> sentence(int number) {
  TRY(must_be_even(number));
  return std::string("even");
}

Result<std::unique_ptr<int>> boxed(int number) {
  auto value = std::make_unique<int>(TRY(half(number)));
  return value;
}

Result<int> unboxed(int number) {
  const std::unique_ptr<int> box = TRY(boxed(number));
  return *box;
}

TEST(Result, HoldsAValueOrAnError) {
  const Result<int> good = half(8);
  ASSERT_TRUE(good.has_value());
  EXPECT_TRUE(static_cast<bool>(good));
  EXPECT_EQ(*good, 4);
  EXPECT_EQ(good.value(), 4);

  const Result<int> bad = half(7);
  ASSERT_FALSE(bad.has_value());
  EXPECT_FALSE(static_cast<bool>(bad));
  EXPECT_EQ(bad.error(), (Error{Code::invalid, "odd", "give an even number"}));
}

TEST(Result, TryNestsAndGivesTheFirstError) {
  struct Row {
    int number;
    std::optional<int> fourth, eighth;
  };
  for (const Row& row : std::vector<Row>{{16, 4, 2},
                                         {8, 2, 1},
                                         {4, 1, std::nullopt},
                                         {2, std::nullopt, std::nullopt},
                                         {1, std::nullopt, std::nullopt}}) {
    SCOPED_TRACE(row.number);
    const auto fourth = quarter(row.number), part = eighth(row.number);
    ASSERT_EQ(fourth.has_value(), row.fourth.has_value());
    EXPECT_EQ(fourth ? *fourth : 0, row.fourth.value_or(0));
    ASSERT_EQ(part.has_value(), row.eighth.has_value());
    EXPECT_EQ(part ? *part : 0, row.eighth.value_or(0));
    if (!part) {
      EXPECT_EQ(part.error().details, "give an even number");
    }
  }
}

TEST(Result, VoidCarriesOnlyErrors) {
  EXPECT_TRUE(must_be_even(2).has_value());
  ASSERT_FALSE(must_be_even(3).has_value());
  EXPECT_EQ(must_be_even(3).error().code, Code::invalid);
  EXPECT_EQ(sentence(2).value(), "even");
  EXPECT_EQ(sentence(3).error().what, "odd");
}

TEST(Result, MovesWhatCannotBeCopied) {
  EXPECT_EQ(unboxed(10).value(), 5);
  EXPECT_EQ(unboxed(9).error().code, Code::invalid);
  Result<std::unique_ptr<int>> box = boxed(6);
  const std::unique_ptr<int> taken = std::move(box).value();
  EXPECT_EQ(*taken, 3);
}

TEST(ResultDeathTest, TheValueOfAnErrorAborts) {
  Result<int> bad = half(7);
  EXPECT_DEATH((void)bad.value(), "has_value");
  const Result<void> none = must_be_even(7);
  EXPECT_DEATH(none.value(), "has_value");
}

TEST(Code, NumbersAndNamesAreFrozen) {
  struct Row {
    Code code;
    int number;
    std::string_view name;
  };
  const std::vector<Row> rows{{Code::denied, 1, "denied"},
                              {Code::parked, 2, "parked"},
                              {Code::not_found, 3, "not_found"},
                              {Code::exists, 4, "exists"},
                              {Code::invalid, 5, "invalid"},
                              {Code::conflict, 6, "conflict"},
                              {Code::exhausted, 7, "exhausted"},
                              {Code::timeout, 8, "timeout"},
                              {Code::cancelled, 9, "cancelled"},
                              {Code::unavailable, 10, "unavailable"},
                              {Code::outcome_unknown, 11, "outcome_unknown"},
                              {Code::nondeterministic, 12, "nondeterministic"},
                              {Code::corrupt, 13, "corrupt"},
                              {Code::internal, 14, "internal"}};
  for (const Row& row : rows) {
    EXPECT_EQ(static_cast<int>(row.code), row.number);
    EXPECT_EQ(name_of(row.code), row.name);
  }
  EXPECT_EQ(enum_names<Code>().size(), rows.size());
  EXPECT_EQ(name_of(static_cast<Code>(15)), "?");
}

}  // namespace
}  // namespace alos::base::test
