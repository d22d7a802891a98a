#include "sim/world.h"

#include <cstdio>

namespace alos::sim {
namespace {

constexpr base::Time kStart{1'800'000'000'000'000};  // 2027
constexpr unsigned kCrashesMax = 4;
constexpr std::size_t kViolationsKept = 20;

}  // namespace

std::string Plan::text() const {
  std::string out = fmt::format("seed {}", seed);
  const char* when = moment == Moment::before ? "before" : "after";
  if (crash_commit) out += fmt::format(", crash {} commit {}", when, *crash_commit);
  if (crash_perform) out += fmt::format(", crash {} perform {}", when, *crash_perform);
  if (random_crashes) out += ", crashes at random";
  return out;
}

World::World(const Plan& plan, Marks& marks)
    : plan_(plan),
      marks_(marks),
      random_(mix(plan.seed, "world")),
      faults_(mix(plan.seed, "faults")),
      clock_(kStart) {
  if (plan.random_crashes) crashes_left_ = static_cast<unsigned>(faults_.below(kCrashesMax + 1));
}

void World::begin_life() {
  ++life_;
  if (life_ > 1)
    clock_.advance(std::chrono::seconds(random_.pick<std::uint64_t>({0, 1, 30, 7200})));
  crashed_ = false;
  draw_crash();
  say("---- life {} at {}", life_, base::to_string(clock_.now()));
}

void World::draw_crash() {
  crash_commit_ = crash_perform_ = 0;
  if (crashes_left_ == 0) return;
  --crashes_left_;
  if (faults_.one_in(2))
    crash_commit_ = commits_ + 1 + faults_.below(25);
  else
    crash_perform_ = performs_ + 1 + faults_.below(20);
}

World::Fate World::fate(std::optional<std::uint64_t> planned, std::uint64_t& drawn,
                        std::uint64_t count) {
  const bool now = (planned && *planned == count) || (drawn != 0 && drawn == count);
  if (!now) return Fate::normal;
  const bool is_drawn = drawn == count;
  const Moment moment =
      is_drawn ? (faults_.one_in(2) ? Moment::before : Moment::after) : plan_.moment;
  drawn = 0;
  return moment == Moment::before ? Fate::crash_before : Fate::crash_after;
}

World::Fate World::next_commit() {
  const Fate crash = fate(plan_.crash_commit, crash_commit_, ++commits_);
  if (crash != Fate::normal) return crash;
  return plan_.random_crashes && faults_.one_in(40) ? Fate::fails : Fate::normal;
}

bool World::load_fails() {
  if (!plan_.random_crashes || !faults_.one_in(20)) return false;
  mark("load failed");
  return true;
}

World::Fate World::next_perform() {
  const Fate crash = fate(plan_.crash_perform, crash_perform_, ++performs_);
  if (crash != Fate::normal) return crash;
  return faults_.one_in(25) ? Fate::fails : Fate::normal;
}

void World::cut_power(std::string_view where) {
  crashed_ = true;
  mark(fmt::format("crash {}", where));
  say("==== crash {}", where);
}

void World::violation(std::string what) {
  say("!!!! {}", what);
  if (violations_.size() < kViolationsKept) violations_.push_back(std::move(what));
}

void World::tell(const std::string& line) const { std::fprintf(stdout, "%s\n", line.c_str()); }

}  // namespace alos::sim
