// Processes below processes, and the authority they are handed.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "core/derive.h"
#include "kernel/budget.h"
#include "kernel/enact.h"

namespace alos::kernel {
namespace {

using base::Code;
using base::fail;
using base::Result;

constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kGrantsMax = 64;
constexpr std::size_t kWaitedMax = 1000;
constexpr std::uint32_t kDepthMax = 64;  // of a job's tree

Result<const core::Process*> descendant(const Enactment& act, base::Pid pid) {
  const core::Process* process =
      pid.job == act.pid().job ? act.state().process(pid.number) : nullptr;
  if (process == nullptr || process->number == act.process().number ||
      !is_below(act.state(), process->number, act.process().number))
    return fail(Code::not_found,
                fmt::format("process {} is not one that you started", base::to_string(pid)),
                "list_processes shows those");
  return process;
}

Result<void> check_room(const core::JobState& state, const core::Process& parent,
                        const abi::Budget& budget) {
  std::uint32_t depth = 0;
  for (const core::Process* one = &parent; one != nullptr; one = state.process(one->parent))
    if (++depth >= kDepthMax)
      return fail(Code::exhausted, fmt::format("processes are at most {} deep", kDepthMax));
  return check_carve(state, parent.number, budget);
}

Result<base::CapId> hand_over(Enactment& act, std::uint32_t to, abi::Grant grant, std::string from,
                              std::optional<base::CapId> parent) {
  core::Capability cap;
  cap.id = base::CapId{act.state().caps.size() + 1};
  cap.holder = to;
  cap.uses_left = grant.uses;
  cap.grant = std::move(grant);
  cap.from = std::move(from);
  cap.parent = parent;
  cap.seq = act.state().seq + 1;
  const base::CapId id = cap.id;
  TRY(act.append(act.cause(), core::CapGranted{std::move(cap)}));
  return id;
}

// What every child gets of what its parent may hand on.
std::vector<abi::Grant> usual(const core::Process& parent) {
  std::vector<abi::Grant> out;
  const auto add = [&](abi::Right right, std::string_view pattern) {
    abi::Grant grant;
    grant.rights = {right};
    grant.resource = abi::Pattern::from_text(pattern).value();
    grant.delegation = abi::Delegation::also;
    out.push_back(std::move(grant));
  };
  add(abi::Right::read, "clock:now");
  add(abi::Right::execute, "clock:sleep");
  add(abi::Right::execute, "image:*");
  if (!parent.model.empty()) add(abi::Right::execute, abi::Resource::model(parent.model).text());
  return out;
}

Result<void> check_spawn(const abi::ProcSpawn& call) {
  if (call.goal.size_bytes() == 0)
    return fail(Code::invalid, "the goal is empty", "say what the process is to do");
  if (call.name.empty() || call.name.size() > kNameBytesMax || !base::is_utf8(call.name))
    return fail(Code::invalid, "a process has a name", fmt::format("1 to {} bytes", kNameBytesMax));
  if (call.grants.size() > kGrantsMax)
    return fail(Code::invalid, fmt::format("{} grants are too many", call.grants.size()),
                fmt::format("at most {}", kGrantsMax));
  return {};
}

}  // namespace

Result<abi::ProcSpawn::Reply> carry_out(Enactment& act, const abi::ProcSpawn& call) {
  TRY(check_spawn(call));
  const auto image = std::find_if(act.images().begin(), act.images().end(),
                                  [&](const abi::Image& one) { return one.name == call.image; });
  if (image == act.images().end())
    return fail(Code::not_found, fmt::format("there is no image `{}`", base::printable(call.image)),
                "`alos image list` shows those there are");
  const core::Process parent = act.process();
  const abi::Budget budget = call.budget.value_or(abi::Budget{});
  TRY(check_room(act.state(), parent, budget));
  // All that is to be handed over is found before anything is recorded.
  std::vector<core::Derived> handed;
  for (const abi::Grant& grant : call.grants)
    for (core::Derived& one : TRY(core::derive(act.state(), parent.number, grant, act.now())))
      handed.push_back(std::move(one));
  std::vector<core::Derived> base_set;
  for (const abi::Grant& grant : usual(parent))
    if (auto derived = core::derive(act.state(), parent.number, grant, act.now()))
      std::move(derived->begin(), derived->end(), std::back_inserter(base_set));

  core::ProcessSpawned child;
  child.number = static_cast<std::uint32_t>(act.state().processes.size() + 1);
  child.parent = parent.number;
  child.name = call.name;
  child.image = image->name;
  child.model = parent.model;
  child.prompt = image->prompt;
  child.goal = call.goal;
  child.tools = image->tools;
  child.cwd = parent.cwd;
  child.price = parent.price;
  child.budget = budget;
  const base::Pid pid{act.pid().job, child.number};
  TRY(act.append(act.cause(), std::move(child)));
  abi::Grant own;
  own.rights = {abi::Right::read, abi::Right::write, abi::Right::list};
  own.resource = abi::Pattern::from_text("object:" + base::to_string(pid) + "/**").value();
  own.delegation = abi::Delegation::also;
  TRY(hand_over(act, pid.number, std::move(own), "base", {}));
  const std::string from = "process:" + base::to_string(act.pid());
  for (core::Derived& one : base_set)
    TRY(hand_over(act, pid.number, std::move(one.grant), "base of " + from, one.parent));
  for (core::Derived& one : handed)
    TRY(hand_over(act, pid.number, std::move(one.grant), from, one.parent));
  // Parent and child may write to each other.
  for (const auto& [holder, other] : {std::pair(pid, act.pid()), std::pair(act.pid(), pid)}) {
    abi::Grant mail;
    mail.rights = {abi::Right::write};
    mail.resource = abi::Pattern::exactly(abi::Resource::process(other));
    TRY(hand_over(act, holder.number, std::move(mail), "base", {}));
  }
  act.wake(pid.number);
  return abi::ProcSpawn::Reply{pid};
}

abi::ProcWait::Reply end_of(const core::JobState& state, const core::Process& process) {
  return {base::Pid{state.job, process.number}, process.state,
          process.state == abi::ProcessState::exited ? process.result : std::nullopt,
          process.reason};
}

Result<abi::ProcWait::Reply> carry_out(Enactment& act, const abi::ProcWait& call) {
  const core::Process* child = TRY(descendant(act, call.pid));
  if (child->live()) return act.park_for(child->number, abi::ProcWait::kName);
  abi::ProcWait::Reply reply = end_of(act.state(), *child);
  if (reply.result) reply.result = base::Text(TRY(act.load(*reply.result)));
  return reply;
}

Result<abi::ProcWaitAny::Reply> carry_out(Enactment& act, const abi::ProcWaitAny& call) {
  if (call.pids.empty() || call.pids.size() > kWaitedMax)
    return fail(Code::invalid, fmt::format("{} processes to wait for", call.pids.size()),
                fmt::format("from 1 to {}", kWaitedMax));
  std::vector<std::uint32_t> waited;
  for (const base::Pid pid : call.pids) {
    const core::Process* one = TRY(descendant(act, pid));
    if (!one->live()) {
      abi::ProcWait::Reply reply = end_of(act.state(), *one);
      if (reply.result) reply.result = base::Text(TRY(act.load(*reply.result)));
      return reply;
    }
    waited.push_back(one->number);
  }
  return act.park_for_any(std::move(waited), abi::ProcWaitAny::kName);
}

Result<abi::ProcList::Reply> carry_out(Enactment& act, const abi::ProcList&) {
  abi::ProcList::Reply reply;
  const base::JobId job = act.pid().job;
  std::vector<std::uint32_t> below = act.process().children;
  for (std::size_t i = 0; i < below.size(); ++i) {
    const core::Process& one = *act.state().process(below[i]);
    below.insert(below.end(), one.children.begin(), one.children.end());
  }
  std::sort(below.begin(), below.end());
  for (const std::uint32_t number : below) {
    const core::Process& one = *act.state().process(number);
    reply.processes.push_back({{job, number}, {job, one.parent}, one.name, one.state});
  }
  return reply;
}

Result<abi::CapDerive::Reply> carry_out(Enactment& act, const abi::CapDerive& call) {
  const core::Process* to = TRY(descendant(act, call.to));
  if (!to->live())
    return fail(Code::conflict, fmt::format("process {} has ended", base::to_string(call.to)));
  const std::uint32_t number = to->number;
  const std::string from = "process:" + base::to_string(act.pid());
  abi::CapDerive::Reply reply;
  for (core::Derived& one :
       TRY(core::derive(act.state(), act.process().number, call.grant, act.now()))) {
    const base::CapId id = TRY(hand_over(act, number, one.grant, from, one.parent));
    reply.handed.push_back({id, std::move(one.grant), from});
  }
  return reply;
}

Result<abi::CapDrop::Reply> carry_out(Enactment& act, const abi::CapDrop& call) {
  const core::Capability* cap = act.state().cap(call.cap);
  const auto none = [&] {
    return fail(Code::not_found,
                fmt::format("you hold no capability {}", base::to_string(act.pid().job, call.cap)),
                "list_capabilities shows what you hold");
  };
  if (cap == nullptr || cap->holder != act.process().number || cap->revoked) return none();
  // What restricts is not given up by whom it restricts.
  if (cap->grant.effect != abi::GrantEffect::allow)
    return fail(Code::denied, "an ask or a deny is not dropped by who holds it");
  std::vector<base::CapId> gone = core::subtree(act.state(), call.cap);
  const std::uint64_t count = gone.size();
  TRY(act.append(act.cause(),
                 core::CapRevoked{std::move(gone), "process:" + base::to_string(act.pid())}));
  TRY(act.release_orphans());
  return abi::CapDrop::Reply{count};
}

}  // namespace alos::kernel
