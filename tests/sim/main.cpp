// sim: the deterministic simulator.
//
//   sim                       what the test run does: 1,000 seeds, and a crash at every commit and
//   perform of some sim --seeds N --from S    more of them sim --seed S              one run, told
//   line by line; with --crash-commit N or --crash-perform N [--after] the
//                             one with that crash; with --calm without any
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>

#include "sim/run.h"

namespace alos::sim {
namespace {

constexpr std::uint64_t kSeeds = 1000;
constexpr std::uint64_t kSeedsPerSweep = 40;  // one in so many has a crash at every place
constexpr std::uint64_t kSeedsPerTwice = 10;  // one in so many is run twice

// What has to have happened at least once in 1,000 seeds, or the simulator has lost its bite.
constexpr const char* kWanted[] = {"crash before a commit",
                                   "crash after a commit",
                                   "crash before a perform (verifiable)",
                                   "crash after a perform (verifiable)",
                                   "crash before a perform (observe)",
                                   "crash after a perform (model)",
                                   "crash inside a verifiable call",
                                   "intent settled in a later life",
                                   "call returned in a later life",
                                   "performed again",
                                   "look done",
                                   "look not_done",
                                   "look conflict",
                                   "another program meddled",
                                   "commit failed",
                                   "job lost and back",
                                   "sleep over a crash",
                                   "answer before resuming",
                                   "answer approved once",
                                   "answer approved uses",
                                   "answer approved process",
                                   "answer approved until",
                                   "answer denied",
                                   "answer answered",
                                   "answer cancelled",
                                   "load failed",
                                   "looked only, authority is gone",
                                   "uses used up",
                                   "use given back",
                                   "outcome done",
                                   "outcome not_started",
                                   "outcome failed",
                                   "outcome unknown",
                                   "model at once",
                                   "model late",
                                   "model failed",
                                   "link followed",
                                   "error denied",
                                   "error invalid",
                                   "error not_found",
                                   "error conflict",
                                   "error outcome_unknown",
                                   "error cancelled",
                                   "paused by budget",
                                   "paused by human:owner",
                                   "paused by alos",
                                   "resumed",
                                   "process exited",
                                   "process failed",
                                   "process killed",
                                   "person grants",
                                   "person revokes",
                                   "call from outside",
                                   "acknowledged write compared"};

struct Options {
  std::uint64_t seeds = kSeeds;
  std::uint64_t from = 1;
  std::optional<std::uint64_t> seed;
  Plan one;
};

std::string command_for(const Plan& plan) {
  std::string out = fmt::format("sim --seed {}", plan.seed);
  if (plan.crash_commit) out += fmt::format(" --crash-commit {}", *plan.crash_commit);
  if (plan.crash_perform) out += fmt::format(" --crash-perform {}", *plan.crash_perform);
  if (plan.moment == Moment::after) out += " --after";
  if (!plan.random_crashes && !plan.crash_commit && !plan.crash_perform) out += " --calm";
  return out;
}

// All tests of one invocation share what they need and what they have seen.
struct Bench {
  Options options;
  Parts parts;
  Marks marks;
  std::uint64_t runs = 0;
  std::uint64_t lines = 0;

  Report run(Plan plan) {
    Report report = simulate(plan, parts, marks);
    ++runs;
    lines += report.lines;
    for (const std::string& violation : report.violations)
      ADD_FAILURE() << plan.text() << ": " << violation << "\n  again: " << command_for(plan);
    return report;
  }
  std::uint64_t end() const { return options.from + options.seeds; }
};

bool too_much_went_wrong() {
  return ::testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count() > 20;
}

class SimTest : public ::testing::Test {
 public:
  using Body = void (*)(Bench&);
  SimTest(Bench& bench, Body body) : bench_(bench), body_(body) {}
  void TestBody() override { body_(bench_); }

