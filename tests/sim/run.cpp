#include "sim/run.h"

#include <algorithm>

#include "agent/agent.h"
#include "kernel/owner.h"
#include "providers/executor.h"
#include "sim/person.h"
#include "sim/sim_models.h"
#include "sim/sim_store.h"

namespace alos::sim {
namespace {

constexpr std::uint64_t kStepsMax = 20'000;  // of the driver; a run that needs more never ends
constexpr unsigned kLivesMax = 12;
constexpr unsigned kResumeTries = 50;

class Run {
 public:
  Run(const Plan& plan, const Parts& parts, Marks& marks)
      : parts_(parts), world_(plan, marks), store_(std::make_shared<SimStore>(world_, ledger_)) {
    const std::uint64_t jobs = 1 + world_.random().below(3);
    for (std::uint64_t i = 1; i <= jobs; ++i) names_.push_back(fmt::format("p{}", i));
    for (const std::string& name : names_) furnish(files_, name);
  }

  Report go() {
    while (!finished_ && world_.life() < kLivesMax && steps_ < kStepsMax) live();
    if (!finished_)
      world_.violation(
          fmt::format("it does not come to rest: {} steps, {} lives", steps_, world_.life()));
    check_journals();
    check_files();
    effects_.check_end();
    Report report{world_.violations(), world_.commits(), world_.performs(),
                  ledger_.lines(),     world_.life(),    {}};
    std::string heads;
    for (const auto& [id, job] : ledger_.jobs()) heads += job.head.view();
    report.digest = base::Digest::of(heads);
    return report;
  }

 private:
  void live();
  void recover(kernel::Owner& kernel);
  void resume(kernel::Owner& kernel, base::Pid pid);
  bool launch_next(kernel::Owner& kernel);
  void meddle();
  void check_memory(kernel::Owner& kernel);
  void check_journals();
  void check_job(const store::JobRow& row, const JobFact& fact);
  void check_files();

