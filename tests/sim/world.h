// World: what outlives a crash of the runtime, and the plan of what goes wrong in a run.
//
// Power is cut at a commit or at a perform: from that instant nothing more becomes durable and
// nothing more is done, until the driver starts the next life of the runtime.
#pragma once

#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "providers/clock.h"
#include "sim/random.h"

namespace alos::sim {

enum class Moment : std::uint8_t { before, after };

// What a run is: a seed, and at most one crash at a chosen place; without it, crashes and failures
// at random.
struct Plan {
  std::uint64_t seed = 0;
  std::optional<std::uint64_t> crash_commit;   // the n-th commit, from 1
  std::optional<std::uint64_t> crash_perform;  // the n-th perform, from 1
  Moment moment = Moment::before;
  bool random_crashes = false;
  bool verbose = false;

  std::string text() const;
};

// How often something interesting happened, over many runs.
using Marks = std::map<std::string, std::uint64_t, std::less<>>;

class World {
 public:
  World(const Plan& plan, Marks& marks);

  const Plan& plan() const { return plan_; }
  Random& random() { return random_; }
  providers::SimClock& clock() { return clock_; }

  bool crashed() const { return crashed_; }
  unsigned life() const { return life_; }  // of the runtime, from 1
  void begin_life();                       // power is back

  enum class Fate : std::uint8_t { normal, fails, crash_before, crash_after };
  Fate next_commit();   // counts it
  Fate next_perform();  // `fails`: as the caller likes
  bool load_fails();    // now and then the disk does not answer when a job is loaded
  std::uint64_t commits() const { return commits_; }
  std::uint64_t performs() const { return performs_; }
  void cut_power(std::string_view where);

  void mark(std::string_view what) { ++marks_.try_emplace(std::string(what)).first->second; }
  void violation(std::string what);
  const std::vector<std::string>& violations() const { return violations_; }

  template <typename... Args>
  void say(fmt::format_string<Args...> format, Args&&... args) {
    if (plan_.verbose) tell(fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  Fate fate(std::optional<std::uint64_t> planned, std::uint64_t& drawn, std::uint64_t count);
  void draw_crash();
  void tell(const std::string& line) const;

  Plan plan_;
  Marks& marks_;
  Random random_;
  Random faults_;
  providers::SimClock clock_;
  bool crashed_ = false;
  unsigned life_ = 0;
  std::uint64_t commits_ = 0;
  std::uint64_t performs_ = 0;
  std::uint64_t crash_commit_ = 0;  // drawn; 0: none
  std::uint64_t crash_perform_ = 0;
  unsigned crashes_left_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace alos::sim
