#include "providers/executor.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <queue>
#include <thread>

namespace alos::providers {
namespace {

struct Timer {
  base::Time when;
  std::uint64_t number = 0;
  std::function<void()> task;
};

struct LaterFirst {
  bool operator()(const Timer& a, const Timer& b) const {
    return a.when != b.when ? a.when > b.when : a.number > b.number;
  }
};

std::chrono::system_clock::time_point host_time(base::Time time) {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          base::Duration(time.unix_us)));
}

class Pool final : public ports::Executor {
 public:
  explicit Pool(unsigned threads) {
    CHECK(threads > 0);
    for (unsigned i = 0; i < threads; ++i) {
      threads_.emplace_back([this] { work(); });
      pthread_setname_np(threads_.back().native_handle(), fmt::format("alos-pool-{}", i).c_str());
    }
  }

  ~Pool() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
      CHECK(thread.get_id() != std::this_thread::get_id());
      thread.join();
    }
  }

  void post(std::function<void()> task) override {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    ready_.push_back(std::move(task));
    if (idle_ > 0) wake_.notify_one();
  }

  void post_at(base::Time when, std::function<void()> task) override {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    const bool earliest = timers_.empty() || when < timers_.top().when;
    timers_.push(Timer{when, posted_++, std::move(task)});
    // Whoever watches the clock must look again; which of the idle threads that is, nobody knows.
    if (earliest && idle_ > 0) wake_.notify_all();
  }

  ports::Threads threads() const override { return ports::Threads::many; }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      take_due();
      if (ready_.empty()) {
        wait(lock);
        continue;
      }
      std::function<void()> task = std::move(ready_.front());
      ready_.pop_front();
      // One due timer may have made many tasks ready; and the clock may have lost its watcher to
      // this task.
      if (idle_ > 0 && (!ready_.empty() || (!timers_.empty() && !watched_))) wake_.notify_one();
      lock.unlock();
      task();
      task = nullptr;  // what it holds is destroyed outside the lock
      lock.lock();
    }
  }

  void take_due() {
    if (timers_.empty()) return;
    const auto now = std::chrono::system_clock::now();
    while (!timers_.empty() && host_time(timers_.top().when) <= now) {
      ready_.push_back(
          std::move(const_cast<Timer&>(timers_.top()).task));  // popped in the next line
      timers_.pop();
    }
  }

  // One idle thread watches the clock, the others only wait for tasks: a timer wakes one thread,
  // not all.
  void wait(std::unique_lock<std::mutex>& lock) {
    ++idle_;
    if (timers_.empty() || watched_) {
      wake_.wait(lock);
    } else {
      watched_ = true;
      wake_.wait_until(lock, host_time(timers_.top().when));
      watched_ = false;
    }
    --idle_;
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> ready_;
  std::priority_queue<Timer, std::vector<Timer>, LaterFirst> timers_;
  std::uint64_t posted_ = 0;
  unsigned idle_ = 0;
  bool watched_ = false;
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // last: they use all of the above
};

}  // namespace

std::unique_ptr<ports::Executor> make_pool(unsigned threads) {
  return std::make_unique<Pool>(threads);
}

bool Stepper::later(const Timed& a, const Timed& b) {
  return a.when != b.when ? a.when > b.when : a.number > b.number;
}

void Stepper::post(std::function<void()> task) { ready_.push_back(std::move(task)); }

void Stepper::post_at(base::Time when, std::function<void()> task) {
  timed_.push_back(Timed{when, posted_++, std::move(task)});
  std::push_heap(timed_.begin(), timed_.end(), later);
}

// SplitMix64: the same numbers on every platform and library.
std::uint64_t Stepper::random() {
  std::uint64_t z = state_ += 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

void Stepper::take_due() {
  if (timed_.empty()) return;
  if (ready_.empty() && clock_.now() < timed_.front().when) clock_.set(timed_.front().when);
  const base::Time now = clock_.now();
  while (!timed_.empty() && timed_.front().when <= now) {
    std::pop_heap(timed_.begin(), timed_.end(), later);
    ready_.push_back(std::move(timed_.back().task));
    timed_.pop_back();
  }
}

bool Stepper::step() {
  take_due();
  if (ready_.empty()) return false;
  std::swap(ready_[random() % ready_.size()], ready_.back());
  const std::function<void()> task = std::move(ready_.back());
  ready_.pop_back();
  task();
  return true;
}

std::uint64_t Stepper::run_until_idle(std::uint64_t steps_max) {
  std::uint64_t steps = 0;
  while (steps < steps_max && step()) ++steps;
  return steps;
}

}  // namespace alos::providers