  const Parts& parts_;
  World world_;
  Ledger ledger_{world_};
  std::shared_ptr<SimStore> store_;
  Effects effects_{world_, ledger_};
  SimFiles files_{world_, effects_};
  SimModels models_{world_, effects_};
  SimHost host_{world_, effects_};
  Person person_{world_, ledger_};
  std::vector<std::string> names_;  // yet to be launched
  std::uint64_t steps_ = 0;
  bool finished_ = false;
};

void Run::live() {
  world_.begin_life();
  auto stepper = providers::make_stepper(
      mix(world_.plan().seed, fmt::format("life {}", world_.life())), world_.clock());
  models_.answer_through(stepper.get());
  auto made = kernel::make_kernel(store_, {files_, host_, models_, *stepper}, parts_.program,
                                  {abi::Image{"sim", "", "A simulated agent.", parts_.names, {}}});
  if (!made) return world_.violation("no kernel: " + made.error().what);
  auto& kernel = static_cast<kernel::Owner&>(**made);
  recover(kernel);
  for (; !world_.crashed() && !finished_ && steps_ < kStepsMax; ++steps_) {
    if (world_.random().one_in(2)) kernel.commit_now();
    if (!world_.crashed()) person_.act(kernel);
    if (!world_.crashed() && world_.random().one_in(15)) launch_next(kernel);
    if (world_.crashed() || stepper->step() || kernel.commit_now() || launch_next(kernel)) continue;
    finished_ = !person_.attend(kernel) && !world_.crashed() && stepper->waiting() == 0;
  }
  if (finished_) check_memory(kernel);
  stepper.reset();  // what was under way is forgotten, before the kernel goes
}

// What a person, or the runtime at its start, does after a crash.
void Run::recover(kernel::Owner& kernel) {
  if (world_.life() == 1) return;
  meddle();
  if (world_.random().one_in(3) && person_.answer(kernel)) world_.mark("answer before resuming");
  if (!world_.crashed() && world_.random().one_in(4)) person_.withdraw(kernel);
  if (world_.crashed()) return;
  const auto processes = kernel.processes(kernel::Kernel::Which::live);
  if (!processes) return world_.violation("no list: " + processes.error().what);
  for (const kernel::ProcessView& process : *processes)
    if (process.state != "paused") resume(kernel, process.pid);
}

void Run::resume(kernel::Owner& kernel, base::Pid pid) {
  for (unsigned i = 0; i < kResumeTries && !world_.crashed(); ++i) {
    const auto done = kernel.resume(pid, "alos");
    if (done) return;
    if (done.error().code != base::Code::exhausted && done.error().code != base::Code::unavailable)
      return world_.violation("cannot resume: " + done.error().what);
  }
}

bool Run::launch_next(kernel::Owner& kernel) {
  if (names_.empty()) return false;
  const std::string name = names_.back();
  // One whose launch a crash interrupted may be there all the same.
  const bool there =
      std::any_of(ledger_.jobs().begin(), ledger_.jobs().end(), [&](const auto& job) {
        return std::any_of(job.second.processes.begin(), job.second.processes.end(),
                           [&](const auto& process) { return process.second.name == name; });
      });
  const auto pid =
      there
          ? base::Result<base::Pid>(base::Pid{})
          : kernel.launch(launch_of(world_.plan().seed, name, world_.clock().now(), parts_.names));
  if (!pid) return true;  // again later
  if (!there && ledger_.job(pid->job) == nullptr)
    world_.violation("a launch was acknowledged and is not durable");
  names_.pop_back();
  return true;
}

// Some of what the crash interrupted is not as it was when power comes back.
void Run::meddle() {
  for (const auto& [id, job] : ledger_.jobs())
    for (const auto& [key, intent] : job.intents) {
      if (intent.outcome || intent.body.effect != abi::EffectClass::verifiable) continue;
      world_.mark("crash inside a verifiable call");
      const auto write =
          std::find_if(intent.body.needs.begin(), intent.body.needs.end(),
                       [](const core::NeedText& need) { return need.right == abi::Right::write; });
      if (write != intent.body.needs.end() && world_.random().one_in(5))
        files_.meddle(write->resource.text().substr(3));
    }
}

// ---- at the end ----

// What the kernel holds in memory is what the records say.
void Run::check_memory(kernel::Owner& kernel) {
  for (const auto& [id, job] : ledger_.jobs())
    for (const auto& [number, process] : job.processes) {
      const auto caps = kernel.capabilities({id, number});
      if (!caps || world_.crashed()) return;  // a commit that was still due went wrong
      for (const kernel::CapabilityView& view : *caps) {
        const auto id_in_job = base::parse_job_scoped(view.id, 'c');
        const core::Capability& cap = job.caps.at(id_in_job->number - 1);
        if (view.uses_left != uses_left(job.caps, cap) || (view.state == "revoked") != cap.revoked)
          world_.violation(
              fmt::format("capability {} is not in memory as its records say", view.id));
      }
    }
}

void Run::check_journals() {
  const auto rows = store_->disk().jobs();
  CHECK(rows.has_value());
  for (const store::JobRow& row : *rows) {
    const JobFact* fact = ledger_.job(row.job);
    if (fact == nullptr || fact->seq != row.last || fact->head != row.head)
      world_.violation(fmt::format("the store and the ledger differ about job {}", row.job.value));
    else
      check_job(row, *fact);
  }
  const auto viewer =
      kernel::make_viewer(std::shared_ptr<store::Store>(store_, &store_->disk()), {});
  const auto audit = viewer->check();
  CHECK(audit.has_value());
  for (const kernel::Finding& finding : audit->findings) world_.violation("check: " + finding.what);
}

// The state is the fold of the journal, and agrees with the ledger's own reading of it.
void Run::check_job(const store::JobRow& row, const JobFact& fact) {
  const auto state = kernel::load_job(store_->disk(), row.job);
  if (!state) return world_.violation("cannot fold: " + state.error().what);
  for (const core::Capability& cap : state->caps)
    if (cap.uses_left != fact.caps.at(cap.id.value - 1).uses_left ||
        cap.revoked != fact.caps.at(cap.id.value - 1).revoked)
      world_.violation(fmt::format("capability {} folds to something else than its records say",
                                   base::to_string(row.job, cap.id)));
  if (finished_ && !state->outbox.empty())
    world_.violation(
        fmt::format("job {} is at rest, and a message is still under way", row.job.value));
  for (const core::Process& process : state->processes) {
    const ProcessFact& told = fact.processes.at(process.number);
    const std::string name = base::to_string(base::Pid{row.job, process.number});
    if (base::name_of(process.state) != told.state)
      world_.violation(fmt::format("{} folds to {} and its records say {}", name,
                                   base::name_of(process.state), told.state));
    if (process.usage.tool_calls != told.tool_calls ||
        process.usage.model_calls != told.model_calls)
      world_.violation(name + ": its usage is not what its records say");
    if (!told.ended() && told.state != "paused")
      world_.violation(fmt::format("{} is stuck: {}", name, told.state));
    if (told.state == "paused" && told.reason.empty())
      world_.violation(name + " rests and nobody knows why");
  }
}

// What agents were told is written, is there, where nobody else wrote.
void Run::check_files() {
  for (const auto& [path, file] : ledger_.files()) {
    const Node* node = files_.node(path);
    if (!file.content || file.writers.size() != 1 || files_.was_meddled_with(path) ||
        (node != nullptr && node->kind != abi::FileKind::file))
      continue;
    world_.mark("acknowledged write compared");
    if (node == nullptr || node->data != *file.content)
      world_.violation(fmt::format("{} does not hold what its writer was told it holds", path));
  }
}

}  // namespace

Parts::Parts() : tools(tools::builtin_tools()), program(agent::make_agent(tools)) {
  for (const tools::Tool& tool : tools.all()) names.push_back(tool.spec.name);
}

Report simulate(const Plan& plan, const Parts& parts, Marks& marks) {
  return Run(plan, parts, marks).go();
}

}  // namespace alos::sim
