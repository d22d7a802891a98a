// Executors: a pool of threads, and one thread that steps through its tasks in an order given by a
// seed.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ports/hands.h"
#include "providers/clock.h"

namespace alos::providers {

// Takes tasks first in, first out; a timed task joins the queue when its time has come by the
// host's wall clock. Destruction finishes the tasks that run, drops the rest and takes no more; it
// must not happen in a task. Tasks must not throw.
std::unique_ptr<ports::Executor> make_pool(unsigned threads);

// Same seed, same tasks, same order. For one thread: tasks post from within `step`.
class Stepper final : public ports::Executor {
 public:
  // `clock` outlives the stepper, which advances it to the next timer when nothing else is ready.
  Stepper(std::uint64_t seed, SimClock& clock) : state_(seed), clock_(clock) {}

  void post(std::function<void()> task) override;
  void post_at(base::Time when, std::function<void()> task) override;
  ports::Threads threads() const override { return ports::Threads::stepped; }

  bool step();  // runs one task; false: there is none, not even a timed one
  std::uint64_t run_until_idle(std::uint64_t steps_max);  // how many tasks ran
  std::size_t waiting() const { return ready_.size() + timed_.size(); }

 private:
  struct Timed {
    base::Time when;
    std::uint64_t number = 0;  // equal times in the order they were posted
    std::function<void()> task;
  };
  static bool later(const Timed& a, const Timed& b);
  std::uint64_t random();
  void take_due();

  std::uint64_t state_;
  SimClock& clock_;
  std::uint64_t posted_ = 0;
  std::vector<std::function<void()>> ready_;
  std::vector<Timed> timed_;  // a heap, the earliest first
};

inline std::unique_ptr<Stepper> make_stepper(std::uint64_t seed, SimClock& clock) {
  return std::make_unique<Stepper>(seed, clock);
}

}  // namespace alos::providers
