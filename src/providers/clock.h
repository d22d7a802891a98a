// The clocks: the host's, and one that stands still until it is told.
#pragma once

#include <memory>
#include <mutex>

#include "ports/hands.h"

namespace alos::providers {

// The host's wall clock in microseconds; never goes back within one clock. Any number of threads.
std::unique_ptr<ports::Clock> make_clock();

// Time as a test or the simulator sets it. Any number of threads.
class SimClock final : public ports::Clock {
 public:
  explicit SimClock(base::Time start = {}) : now_(start) {}

  base::Time now() override;
  ports::Outcome<abi::TimeNow::Reply> perform(const ports::Intent<abi::TimeNow>& intent) override;

  void advance(base::Duration by);
  void set(base::Time to);  // also back: that is what host clocks do

 private:
  std::mutex mutex_;
  base::Time now_;
};

}  // namespace alos::providers
