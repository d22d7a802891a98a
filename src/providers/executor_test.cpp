#include "providers/executor.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <set>
#include <string>
#include <thread>

namespace alos::providers {
namespace {

using base::Time;
using std::chrono::milliseconds;

// Waits for a number of things to have happened.
class Count {
 public:
  void add() {
    std::lock_guard lock(mutex_);
    ++value_;
    changed_.notify_all();
  }
  bool reaches(int value) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return value_ >= value; });
  }
  int value() {
    std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int value_ = 0;
};

TEST(Pool, RunsInOrderOnOneNamedThread) {
  auto pool = make_pool(1);
  EXPECT_EQ(pool->threads(), ports::Threads::many);
  std::vector<int> order;
  std::string name(16, '\0');
  Count done;
  for (int i = 0; i < 100; ++i)
    pool->post([&, i] {
      order.push_back(i);
      if (i == 99) pthread_getname_np(pthread_self(), name.data(), name.size());
      done.add();
    });
  ASSERT_TRUE(done.reaches(100));
  pool.reset();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  EXPECT_STREQ(name.c_str(), "alos-pool-0");
}

TEST(Pool, UsesAllThreadsAndTakesTasksFromTasks) {
  auto pool = make_pool(3);
  Count inside, done;
  for (int i = 0; i < 3; ++i)
    pool->post([&] {  // none goes on before all three have begun
      inside.add();
      if (inside.reaches(3)) pool->post([&] { done.add(); });
    });
  EXPECT_TRUE(done.reaches(3));
}

TEST(Pool, TimersRunInOrderOfTimeAndBesideTasks) {
  auto pool = make_pool(1);
  auto clock = make_clock();
  const Time now = clock->now();
  std::vector<int> order;
  Count done;
  const auto mark = [&](int n) {
    return [&, n] {
      order.push_back(n);
      done.add();
    };
  };
  pool->post_at(now + milliseconds(60), mark(3));
  pool->post_at(now + milliseconds(40), mark(2));
  pool->post_at(now + std::chrono::hours(1), mark(4));
  pool->post(mark(1));
  ASSERT_TRUE(done.reaches(3));
  EXPECT_GE(clock->now(), now + milliseconds(60));
  pool.reset();  // the hour is not waited for
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(Pool, ManyTimersFromManyThreadsAllRun) {
  auto pool = make_pool(4);
  auto clock = make_clock();
  Count done;
  std::vector<std::thread> posters;
  for (int t = 0; t < 4; ++t)
    posters.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        pool->post_at(clock->now() + std::chrono::microseconds((i * 7 + t) % 900),
                      [&] { done.add(); });
        pool->post([&] { done.add(); });
      }
    });
  for (std::thread& poster : posters) poster.join();
  EXPECT_TRUE(done.reaches(4000));
}

TEST(Pool, DestructionFinishesTheRunningAndDropsTheRest) {
  auto pool = make_pool(1);
  Count begun, go;
  std::atomic<bool> finished{false};
  const auto dropped = std::make_shared<std::atomic<bool>>(false);
  ports::Executor* raw = pool.get();
  pool->post([&] {
    begun.add();
    go.reaches(1);
    raw->post([dropped] { *dropped = true; });
    finished = true;
  });
  pool->post_at(Time{}, [dropped] { *dropped = true; });
  ASSERT_TRUE(begun.reaches(1));
  std::thread ending([&] { pool.reset(); });
  std::this_thread::sleep_for(
      milliseconds(20));  // lets the destructor begin; without it the test is only weaker
  go.add();
  ending.join();
  EXPECT_TRUE(finished);
  EXPECT_FALSE(*dropped);
  EXPECT_EQ(dropped.use_count(), 1);
}

std::string order_of(std::uint64_t seed) {
  SimClock clock;
  Stepper stepper(seed, clock);
  std::string order;
  for (char c = 'a'; c <= 'h'; ++c)
    stepper.post([&, c] {
      order += c;
      if (c < 'd') stepper.post([&, c] { order += static_cast<char>(c - 'a' + 'A'); });
    });
  stepper.run_until_idle(1000);
  return order;
}

TEST(Stepper, SameSeedSameOrderAndSeedsDiffer) {
  std::set<std::string> orders;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(order_of(seed), order_of(seed));
    EXPECT_EQ(order_of(seed).size(), 11U);
    orders.insert(order_of(seed));
  }
  EXPECT_GT(orders.size(), 15U);
}

TEST(Stepper, AdvancesTheClockOnlyWhenNothingIsReady) {
  SimClock clock(Time{1000});
  Stepper stepper(1, clock);
  std::vector<std::int64_t> seen;
  const auto look = [&] { seen.push_back(clock.now().unix_us); };
  stepper.post_at(Time{5000}, look);
  stepper.post_at(Time{2000}, look);
  stepper.post_at(Time{500}, look);  // past: ready at once
  stepper.post(look);
  EXPECT_EQ(stepper.waiting(), 4U);
  EXPECT_EQ(stepper.run_until_idle(1), 1U);
  EXPECT_EQ(stepper.run_until_idle(100), 3U);
  EXPECT_EQ(seen, (std::vector<std::int64_t>{1000, 1000, 2000, 5000}));
  EXPECT_FALSE(stepper.step());
  EXPECT_EQ(stepper.threads(), ports::Threads::stepped);
}

TEST(Clock, NeverGoesBackAndIsTheHosts) {
  auto clock = make_clock();
  Time last = clock->now();
  EXPECT_GT(last.unix_us, 1'700'000'000'000'000);
  for (int i = 0; i < 10000; ++i) {
    const Time now = clock->now();
    EXPECT_LE(last, now);
    last = now;
  }
}

TEST(SimClock, StandsUntilItIsTold) {
  SimClock clock(Time{5});
  EXPECT_EQ(clock.now(), Time{5});
  clock.advance(milliseconds(2));
  EXPECT_EQ(clock.now(), Time{2005});
  clock.set(Time{7});
  EXPECT_EQ(clock.now(), Time{7});
}

}  // namespace
}  // namespace alos::providers
