#include "providers/clock.h"

#include <atomic>
#include <chrono>

namespace alos::providers {
namespace {

class SystemClock final : public ports::Clock {
 public:
  base::Time now() override {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    const std::int64_t host_us = std::chrono::duration_cast<base::Duration>(since).count();
    std::int64_t last = last_us_.load(std::memory_order_relaxed);
    while (last < host_us && !last_us_.compare_exchange_weak(last, host_us)) {
    }
    return base::Time{std::max(last, host_us)};
  }

  ports::Outcome<abi::TimeNow::Reply> perform(const ports::Intent<abi::TimeNow>&) override {
    return abi::TimeNow::Reply{now()};
  }

 private:
  std::atomic<std::int64_t> last_us_{0};
};

}  // namespace

std::unique_ptr<ports::Clock> make_clock() { return std::make_unique<SystemClock>(); }

base::Time SimClock::now() {
  std::lock_guard lock(mutex_);
  return now_;
}

ports::Outcome<abi::TimeNow::Reply> SimClock::perform(const ports::Intent<abi::TimeNow>&) {
  return abi::TimeNow::Reply{now()};
}

void SimClock::advance(base::Duration by) {
  std::lock_guard lock(mutex_);
  now_ = now_ + by;
}

void SimClock::set(base::Time to) {
  std::lock_guard lock(mutex_);
  now_ = to;
}

}  // namespace alos::providers
