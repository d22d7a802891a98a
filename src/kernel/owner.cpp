#include "kernel/owner.h"

#include <fmt/format.h>

#include <thread>

#include "base/text.h"
#include "core/decide.h"
#include "kernel/journal.h"
#include "kernel/project.h"

namespace alos::kernel {

using base::Code;
using base::fail;
using base::Result;

namespace {

constexpr auto kReloadPause = std::chrono::seconds(1);
constexpr std::size_t kGoalBytesMax = 256 * 1024;

Result<void> check_launch(const Launch& launch) {
  if (launch.goal.empty())
    return fail(Code::invalid, "the goal is empty", "say what the agent is to do");
  if (launch.goal.size() > kGoalBytesMax || !base::is_utf8(launch.goal))
    return fail(Code::invalid, "the goal is too long or not UTF-8",
                fmt::format("at most {} bytes", kGoalBytesMax));
  if (launch.model.empty())
    return fail(Code::invalid, "no model is named",
                "--model openai/NAME, ollama/NAME or script:FILE");
  for (const abi::Root& root : launch.roots)
    if (!base::Path::parse("/" + root.name) || root.name.find('/') != std::string::npos)
      return fail(Code::invalid,
                  fmt::format("`{}` is not a name for a root", base::printable(root.name)));
  return {};
}

}  // namespace

bool is_below(const core::JobState& state, std::uint32_t one, std::uint32_t ancestor) {
  while (one != 0 && one != ancestor) one = state.process(one)->parent;
  return one == ancestor;
}

Owner::Owner(std::shared_ptr<store::Store> store, store::Epoch epoch, base::JobId last_job,
             const ports::Hands& hands, std::shared_ptr<abi::Program> program,
             std::vector<abi::Image> images)
    : Looking(store, std::move(images)),
      hands_(hands),
      program_(std::move(program)),
      epoch_(epoch),
      last_job_(last_job.value),
      committer_(
          *store, epoch, hands.executor.threads(),
          [this](const auto& batches) { deliver(batches); },
          [this](const auto& jobs, const auto& error) { lose(jobs, error); }),
      services_{*store, hands, committer_, *this, this->all_images()} {}

Owner::~Owner() = default;

Result<std::shared_ptr<Kernel>> make_kernel(std::shared_ptr<store::Store> store,
                                            const ports::Hands& hands,
                                            std::shared_ptr<abi::Program> program,
                                            std::vector<abi::Image> images) {
  const store::Epoch epoch = TRY(store->own());
  const auto rows = TRY(store->jobs());
  const base::JobId last = rows.empty() ? base::JobId{} : rows.back().job;
  return std::shared_ptr<Kernel>(std::make_shared<Owner>(std::move(store), epoch, last, hands,
                                                         std::move(program), std::move(images)));
}

std::shared_ptr<Kernel> make_viewer(std::shared_ptr<store::Store> store,
                                    std::vector<abi::Image> images) {
  return std::make_shared<Looking>(std::move(store), std::move(images));
}

// ---- jobs in memory ----

Result<JobPtr> Owner::resident(base::JobId id) {
  {
    const std::lock_guard guard(mutex_);
    if (const auto found = jobs_.find(id); found != jobs_.end()) return found->second;
  }
  auto job = std::make_shared<Job>();
  job->state = TRY(load_job(store(), id));
  job->durable = job->state.seq;
  const std::lock_guard guard(mutex_);
  return jobs_.try_emplace(id, std::move(job)).first->second;
}

Result<Owner::Held> Owner::hold(base::JobId id) {
  for (;;) {
    JobPtr job = TRY(resident(id));
    Lock lock(job->mutex);
    if (!job->retired) return Held{std::move(job), std::move(lock)};
  }
}

Result<Owner::Held> Owner::hold(base::Pid pid) {
  Held held = TRY(hold(pid.job));
  if (held.job->state.process(pid.number) == nullptr)
    return fail(Code::not_found, fmt::format("there is no process {}", base::to_string(pid)),
                "`alos ps --all` lists those there are");
  return held;
}

Result<core::JobState> Owner::state_of(base::JobId id) {
  auto [job, lock] = TRY(hold(id));
  core::JobState state = job->state;
  const base::Seq seq = state.seq;
  lock.unlock();
  TRY(committer_.wait(job, seq));  // nothing leaves before it is durable
  return state;
}

Result<void> Owner::durable(const JobPtr& job, Lock lock) {
  const base::Seq seq = job->state.seq;
  lock.unlock();
  return committer_.wait(job, seq);
}

// ---- starting and going on ----

Result<base::Pid> Owner::launch(const Launch& launch) {
  TRY(check_launch(launch));
  TRY(hands_.models.check(launch.model));
  Plan plan = TRY(this->plan(launch));
  auto job = std::make_shared<Job>();
  {
    const std::lock_guard guard(mutex_);
    job->state.job = base::JobId{++last_job_};
    jobs_[job->state.job] = job;
  }
  Lock lock(job->mutex);
  const auto add = [&](core::Body body) {
    return append(services_, job, lock, 1, job->state.seq, std::move(body));
  };
  core::JobCreated created{launch.owner, launch.roots, plan.trapdoors, {}};
  for (const Person& person : launch.people) created.people.push_back({person.name, person.roles});
  TRY(add(std::move(created)));
  core::ProcessSpawned root;
  root.number = 1;
  root.name = launch.name;
  root.image = plan.image.name;
  root.model = launch.model;
  root.prompt = plan.image.prompt;
  root.goal = launch.goal;
  root.tools = plan.image.tools;
  root.cwd = launch.cwd;
  root.budget = launch.budget;
  root.price = {launch.usd_micro_per_mtok_in, launch.usd_micro_per_mtok_out};
  TRY(add(std::move(root)));
  std::vector<abi::Grant> base = launch.base == Launch::Base::grants
                                     ? base_grants(job->id(), launch)
                                     : std::vector<abi::Grant>{};
  for (abi::Grant& grant : base)
    TRY(grant_to(job, lock, 1, job->state.seq, std::move(grant), "base", {}, {}));
  for (const abi::Grant& grant : launch.grants)
    TRY(grant_to(job, lock, 1, job->state.seq, grant, "manifest", {}, {}));
  for (const Standing& one : launch.standing)
    TRY(grant_to(job, lock, core::kStanding, job->state.seq, one.grant, one.from, {}, {}));
  if (launch.start == Launch::Start::paused)
    TRY(add(core::ProcessPaused{"human:" + launch.owner, "started paused"}));
  else
    TRY(activate(job, lock));
  const base::Pid pid{job->id(), 1};
  TRY(durable(job, std::move(lock)));
  return pid;
}

// From here on the job's processes run here. What an earlier runtime left open is picked up: sleeps
// are armed again, calls from outside that nobody waits for any more are ended; all else goes on by
// replay.
Result<void> Owner::activate(const JobPtr& job, const Lock& lock) {
  if (job->active) return {};
  TRY(append(services_, job, lock, 1, job->state.seq, core::JobOpened{epoch_}));
  std::vector<std::pair<std::uint32_t, base::CallId>> abandoned;
  for (const core::Process& process : job->state.processes)
    for (const core::Frame& frame : process.frames)
      if (frame.kind == core::FrameKind::outside)
        abandoned.emplace_back(process.number, frame.call);
  for (const auto& [process, call] : abandoned) {
    // What it asked for was for that call; the process asks again when it needs more.
    if (const auto asks = job->state.process(process)->asks)
      TRY(append(services_, job, lock, process, job->state.seq,
                 core::RequestAnswered{*asks,
                                       core::AnswerKind::cancelled,
                                       "alos",
                                       "",
                                       "the call that needed it was ended",
                                       {}}));
    TRY(cancel_frame(services_, job, lock, process, call,
                     "the runtime that it was made through has ended"));
  }
  job->active = true;
  if (!job->state.outbox.empty()) post_pump(job);
  for (const core::Request& request : job->state.requests)
    if (!request.answered && request.opened.deadline)
      expire_at(job, request.opened.request, *request.opened.deadline);
  for (const core::Process& process : job->state.processes) {
    for (const core::Frame& frame : process.frames)
      if (const core::Syscall* pending = frame.pending();
          pending != nullptr && pending->stage == core::Stage::waiting && pending->until)
        wake_at(job, process.number, frame.call, pending->n, *pending->until);
    if (process.state == abi::ProcessState::runnable) wake_locked(job, lock, process.number);
  }
  return {};
}

Result<void> Owner::resume(base::Pid pid, const std::string& by) {
  auto [job, lock] = TRY(hold(pid));
  const core::Process& process = *job->state.process(pid.number);
  if (!process.live())
    return fail(
        Code::invalid,
        fmt::format("process {} has {}", base::to_string(pid), base::name_of(process.state)),
        "a process that has ended does not go on; `alos run` starts another");
  TRY(hands_.models.check(process.model));
  const bool was_paused = process.state == abi::ProcessState::paused;
  if (was_paused)
    TRY(append(services_, job, lock, pid.number, process.last_seq, core::ProcessResumed{by}));
  // Those below that the same shortage holds go on with it.
  std::vector<std::uint32_t> woken{pid.number};
  for (std::uint32_t number = pid.number + 1; was_paused && number <= job->state.processes.size();
       ++number) {
    const core::Process& below = *job->state.process(number);
    if (below.state != abi::ProcessState::paused || !is_below(job->state, number, pid.number) ||
        below.reason.find("budget ") == std::string::npos)
      continue;
    TRY(append(services_, job, lock, number, below.last_seq, core::ProcessResumed{by}));
    woken.push_back(number);
  }
  const bool was_active = job->active;
  TRY(activate(job, lock));
  for (const std::uint32_t number : woken)
    if (was_active && was_paused) wake_locked(job, lock, number);
  if (!was_paused) return {};  // nothing was decided that somebody must be told
  return durable(job, std::move(lock));
}

Result<void> Owner::pause(base::Pid pid, const std::string& by, const std::string& reason) {
  auto [job, lock] = TRY(hold(pid));
  const core::Process& process = *job->state.process(pid.number);
  if (process.state != abi::ProcessState::runnable)
    return fail(Code::invalid,
                fmt::format("process {} is {}", base::to_string(pid), base::name_of(process.state)),
                "only a live process that is not paused can be paused");
  TRY(append(services_, job, lock, pid.number, process.last_seq, core::ProcessPaused{by, reason}));
  return durable(job, std::move(lock));
}

Result<void> Owner::kill(base::Pid pid, const std::string& by, const std::string& reason) {
  auto [job, lock] = TRY(hold(pid));
  const core::Process& process = *job->state.process(pid.number);
  if (!process.live()) {
    const auto over =
        fail(Code::invalid, fmt::format("process {} has {} already", base::to_string(pid),
                                        base::name_of(process.state)));
    TRY(durable(job, std::move(lock)));  // what it says must hold
    return over;
  }
  TRY(end_process(services_, job, lock, pid.number, process.last_seq, "the process was killed",
                  core::ProcessKilled{by, reason}));
  return durable(job, std::move(lock));
}

// ---- running ----

void Owner::wake(const JobPtr& job, std::uint32_t process) {
  const Lock lock(job->mutex);
  job->changed.notify_all();
  wake_locked(job, lock, process);
}

void Owner::wake_locked(const JobPtr& job, const Lock& lock, std::uint32_t process) {
  CHECK(lock.owns_lock());
  if (!job->active || job->lost || draining_) return;
  RunState& run = job->run[process];
  if (run == RunState::running) run = RunState::running_again;
  if (run != RunState::idle) return;
  run = RunState::queued;
  hands_.executor.post([weak = weak_from_this(), job, process] {
    if (const auto self = weak.lock()) self->run_step(job, process);
  });
}

void Owner::run_step(const JobPtr& job, std::uint32_t process) {
  {
    const Lock lock(job->mutex);
    job->run[process] = RunState::running;
    if (job->lost || draining_ ||
        job->state.process(process)->state != abi::ProcessState::runnable) {
      job->run[process] = RunState::idle;
      return;
    }
  }
  Step step(services_, job, process);
  const auto result = program_->step(step);
  const Lock lock(job->mutex);
  after_step(job, lock, process, result);
}

void Owner::after_step(const JobPtr& job, const Lock& lock, std::uint32_t process,
                       const Result<void>& result) {
  RunState& run = job->run[process];
  const bool again = run == RunState::running_again;
  run = RunState::idle;
  const core::Process& state = *job->state.process(process);
  const bool broken =
      !result && result.error().code != Code::cancelled && result.error().code != Code::parked;
  if (broken && !job->lost && state.live()) {
    // A program that cannot go on for a reason of its own. (When the job was lost, it comes back by
    // itself.)
    (void)end_process(services_, job, lock, process, state.last_seq, "the process has failed",
                      core::ProcessFailed{result.error()});
    return;
  }
  if (job->lost || !state.live()) return;
  if (state.exiting) return finish_exit(job, lock, process);
  if (again) wake_locked(job, lock, process);
}

// The process asked to end, and the calls it had begun have come as far as they can.
void Owner::finish_exit(const JobPtr& job, const Lock& lock, std::uint32_t process) {
  const core::Process& state = *job->state.process(process);
  const base::Text result = state.result.value_or(base::Text());
  (void)end_process(services_, job, lock, process, state.last_seq, "the process has exited",
                    core::ProcessExited{result});
}

void Owner::wake_at(const JobPtr& job, std::uint32_t process, base::CallId call, std::uint32_t n,
                    base::Time when) {
  hands_.executor.post_at(when, [weak = weak_from_this(), job, process, call, n] {
    if (const auto self = weak.lock()) self->settle_sleep(job, process, call, n);
  });
}

void Owner::settle_sleep(const JobPtr& job, std::uint32_t process, base::CallId call,
                         std::uint32_t n) {
  const Lock lock(job->mutex);
  const core::Process* state = job->state.process(process);
  const core::Frame* frame = state == nullptr ? nullptr : state->frame(call);
  const core::Syscall* syscall = frame == nullptr ? nullptr : frame->find(n);
  if (job->lost || syscall == nullptr || syscall->stage != core::Stage::waiting || !syscall->until)
    return;
  const base::Time now = hands_.clock.now();
  if (now < *syscall->until) return wake_at(job, process, call, n, *syscall->until);
  core::CallObserved body{call, n, syscall->name, syscall->digest, {}, {}};
  if (syscall->letter)
    body.error = base::Error{Code::timeout, "no such message has come in time", ""};
  else
    body.reply = base::RawJson{base::to_json(abi::TimeSleep::Reply{now})};
  if (append(services_, job, lock, process, syscall->seq, body)) {
    job->changed.notify_all();
    wake_locked(job, lock, process);
  }
}

void Owner::post_pump(const JobPtr& job) {
  hands_.executor.post([weak = weak_from_this(), job] {
    if (const auto self = weak.lock()) self->pump(job);
  });
}

// ---- ending ----

std::size_t Owner::under_way() {
  std::vector<JobPtr> jobs;
  {
    const std::lock_guard guard(mutex_);
    for (const auto& [id, job] : jobs_) jobs.push_back(job);
  }
  std::size_t count = 0;
  for (const JobPtr& job : jobs) {
    const Lock lock(job->mutex);
    count += job->in_flight.size();
    for (const auto& [process, state] : job->run) count += state == RunState::idle ? 0 : 1;
  }
  return count;
}

std::size_t Owner::drain(std::chrono::milliseconds patience) {
  constexpr auto kLookEvery = std::chrono::milliseconds(10);
  draining_ = true;
  const auto end = std::chrono::steady_clock::now() + patience;
  std::size_t left = under_way();
  while (left > 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kLookEvery);
    left = under_way();
  }
  return left;
}

