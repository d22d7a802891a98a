#include "kernel/step.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernel/budget.h"
#include "kernel/door.h"

namespace alos::kernel {
namespace {

using base::Code;
using base::Result;

const core::Frame* frame_of(const Job& job, std::uint32_t process, base::CallId call) {
  const core::Process* found = job.state.process(process);
  return found == nullptr ? nullptr : found->frame(call);
}

// Whether running the call again would only park it again.
bool is_parked(const Job& job, std::uint32_t process, const core::Frame& frame) {
  const core::Syscall* pending = frame.pending();
  if (pending == nullptr) return false;
  return pending->stage == core::Stage::waiting ||
         job.in_flight.contains({process, frame.call, pending->n});
}

// The process's prompt with its bytes; large ones are brought back once.
base::Text prompt_of(const Services& services, const JobPtr& job, const Lock& lock,
                     const core::Process& process) {
  if (!process.prompt.blob) return process.prompt;
  const auto found = job->prompts.find(process.number);
  if (found != job->prompts.end()) return found->second;
  auto bytes = bytes_of(services, job, lock, process.prompt);
  if (!bytes) return process.prompt;  // the agent says what is missing
  return job->prompts.emplace(process.number, base::Text(std::move(*bytes))).first->second;
}

std::vector<abi::OpenCall> open_calls(const Job& job, const core::Process& process) {
  std::vector<abi::OpenCall> out;
  if (process.turns == 0) return out;
  for (const abi::ToolRequest& request :
       process.transcript.from_back(process.answered.size()).tool_calls) {
    if (std::find(process.answered.begin(), process.answered.end(), request.id) !=
        process.answered.end())
      continue;
    abi::OpenCall open{request, {}, false};
    if (const core::Frame* frame = process.frame_of_request(request.id)) {
      open.call = frame->call;
      open.parked = is_parked(job, process.number, *frame);
    }
    out.push_back(std::move(open));
  }
  return out;
}

}  // namespace

Result<const core::Process*> Step::runnable(const Lock& lock) const {
  CHECK(lock.owns_lock());
  if (job_->lost) return base::Unexpected(*job_->lost);
  const core::Process* process = job_->state.process(process_);
  if (process == nullptr || process->state != abi::ProcessState::runnable)
    return base::fail(Code::cancelled, "the process was paused or ended");
  return process;
}

Result<base::Seq> Step::append(const Lock& lock, base::Seq cause, core::Body body) {
  return kernel::append(services_, job_, lock, process_, cause, std::move(body));
}

abi::Mind Step::mind() const {
  const Lock lock(job_->mutex);
  const core::Process& process = *job_->state.process(process_);
  abi::Mind mind;
  mind.pid = {job_->id(), process_};
  mind.name = process.name;
  mind.model = process.model;
  mind.system = prompt_of(services_, job_, lock, process);
  mind.goal = process.goal;
  mind.tools = process.tools;
  mind.transcript = process.transcript;
  mind.open_calls = open_calls(*job_, process);
  for (abi::OpenCall& open : mind.open_calls)
    (void)attach_payloads(services_, job_, lock, open.request);  // what is missing, the agent says
  mind.turn = process.turns;
  mind.exiting = process.exiting;
  return mind;
}

Result<void> Step::run_tool(const abi::OpenCall& open, const Tool& tool) {
  base::CallId call;
  {
    const Lock lock(job_->mutex);
    const core::Process& process = *TRY(runnable(lock));
    if (const core::Frame* frame = process.frame_of_request(open.request.id)) {
      call = frame->call;
    } else {
      TRY(pay_for_call(lock, process));
      call = base::CallId{process.next_call};
      TRY(append(lock, process.last_seq,
                 core::ToolCalled{call, open.request.name, open.request.id, {}}));
    }
  }
  TRY(run_frame(services_, job_, process_, call, tool));
  return {};
}

// One tool call more. When there is none left, the process is paused or its owner is asked.
Result<void> Step::pay_for_call(const Lock& lock, const core::Process& process) {
  auto can = afford(services_, job_, lock, process_, {.tool_calls = 1});
  if (can || can.error().code != Code::exhausted) return can;
  TRY(append(lock, process.last_seq, core::ProcessPaused{"budget", can.error().what}));
  return base::fail(Code::cancelled, can.error().what);
}

namespace {

// The agent is told what a person made of its call.
void note_edits(const core::Frame& frame, Returned& returned) {
  for (const core::Syscall& one : frame.syscalls) {
    if (!one.replacement || !one.edited_by) continue;
    std::string note =
        fmt::format("{} changed this {} before saying yes", *one.edited_by, one.name);
    if (returned.error) {
      returned.error->what += " (" + note + ")";
      return;
    }
    note += "; what was done is what they wrote";
    std::string text = "{\"edited\":";
    base::append_json_string(text, note);
    const std::string& value = returned.value->data;
    if (value.starts_with('{') && value.size() > 2)
      text += "," + value.substr(1);
    else
      text += ",\"value\":" + value + "}";
    returned.value = base::Json::trusted(std::move(text));
    return;
  }
}

}  // namespace

Result<Returned> run_frame(const Services& services, const JobPtr& job, std::uint32_t process,
                           base::CallId call, const abi::Self::Tool& tool) {
  Place place{job, process, call, 0};
  base::Path cwd;
  std::string name;
  {
    const Lock lock(job->mutex);
    const core::Frame* frame = frame_of(*job, process, call);
    if (frame == nullptr) return base::fail(Code::cancelled, "the call was ended from outside");
    place.cause = frame->seq;
    cwd = frame->cwd;
    name = frame->tool;
  }
  Door door(services, place, std::move(cwd));
  auto result = tool(door);
  if (door.broken()) result = base::Unexpected(*door.broken());
  const Lock lock(job->mutex);
  if (job->lost) return base::Unexpected(*job->lost);
  const core::Frame* frame = frame_of(*job, process, call);
  if (frame == nullptr) return base::fail(Code::cancelled, "the call was ended from outside");
  Returned returned;
  if (result)
    returned.value = std::move(result->value);
  else
    returned.error = std::move(result.error());
  if (returned.error && returned.error->code == Code::parked) {
    if (door.parked()) return returned;
    returned.error = base::Error{
        Code::internal,
        fmt::format("tool `{}` says it is parked, but none of its syscalls is", name), ""};
  }
  // An intent that this run did not come to again has nobody left to settle it: say so before the
  // call ends.
  note_edits(*frame, returned);
  if (frame->pending() != nullptr)
    TRY(settle_open(services, job, lock, process, *frame, "its call returned without it"));
  const base::Seq cause = frame->syscalls.empty() ? place.cause : frame->syscalls.back().seq;
  TRY(append(services, job, lock, process, cause,
             core::ToolReturned{call, std::move(name), returned.value.has_value(), returned.value,
                                returned.error}));
  return returned;
}

Result<abi::ModelGenerate::Reply> Step::generate(abi::ModelGenerate call) {
  Place place{job_, process_, {}, 0};
  {
    const Lock lock(job_->mutex);
    const core::Process& process = *TRY(runnable(lock));
    const core::Frame* turn = process.turn_frame();
    if (turn == nullptr) {
      TRY(append(lock, process.last_seq,
                 core::TurnStarted{base::CallId{process.next_call}, process.turns}));
      turn = process.turn_frame();
    }
    if (is_parked(*job_, process_, *turn)) return base::fail(Code::parked, "in flight");
    place.call = turn->call;
    place.cause = turn->seq;
  }
  Door door(services_, place, base::Path());
  auto reply = door.call(std::move(call));
  if (reply || reply.error().code == Code::parked) return reply;
  const Lock lock(job_->mutex);
  const core::Process* process = job_->state.process(process_);
  if (!job_->lost && process->live() && process->frame(place.call) != nullptr)
    TRY(append(lock, process->last_seq, core::TurnFailed{place.call, reply.error()}));
  return reply;
}

Result<void> Step::exit(base::Text result) {
  const Lock lock(job_->mutex);
  const core::Process& process = *TRY(runnable(lock));
  if (process.result) result = *process.result;
  TRY(end_process(services_, job_, lock, process_, process.last_seq, "the process has exited",
                  core::ProcessExited{std::move(result)}));
  return {};
}

Result<void> Step::fail(base::Error error) {
  const Lock lock(job_->mutex);
  const core::Process& process = *TRY(runnable(lock));
  TRY(end_process(services_, job_, lock, process_, process.last_seq, "the process has failed",
                  core::ProcessFailed{std::move(error)}));
  return {};
}

Result<void> Step::pause(std::string reason) {
  const Lock lock(job_->mutex);
  const core::Process& process = *TRY(runnable(lock));
  TRY(append(lock, process.last_seq, core::ProcessPaused{"alos", std::move(reason)}));
  return {};
}

Result<void> settle_open(const Services& services, const JobPtr& job, const Lock& lock,
                         std::uint32_t process, const core::Frame& frame, std::string_view why) {
  const core::Syscall pending = *frame.pending();
  const base::CallId call = frame.call;
  const base::Error error{
      pending.stage == core::Stage::intended ? Code::outcome_unknown : Code::cancelled,
      fmt::format("{}: {}", pending.name, why), ""};
  if (pending.stage == core::Stage::intended) {
    TRY(append(services, job, lock, process, pending.seq,
               core::CallSettled{
                   call, pending.n, core::OutcomeKind::unknown, {}, error, pending.reserves}));
    job->in_flight.erase({process, call, pending.n});
    return {};
  }
  if (pending.request && !job->state.request(*pending.request)->answered)
    TRY(append(services, job, lock, process, pending.seq,
               core::RequestAnswered{*pending.request, core::AnswerKind::cancelled, "alos", "",
                                     std::string(why)}));
  TRY(append(services, job, lock, process, pending.seq,
             core::CallObserved{call, pending.n, pending.name, pending.digest, {}, error}));
  return {};
}

Result<void> cancel_frame(const Services& services, const JobPtr& job, const Lock& lock,
                          std::uint32_t process, base::CallId call, std::string_view why) {
  const core::Frame* frame = frame_of(*job, process, call);
  if (frame == nullptr) return {};
  const bool tool = frame->kind != core::FrameKind::turn;
  const std::string name = frame->tool;
  if (frame->pending() != nullptr) TRY(settle_open(services, job, lock, process, *frame, why));
  const base::Error error{Code::cancelled, fmt::format("the call did not finish: {}", why), ""};
  if (!tool) {
    TRY(append(services, job, lock, process, job->state.process(process)->last_seq,
               core::TurnFailed{call, error}));
    return {};
  }
  TRY(append(services, job, lock, process, job->state.process(process)->last_seq,
             core::ToolReturned{call, name, false, {}, error}));
  return {};
}

namespace {

// Whoever waits for a process that has ended has his answer.
Result<void> tell_waiting(const Services& services, const JobPtr& job, const Lock& lock,
                          std::uint32_t ended, base::Seq cause) {
  struct Waiting {
    std::uint32_t process;
    base::CallId call;
    core::Syscall syscall;
  };
  std::vector<Waiting> all;
  // Only those above it can wait for it.
  for (const core::Process* process = job->state.process(job->state.process(ended)->parent);
       process != nullptr; process = job->state.process(process->parent))
    for (const core::Frame& frame : process->frames)
      if (const core::Syscall* pending = frame.pending();
          pending != nullptr && pending->stage == core::Stage::waiting &&
          (pending->child == ended ||
           std::find(pending->any.begin(), pending->any.end(), ended) != pending->any.end()))
        all.push_back({process->number, frame.call, *pending});
  const std::string reply = base::to_json(end_of(job->state, *job->state.process(ended)));
  for (const Waiting& one : all) {
    TRY(append(services, job, lock, one.process, cause,
               core::CallObserved{one.call,
                                  one.syscall.n,
                                  one.syscall.name,
                                  one.syscall.digest,
                                  base::RawJson{reply},
                                  {}}));
    services.wakes.wake_locked(job, lock, one.process);
  }
  return {};
}

}  // namespace

// What it started ends with it.
Result<base::Seq> end_process(const Services& services, const JobPtr& job, const Lock& lock,
                              std::uint32_t process, base::Seq cause, std::string_view why,
                              core::Body end) {
  const std::vector<std::uint32_t> children = job->state.process(process)->children;
  for (const std::uint32_t child : children) {
    const core::Process& one = *job->state.process(child);
    if (!one.live()) continue;
    TRY(end_process(services, job, lock, child, one.last_seq, "the process that started it ended",
                    core::ProcessKilled{"process:" + base::to_string(base::Pid{job->id(), process}),
                                        "the process that started it ended"}));
  }
  if (const auto asks = job->state.process(process)->asks)
    TRY(append(services, job, lock, process, job->state.request(*asks)->seq,
               core::RequestAnswered{
                   *asks, core::AnswerKind::cancelled, "alos", "", std::string(why), {}}));
  std::vector<base::CallId> calls;
  for (const core::Frame& frame : job->state.process(process)->frames) calls.push_back(frame.call);
  for (const base::CallId call : calls) TRY(cancel_frame(services, job, lock, process, call, why));
  const base::Seq ended = TRY(append(services, job, lock, process, cause, std::move(end)));
  TRY(tell_waiting(services, job, lock, process, ended));
  return ended;
}

}  // namespace alos::kernel
