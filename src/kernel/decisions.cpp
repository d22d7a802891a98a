// What people decide: grants, revocations, policies, budgets, and tool calls from outside. Answers:
// answers.cpp.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "core/derive.h"
#include "kernel/answers.h"
#include "kernel/budget.h"
#include "kernel/journal.h"
#include "kernel/owner.h"
#include "kernel/step.h"

namespace alos::kernel {

using base::Code;
using base::fail;
using base::Result;

Result<base::CapId> Owner::grant_to(const JobPtr& job, const Lock& lock, std::uint32_t holder,
                                    base::Seq cause, abi::Grant grant, std::string from,
                                    std::optional<base::Digest> bound,
                                    std::optional<base::CapId> parent,
                                    std::optional<core::Seen> seen) {
  core::Capability cap;
  cap.id = base::CapId{job->state.caps.size() + 1};
  cap.holder = holder;
  cap.uses_left = grant.uses;
  cap.grant = std::move(grant);
  cap.from = std::move(from);
  cap.bound_call = bound;
  cap.parent = parent;
  cap.seen = std::move(seen);
  cap.seq = job->state.seq + 1;
  const base::CapId id = cap.id;
  TRY(append(services_, job, lock, std::max(holder, 1U), cause, core::CapGranted{std::move(cap)}));
  return id;
}

Result<void> Owner::set_policy(base::JobId id, const std::vector<Standing>& standing) {
  auto [job, lock] = TRY(hold(id));
  const auto is_policy = [](const core::Capability& cap) {
    return cap.holder == core::kStanding && !cap.revoked && cap.from.starts_with("policy:");
  };
  const auto same = [](const core::Capability& cap, const Standing& one) {
    return cap.grant == one.grant && cap.from == one.from;
  };
  std::vector<base::CapId> gone;
  for (const core::Capability& cap : job->state.caps)
    if (is_policy(cap) && std::none_of(standing.begin(), standing.end(),
                                       [&](const Standing& one) { return same(cap, one); }))
      gone.push_back(cap.id);
  if (!gone.empty())
    TRY(append(services_, job, lock, 1, job->state.seq, core::CapRevoked{gone, "policy"}));
  std::size_t added = 0;
  for (const Standing& one : standing) {
    const auto& caps = job->state.caps;
    if (std::any_of(caps.begin(), caps.end(),
                    [&](const core::Capability& cap) { return is_policy(cap) && same(cap, one); }))
      continue;
    TRY(grant_to(job, lock, core::kStanding, job->state.seq, one.grant, one.from, {}, {}));
    ++added;
  }
  if (gone.empty() && added == 0) return {};
  TRY(answer_all_decided(job, lock, "policy"));
  return durable(job, std::move(lock));
}

Result<std::string> Owner::grant(base::Pid pid, const abi::Grant& grant, const std::string& by) {
  auto [job, lock] = TRY(hold(pid));
  if (!job->state.process(pid.number)->live())
    return fail(Code::invalid, fmt::format("process {} has ended", base::to_string(pid)));
  const base::CapId id = TRY(
      grant_to(job, lock, pid.number, job->state.process(pid.number)->last_seq, grant, by, {}, {}));
  TRY(durable(job, std::move(lock)));
  return base::to_string(pid.job, id);
}

Result<void> Owner::revoke(const std::string& capability, const std::string& by) {
  const base::JobScoped parsed = TRY(base::parse_job_scoped(capability, 'c'));
  auto [job, lock] = TRY(hold(parsed.job));
  const core::Capability* cap = job->state.cap(base::CapId{parsed.number});
  if (cap == nullptr)
    return fail(Code::not_found, fmt::format("there is no capability {}", capability),
                "`alos caps PID` lists them");
  if (cap->revoked) {
    TRY(durable(job, std::move(lock)));
    return fail(Code::conflict, fmt::format("capability {} is revoked already", capability));
  }
  // The whole subtree goes in one record.
  const std::uint32_t holder = std::max(cap->holder, 1U);
  TRY(append(services_, job, lock, holder, cap->seq,
             core::CapRevoked{core::subtree(job->state, cap->id), by}));
  TRY(release_orphans(services_, job, lock, by));
  return durable(job, std::move(lock));
}

// ---- budgets ----

Result<void> Owner::change_limit(const JobPtr& job, const Lock& lock, std::uint32_t process,
                                 abi::BudgetKind kind, std::optional<std::uint64_t> limit,
                                 const std::string& by) {
  const core::Process& one = *job->state.process(process);
  if (!one.live())
    return fail(Code::invalid,
                fmt::format("process {} has {}", base::to_string(base::Pid{job->id(), process}),
                            base::name_of(one.state)));
  if (limit && *limit > abi::kAmountMax)
    return fail(Code::invalid, fmt::format("a limit of {} is too large", *limit));
  if (kind == abi::BudgetKind::usd && limit) TRY(check_price(one));
  TRY(check_limit(job->state, process, kind, limit));
  TRY(append(services_, job, lock, process, one.last_seq, core::BudgetSet{kind, limit, by}));
  TRY(cut_shares(job, lock, process, kind, by));
  for (std::uint32_t number = 1; number <= job->state.processes.size(); ++number)
    TRY(answer_enough(services_, job, lock, number, by));
  job->changed.notify_all();
  return {};
}

// A limit binds all below: where more was handed out than it allows, shares that were set aside
// come down to what is used of them.
Result<void> Owner::cut_shares(const JobPtr& job, const Lock& lock, std::uint32_t top,
                               abi::BudgetKind kind, const std::string& by) {
  const auto i = static_cast<std::size_t>(kind);
  if (kind == abi::BudgetKind::wall) return {};
  for (std::uint32_t number = top + 1; number <= job->state.processes.size(); ++number) {
    const core::Process& above = *job->state.process(top);
    if (above.committed[i] <= above.budget.limit(kind).value_or(UINT64_MAX)) return {};
    const core::Process& one = *job->state.process(number);
    if (!one.live() || !is_below(job->state, number, top)) continue;
    if (one.budget.limit(kind).value_or(0) <= one.committed[i]) continue;
    TRY(append(services_, job, lock, number, one.last_seq,
               core::BudgetSet{kind, one.committed[i], by}));
  }
  return {};
}

Result<void> Owner::set_budget(base::Pid pid, abi::BudgetKind kind,
                               std::optional<std::uint64_t> limit, const std::string& by) {
  auto [job, lock] = TRY(hold(pid));
  TRY(change_limit(job, lock, pid.number, kind, limit, by));
  return durable(job, std::move(lock));
}

// More, or stop.
Result<void> Owner::answer_budget(const JobPtr& job, const Lock& lock, const core::Request& request,
                                  const Answer& answer) {
  const core::BudgetAsk ask = *request.opened.budget;
  if (answer.kind != Answer::Kind::approve) {
    const std::string why = answer.text.empty() ? "" : ": " + answer.text;
    const base::Seq said = TRY(append(
        services_, job, lock, request.process, request.seq,
        core::RequestAnswered{
            request.opened.request, core::AnswerKind::denied, answer.by, "", answer.text, {}}));
    TRY(end_process(
        services_, job, lock, request.process, said, "its budget is used up",
        core::ProcessFailed{
            {Code::exhausted,
             fmt::format("{}, and {} says stop{}", request.opened.question, answer.by, why), ""}}));
    return {};
  }
  const core::Process& pool = *job->state.process(ask.process);
  const std::uint64_t limit = pool.budget.limit(ask.kind).value_or(0);
  const std::uint64_t more = answer.more.value_or(std::max(limit, ask.needed));
  if (more < ask.needed)
    return fail(Code::invalid, fmt::format("{} more is not enough: {} is needed now",
                                           abi::amount_text(ask.kind, more),
                                           abi::amount_text(ask.kind, ask.needed)));
  // More than what is gone already, which may be more than was allowed.
  const std::uint64_t gone =
      ask.kind == abi::BudgetKind::wall
          ? static_cast<std::uint64_t>((hands_.clock.now() - pool.started).count() / 1000)
          : pool.committed[static_cast<std::size_t>(ask.kind)];
  if (more > abi::kAmountMax) return fail(Code::invalid, "so much more is too much");
  return change_limit(job, lock, ask.process, ask.kind, std::max(limit, gone) + more, answer.by);
}

Result<base::Json> Owner::call(base::Pid pid, const std::string& tool,
                               const std::string& arguments) {
  const JobPtr job = TRY(hold(pid)).job;
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
    TRY(has_left(job->state, pid.number, hands_.clock.now(), {.tool_calls = 1}));
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
      if (job->starved.contains(pid.number)) return false;  // waits for budget
      const core::Syscall* pending = frame->pending();
      return pending == nullptr || (pending->stage == core::Stage::intended &&
                                    !job->in_flight.contains({pid.number, call, pending->n}));
    });
  }
}

}  // namespace alos::kernel