// ---- when the store cannot be written ----

// What these jobs did since their last durable record has not left: forget it, and fold them again
// when the store works.
void Owner::lose(const std::vector<JobPtr>& jobs, const base::Error& error) {
  std::vector<base::JobId> come_back;
  {
    const std::lock_guard guard(mutex_);
    trouble_ = error;
    for (const JobPtr& job : jobs) {
      jobs_.erase(job->id());
      if (job->active) come_back.push_back(job->id());
    }
  }
  for (const base::JobId id : come_back)
    hands_.executor.post_at(hands_.clock.now() + kReloadPause, [weak = weak_from_this(), id] {
      if (const auto self = weak.lock()) self->reload(id);
    });
}

void Owner::reload(base::JobId id) {
  auto held = hold(id);
  if (held && (held->job->active || activate(held->job, held->lock))) return;
  // Not there: it was lost before its first record was durable. Anything else: try again.
  if (!held && held.error().code == Code::not_found) return;
  hands_.executor.post_at(hands_.clock.now() + kReloadPause, [weak = weak_from_this(), id] {
    if (const auto self = weak.lock()) self->reload(id);
  });
}

std::optional<base::Error> Owner::trouble() const {
  const std::lock_guard guard(mutex_);
  return trouble_;
}

Result<void> Owner::rebuild() {
  store::Commit rows;
  for (const base::JobId id : TRY(jobs())) {
    const core::JobState state = TRY(load_job(store(), id));
    for (const core::Process& process : state.processes)
      rows.processes.push_back(row_of(state, process));
    for (const core::Request& request : state.requests)
      rows.requests.push_back(row_of(state, request));
  }
  return store().rebuild(epoch_, rows);
}

}  // namespace alos::kernel