 private:
  Bench& bench_;
  Body body_;
};

void crash_everywhere(Bench& bench) {
  for (std::uint64_t seed = bench.options.from; seed < bench.end() && !too_much_went_wrong();
       seed += kSeedsPerSweep) {
    const Report calm = bench.run({.seed = seed});
    for (const Moment moment : {Moment::before, Moment::after}) {
      for (std::uint64_t n = 1; n <= calm.commits; ++n)
        EXPECT_GE(bench.run({.seed = seed, .crash_commit = n, .moment = moment}).lives, 2U);
      for (std::uint64_t n = 1; n <= calm.performs; ++n)
        EXPECT_GE(bench.run({.seed = seed, .crash_perform = n, .moment = moment}).lives, 2U);
    }
  }
}

void random_seeds(Bench& bench) {
  for (std::uint64_t seed = bench.options.from; seed < bench.end() && !too_much_went_wrong();
       ++seed)
    bench.run({.seed = seed, .random_crashes = true});
}

void same_seed_same_records(Bench& bench) {
  for (std::uint64_t seed = bench.options.from; seed < bench.end() && !too_much_went_wrong();
       seed += kSeedsPerTwice) {
    const Plan plan{.seed = seed, .random_crashes = true};
    const base::Digest first = bench.run(plan).digest;
    EXPECT_EQ(base::to_hex(first), base::to_hex(bench.run(plan).digest)) << plan.text();
  }
}

void marks(Bench& bench) {
  for (const auto& [mark, times] : bench.marks)
    std::printf("%10llu  %s\n", static_cast<unsigned long long>(times), mark.c_str());
  std::printf("%llu runs, %llu durable records\n", static_cast<unsigned long long>(bench.runs),
              static_cast<unsigned long long>(bench.lines));
  if (bench.options.seeds < kSeeds) return;
  for (const char* wanted : kWanted)
    EXPECT_TRUE(bench.marks.contains(wanted)) << "it never happened: " << wanted;
}

void one_seed(Bench& bench) {
  Plan plan = bench.options.one;
  plan.seed = *bench.options.seed;
  plan.verbose = true;
  const Report report = bench.run(plan);
  std::printf("%s: %llu commits, %llu performs, %u lives, %s\n", plan.text().c_str(),
              static_cast<unsigned long long>(report.commits),
              static_cast<unsigned long long>(report.performs), report.lives,
              base::to_hex(report.digest).c_str());
}

std::optional<Options> read_options(int count, char** words) {
  Options options;
  options.one.random_crashes = true;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--after" || word == "--calm") {
      if (word == "--after") options.one.moment = Moment::after;
      options.one.random_crashes = false;
      continue;
    }
    const auto number = i + 1 < count ? base::parse_unsigned(words[++i]) : std::nullopt;
    if (!number) return std::nullopt;
    if (word == "--seeds")
      options.seeds = *number;
    else if (word == "--from")
      options.from = *number;
    else if (word == "--seed")
      options.seed = *number;
    else if (word == "--crash-commit")
      options.one.crash_commit = *number, options.one.random_crashes = false;
    else if (word == "--crash-perform")
      options.one.crash_perform = *number, options.one.random_crashes = false;
    else
      return std::nullopt;
  }
  return options;
}

void add_test(Bench& bench, const char* name, SimTest::Body body) {
  ::testing::RegisterTest("Sim", name, nullptr, nullptr, __FILE__, __LINE__,
                          [&bench, body]() -> SimTest* { return new SimTest(bench, body); });
}

int run_tests(const Options& options) {
  Bench bench{options, {}, {}, 0, 0};
  if (options.seed) {
    add_test(bench, "OneSeed", one_seed);
  } else {
    add_test(bench, "ACrashAtEveryCommitAndEveryPerform", crash_everywhere);
    add_test(bench, "RandomSeeds", random_seeds);
    add_test(bench, "SameSeedSameRecords", same_seed_same_records);
    add_test(bench, "EverythingOfInterestHappened", marks);
  }
  return RUN_ALL_TESTS();
}

}  // namespace
}  // namespace alos::sim

int main(int count, char** words) {
  ::testing::InitGoogleTest(&count, words);
  const auto options = alos::sim::read_options(count, words);
  if (options) return alos::sim::run_tests(*options);
  std::fputs(
      "usage: sim [--seeds N] [--from S] | --seed S [--crash-commit N | --crash-perform N] "
      "[--after] [--calm]\n",
      stderr);
  return 2;
}
