#include "core/budget.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/test_job.h"

namespace alos::core {
namespace {

using abi::BudgetKind;
using test::TestJob;

constexpr auto kTokens = BudgetKind::model_tokens;
constexpr auto kCalls = BudgetKind::tool_calls;

ProcessSpawned process(std::uint32_t number, std::uint32_t parent, Budget budget) {
  ProcessSpawned body = test::spawned(number, parent, "p" + std::to_string(number));
  body.budget = budget;
  return body;
}

Budget limited(BudgetKind kind, std::uint64_t limit) {
  Budget budget;
  budget.limit(kind) = limit;
  return budget;
}

TestJob job_with(Budget budget) {
  TestJob job;
  job.put(JobCreated{"owner", {}, {}, {}});
  job.put(process(1, 0, budget));
  return job;
}

std::uint64_t left(const TestJob& job, std::uint32_t process, BudgetKind kind) {
  return pool_of(job.state, process, kind)->left();
}

void call_tool(TestJob& job, std::uint32_t number) {
  const base::CallId call{job.state.process(number)->next_call};
  job.put(ToolCalled{call, "get_time", {}, base::Text("{}")}, number);
  job.put(ToolReturned{call, "get_time", true, base::Json::trusted("{}"), {}}, number);
}

TEST(Budget, AbsentMeansNoLimitAndZeroMeansNone) {
  TestJob job = job_with(limited(kTokens, 0));
  EXPECT_FALSE(pool_of(job.state, 1, kCalls));
  EXPECT_FALSE(shortage(job.state, 1, amounts_of({.tool_calls = 1'000'000})));
  EXPECT_TRUE(shortage(job.state, 1, amounts_of({.input_tokens = 1})));
}

TEST(Budget, AChildWithoutALimitSpendsOfItsParents) {
  TestJob job = job_with(limited(kCalls, 5));
  job.put(process(2, 1, {}));
  job.put(process(3, 2, {}));
  call_tool(job, 3);
  call_tool(job, 2);
  call_tool(job, 1);
  for (const std::uint32_t one : {1U, 2U, 3U}) EXPECT_EQ(left(job, one, kCalls), 2U) << one;
  EXPECT_EQ(pool_of(job.state, 3, kCalls)->process, 1U);
}

TEST(Budget, AShareIsCarvedOutAndWhatIsLeftReturns) {
  TestJob job = job_with(limited(kCalls, 10));
  job.put(process(2, 1, limited(kCalls, 6)));
  EXPECT_EQ(left(job, 1, kCalls), 4U);
  EXPECT_EQ(left(job, 2, kCalls), 6U);
  call_tool(job, 2);
  call_tool(job, 2);
  EXPECT_EQ(left(job, 1, kCalls), 4U);
  EXPECT_EQ(left(job, 2, kCalls), 4U);
  job.put(ProcessExited{base::Text("done")}, 2);
  EXPECT_EQ(left(job, 1, kCalls), 8U);
}

TEST(Budget, WhatACallMaySpendIsReservedAndThenSettled) {
  TestJob job = job_with(limited(kTokens, 1000));
  job.put(TurnStarted{base::CallId{1}, 0});
  CallIntended intent = test::intended(1, 1);
  intent.reserves = {.input_tokens = 300, .output_tokens = 500};
  job.put(intent);
  EXPECT_EQ(left(job, 1, kTokens), 200U);
  EXPECT_EQ(pool_of(job.state, 1, kTokens)->reserved, 800U);
  EXPECT_EQ(pool_of(job.state, 1, kTokens)->used(), 0U);
  job.put(CallSettled{base::CallId{1},
                      1,
                      OutcomeKind::failed,
                      {},
                      base::Error{},
                      {.input_tokens = 250, .output_tokens = 40}});
  EXPECT_EQ(left(job, 1, kTokens), 710U);
  EXPECT_EQ(pool_of(job.state, 1, kTokens)->reserved, 0U);
}

TEST(Budget, IsWarnedOfOnceForALimit) {
  TestJob job = job_with(limited(kCalls, 5));
  for (int i = 0; i < 3; ++i) call_tool(job, 1);
  EXPECT_TRUE(job.state.to_warn.empty());
  call_tool(job, 1);
  ASSERT_EQ(job.state.to_warn, (std::vector{std::pair(1U, kCalls)}));
  job.put(BudgetWarned{kCalls, 4, 5});
  EXPECT_TRUE(job.state.to_warn.empty());
  call_tool(job, 1);
  EXPECT_TRUE(job.state.to_warn.empty());
  job.put(BudgetSet{kCalls, 6, "human:owner"});
  EXPECT_EQ(left(job, 1, kCalls), 1U);
  call_tool(job, 1);
  EXPECT_EQ(job.state.to_warn.size(), 1U) << "a new limit is warned of anew";
}

TEST(Budget, CountsLiveProcesses) {
  TestJob job = job_with(limited(BudgetKind::processes, 3));
  job.put(process(2, 1, {}));
  job.put(process(3, 2, {}));
  EXPECT_EQ(left(job, 3, BudgetKind::processes), 0U);
  job.put(ProcessExited{base::Text("done")}, 3);
  EXPECT_EQ(left(job, 1, BudgetKind::processes), 1U);
}

TEST(Budget, TimeIsThatOfAllAbove) {
  TestJob job = job_with(limited(BudgetKind::wall, 5000));
  job.put(process(2, 1, limited(BudgetKind::wall, 100'000)));
  const base::Time start = job.state.process(1)->started;
  EXPECT_FALSE(out_of_time(job.state, 2, start + std::chrono::seconds(4)));
  const auto over = out_of_time(job.state, 2, start + std::chrono::seconds(5));
  ASSERT_TRUE(over);
  EXPECT_EQ(over->pool.process, 1U);
}

// A tree of processes that spend, reserve, settle, end and have their limits changed, each only as
// far as there is enough: what a pool has given out is never more than its limit, all that was used
// is counted at each level above once, and decoding a snapshot comes to the same sums.
class Tree {
 public:
  explicit Tree(std::uint64_t limit) : job_(job_with(limited(kCalls, limit))) {}

  void step() {
    const auto number =
        static_cast<std::uint32_t>(*rc::gen::inRange<std::size_t>(1, processes() + 1));
    if (!job_.state.process(number)->live()) return;
    switch (*rc::gen::inRange(0, 5)) {
      case 0: return spawn(number);
      case 1:
        if (!shortage(job_.state, number, amounts_of({.tool_calls = 1}))) call_tool(job_, number);
        return;
      case 2: return reserve(number);
      case 3: return settle(number);
      default: return end(number);
    }
  }

  void check() const {
    for (std::uint32_t number = 1; number <= processes(); ++number) {
      const auto pool = pool_of(job_.state, number, kCalls);
      RC_ASSERT(pool->committed <= pool->limit);
      RC_ASSERT(used_below(number) <= job_.state.process(number)->committed[index()]);
      if (!job_.state.process(number)->live())
        RC_ASSERT(used_below(number) == job_.state.process(number)->committed[index()]);
    }
    JobState again = decode_state(encode_state(job_.state)).value();
    for (std::uint32_t number = 1; number <= processes(); ++number) {
      RC_ASSERT(again.process(number)->committed == job_.state.process(number)->committed);
      RC_ASSERT(again.process(number)->reserved == job_.state.process(number)->reserved);
    }
  }

 private:
  static std::size_t index() { return static_cast<std::size_t>(kCalls); }
  std::size_t processes() const { return job_.state.processes.size(); }

  void spawn(std::uint32_t parent) {
    Budget budget;
    if (*rc::gen::arbitrary<bool>()) budget.tool_calls = *rc::gen::inRange<std::uint64_t>(0, 6);
    if (left(job_, parent, kCalls) < budget.tool_calls.value_or(0)) return;
    job_.put(process(static_cast<std::uint32_t>(processes() + 1), parent, budget));
  }
  void reserve(std::uint32_t number) {
    const abi::Usage reserves{.tool_calls = *rc::gen::inRange<std::uint64_t>(1, 4)};
    Process& one = *job_.state.process(number);
    if (!one.frames.empty() || shortage(job_.state, number, amounts_of(reserves))) return;
    const std::uint64_t call = one.next_call;
    job_.put(TurnStarted{base::CallId{call}, 0}, number);
    CallIntended intent = test::intended(call, 1);
    intent.reserves = reserves;
    job_.put(intent, number);
  }
  void settle(std::uint32_t number) {
    const Process& one = *job_.state.process(number);
    if (one.frames.empty()) return;
    const Frame frame = one.frames.front();
    const std::uint64_t most = frame.syscalls.front().reserves.tool_calls;
    const abi::Usage usage{.tool_calls = *rc::gen::inRange<std::uint64_t>(0, most + 1)};
    job_.put(CallSettled{frame.call, 1, OutcomeKind::failed, {}, base::Error{}, usage}, number);
    job_.put(TurnFailed{frame.call, base::Error{}}, number);
  }
  void end(std::uint32_t number) {
    for (std::uint32_t child = number + 1; child <= processes(); ++child)
      if (job_.state.process(child)->parent == number && job_.state.process(child)->live())
        end(child);
    job_.put(ProcessExited{base::Text("done")}, number);
  }
  std::uint64_t used_below(std::uint32_t top) const {
    std::uint64_t sum = 0;
    for (std::uint32_t number = 1; number <= processes(); ++number) {
      std::uint32_t one = number;
      while (one != 0 && one != top) one = job_.state.process(one)->parent;
      if (one == top) sum += job_.state.process(number)->usage.tool_calls;
    }
    return sum;
  }

  TestJob job_;
};

RC_GTEST_PROP(Budget, IsConservedOverAnyTree, ()) {
  Tree tree(*rc::gen::inRange<std::uint64_t>(0, 40));
  const int steps = *rc::gen::inRange(1, 60);
  for (int i = 0; i < steps; ++i) {
    tree.step();
    tree.check();
  }
}

}  // namespace
}  // namespace alos::core
