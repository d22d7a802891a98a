// What people decide: answers to requests, grants, revocations, and tool calls from outside.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "kernel/journal.h"
#include "kernel/owner.h"

namespace alos::kernel {

using base::Code;
using base::fail;
using base::Result;

namespace {

std::string scope_text(const Answer& answer) {
  switch (answer.scope) {
    case Answer::Scope::once: return "once";
    case Answer::Scope::uses: return fmt::format("{} uses", answer.uses);
    case Answer::Scope::until: return "until " + base::to_string(answer.until);
    case Answer::Scope::process: return "process";
  }
  return {};
}

Result<void> check_answer(const core::Request& request, const Answer& answer, std::string_view id) {
  const bool question = request.opened.kind == core::RequestKind::question;
  if (question && answer.kind == Answer::Kind::approve)
    return fail(Code::invalid, fmt::format("request {} is a question", id),
                fmt::format("`alos answer {} TEXT`", id));
  if (!question && answer.kind == Answer::Kind::answer)
    return fail(Code::invalid, fmt::format("request {} asks for approval", id),
                fmt::format("`alos approve {}` or `alos deny {}`", id, id));
  const auto& choices = request.opened.choices;
  if (question && answer.kind == Answer::Kind::answer && !choices.empty() &&
      std::find(choices.begin(), choices.end(), answer.text) == choices.end())
    return fail(Code::invalid,
                fmt::format("`{}` is not one of the choices", base::printable(answer.text)),
                fmt::format("choices: {}", fmt::join(choices, ", ")));
  if (answer.scope == Answer::Scope::uses && answer.uses == 0)
    return fail(Code::invalid, "an approval is for at least one use");
  return {};
}

core::AnswerKind kind_of(const Answer& answer) {
  if (answer.kind == Answer::Kind::approve) return core::AnswerKind::approved;
  return answer.kind == Answer::Kind::answer ? core::AnswerKind::answered
                                             : core::AnswerKind::denied;
}

}  // namespace

Result<base::CapId> Owner::grant_to(const JobPtr& job, const Lock& lock, std::uint32_t holder,
                                    base::Seq cause, abi::Grant grant, std::string from,
                                    std::optional<base::Digest> bound,
                                    std::optional<base::CapId> parent) {
  core::Capability cap;
  cap.id = base::CapId{job->state.caps.size() + 1};
  cap.holder = holder;
  cap.uses_left = grant.uses;
  cap.grant = std::move(grant);
  cap.from = std::move(from);
  cap.bound_call = bound;
  cap.parent = parent;
  cap.seq = job->state.seq + 1;
  const base::CapId id = cap.id;
  TRY(append(services_, job, lock, holder, cause, core::CapGranted{std::move(cap)}));
  return id;
}

// The syscall that waits for a request gets its answer.
Result<void> Owner::settle_wait(const JobPtr& job, const Lock& lock, const core::Request& request,
                                base::Seq cause, std::optional<base::RawJson> reply,
                                std::optional<base::Error> error) {
  const std::uint32_t process = request.process;
  const core::CallObserved body{request.call,          request.n,        request.opened.name,
                                request.opened.digest, std::move(reply), std::move(error)};
  TRY(append(services_, job, lock, process, cause, body));
  return {};
}

Result<void> Owner::answer_approval(const JobPtr& job, const Lock& lock,
                                    const core::Request& request, const Answer& answer,
                                    base::Seq cause) {
  const std::string from =
      fmt::format("{} (request {})", answer.by, base::to_string(job->id(), request.opened.request));
  const core::RequestOpened opened = request.opened;
  const std::uint32_t holder = request.process;
  for (std::size_t i = 0; i < opened.needs.size(); ++i) {
    const core::NeedText& need = opened.needs[i];
    abi::Grant grant{{need.right}, abi::Pattern::exactly(need.resource), {}, {}, {}, {}};
    std::optional<base::Digest> bound;
    if (answer.scope == Answer::Scope::once) grant.uses = 1, bound = opened.digest;
    if (answer.scope == Answer::Scope::uses) grant.uses = answer.uses;
    if (answer.scope == Answer::Scope::until) grant.until = answer.until;
    TRY(grant_to(job, lock, holder, cause, std::move(grant), from, bound, opened.asked_by[i]));
  }
  return {};
}

Result<void> Owner::answer_grant(const JobPtr& job, const Lock& lock, const core::Request& request,
                                 const Answer& answer, base::Seq cause) {
  const std::string from =
      fmt::format("{} (request {})", answer.by, base::to_string(job->id(), request.opened.request));
  abi::CapRequest::Reply reply;
  for (abi::Grant grant : request.opened.grants) {
    if (answer.scope == Answer::Scope::once) grant.uses = 1;
    if (answer.scope == Answer::Scope::uses) grant.uses = answer.uses;
    if (answer.scope == Answer::Scope::until) grant.until = answer.until;
    reply.granted.push_back(
        TRY(grant_to(job, lock, request.process, cause, std::move(grant), from, {}, {})));
  }
  return settle_wait(job, lock, request, cause, base::RawJson{base::to_json(reply)}, {});
}

Result<void> Owner::answer(const std::string& id, const Answer& answer) {
  const base::JobScoped parsed = TRY(base::parse_job_scoped(id, 'r'));
  const JobPtr job = TRY(resident(parsed.job));
  Lock lock(job->mutex);
  const core::Request* found = job->state.request(base::RequestId{parsed.number});
  if (found == nullptr)
    return fail(Code::not_found, fmt::format("there is no request {}", id),
                "`alos approvals` lists the open ones");
  if (found->answered) {
    const auto taken =
        fail(Code::conflict,
             fmt::format("request {} was {} by {} already", id,
                         base::name_of(found->answered->answer), found->answered->by),
             "the first answer stands");
    TRY(durable(job, std::move(lock)));  // what it says of the first answer must hold
    return taken;
  }
  TRY(check_answer(*found, answer, id));
  if (!job->state.process(found->process)->live())
    return fail(Code::conflict, fmt::format("the process that made request {} has ended", id));
  const core::Request request = *found;
  const base::Seq cause =
      TRY(append(services_, job, lock, request.process, request.seq,
                 core::RequestAnswered{
                     request.opened.request, kind_of(answer), answer.by,
                     answer.kind == Answer::Kind::approve ? scope_text(answer) : "", answer.text}));
  if (answer.kind == Answer::Kind::deny) {
    const std::string why = answer.text.empty() ? "" : ": " + answer.text;
    TRY(settle_wait(
        job, lock, request, cause, {},
        base::Error{Code::denied,
                    fmt::format("{} said no to: {}{}", answer.by, request.opened.question, why),
                    "work without it, or say in your result that it was needed"}));
  } else if (request.opened.kind == core::RequestKind::question) {
    TRY(settle_wait(job, lock, request, cause,
                    base::RawJson{base::to_json(abi::HumanAsk::Reply{answer.text})}, {}));
  } else if (request.opened.kind == core::RequestKind::approval) {
    TRY(answer_approval(job, lock, request, answer, cause));
  } else {
    TRY(answer_grant(job, lock, request, answer, cause));
  }
  job->changed.notify_all();
  wake_locked(job, lock, request.process);
  return durable(job, std::move(lock));
}

Result<std::string> Owner::grant(base::Pid pid, const abi::Grant& grant, const std::string& by) {
  const JobPtr job = TRY(resident_with(pid));
  Lock lock(job->mutex);
  if (!job->state.process(pid.number)->live())
    return fail(Code::invalid, fmt::format("process {} has ended", base::to_string(pid)));
  const base::CapId id = TRY(
      grant_to(job, lock, pid.number, job->state.process(pid.number)->last_seq, grant, by, {}, {}));
  TRY(durable(job, std::move(lock)));
  return base::to_string(pid.job, id);
}

Result<void> Owner::revoke(const std::string& capability, const std::string& by) {
  const base::JobScoped parsed = TRY(base::parse_job_scoped(capability, 'c'));
  const JobPtr job = TRY(resident(parsed.job));
  Lock lock(job->mutex);
  const core::Capability* cap = job->state.cap(base::CapId{parsed.number});
  if (cap == nullptr)
    return fail(Code::not_found, fmt::format("there is no capability {}", capability),
                "`alos caps PID` lists them");
  if (cap->revoked) {
    TRY(durable(job, std::move(lock)));
    return fail(Code::conflict, fmt::format("capability {} is revoked already", capability));
  }
  // The whole subtree goes in one record.
  std::vector<base::CapId> gone{cap->id};
  const std::uint32_t holder = cap->holder;
  const base::Seq cause = cap->seq;
  for (const core::Capability& other : job->state.caps)
    if (other.parent && std::find(gone.begin(), gone.end(), *other.parent) != gone.end())
      gone.push_back(other.id);
  TRY(append(services_, job, lock, holder, cause, core::CapRevoked{std::move(gone), by}));
  return durable(job, std::move(lock));
}

Result<base::Json> Owner::call(base::Pid pid, const std::string& tool,
                               const std::string& arguments) {
  const JobPtr job = TRY(resident_with(pid));
  abi::Mind mind = Step(services_, job, pid.number).mind();
  const abi::ToolRequest request{"", tool, base::Text(arguments)};
  base::CallId call;
  {
    const Lock lock(job->mutex);
    const core::Process& process = *job->state.process(pid.number);
    if (!process.live())
      return fail(
          Code::invalid,
          fmt::format("process {} has {}", base::to_string(pid), base::name_of(process.state)),
          "a call is made as a process that lives; `alos run --paused` makes one that waits");
    if (process.budget.tool_calls && process.usage.tool_calls >= *process.budget.tool_calls)
      return fail(Code::exhausted,
                  fmt::format("budget tool_calls of {} is used up", base::to_string(pid)));
    call = base::CallId{process.next_call};
    TRY(append(services_, job, lock, pid.number, process.last_seq,
               core::ToolCalled{call, tool, {}, request.arguments}));
  }
  const abi::Self::Tool run = program_->tool(mind, request);
  while (true) {
    Returned returned = TRY(run_frame(services_, job, pid.number, call, run));
    Lock lock(job->mutex);
    if (returned.value || returned.error->code != Code::parked) {
      const core::Process& process = *job->state.process(pid.number);
      if (process.live() && process.exiting) finish_exit(job, lock, pid.number);
      TRY(durable(job, std::move(lock)));
      if (returned.error) return base::Unexpected(std::move(*returned.error));
      return std::move(*returned.value);
    }
    job->changed.wait(lock, [&] {
      const core::Process* process = job->state.process(pid.number);
      const core::Frame* frame = process->frame(call);
      if (job->lost || frame == nullptr) return true;
      const core::Syscall* pending = frame->pending();
      return pending == nullptr || (pending->stage == core::Stage::intended &&
                                    !job->in_flight.contains({pid.number, call, pending->n}));
    });
  }
}

}  // namespace alos::kernel
