#include "sim/person.h"

namespace alos::sim {

using kernel::Answer;

namespace {

const std::string kMe = "human:owner";
constexpr unsigned kResumesMax = 6;  // of one process, when nothing else goes on

}  // namespace

const ProcessFact& Person::fact(base::Pid pid) {
  static const ProcessFact kNone;
  const JobFact* job = ledger_.job(pid.job);
  const auto found =
      job == nullptr ? decltype(job->processes.begin()){} : job->processes.find(pid.number);
  return job == nullptr || found == job->processes.end() ? kNone : found->second;
}

void Person::acknowledged(bool durable, const std::string& what) {
  world_.say("   the person: {}", what);
  if (!durable) world_.violation(what + " was acknowledged and is not durable");
}

Answer Person::choose(const kernel::RequestView& request) {
  Random& random = world_.random();
  Answer answer;
  answer.by = kMe;
  answer.kind = Answer::Kind::deny;
  if (random.one_in(5)) return answer;
  if (request.kind == "question") {
    answer.kind = Answer::Kind::answer;
    answer.text = request.choices.empty() ? "because" : request.choices.front();
    return answer;
  }
  answer.kind = Answer::Kind::approve;
  if (!request.who.empty()) answer.by = random.pick<std::string>({kMe, "human:ada", "human:bo"});
  if (request.kind == "budget") {
    if (random.one_in(2)) answer.more = request.more + random.below(3);
    return answer;
  }
  if (request.call == "fs.write" && random.one_in(8)) {
    const std::size_t at = request.arguments.find("alpha");
    if (at != std::string::npos) {
      answer.edited = request.arguments;
      answer.edited->replace(at, 5, "gamma");
      return answer;
    }
  }
  if (request.kind == "approval" && random.one_in(8)) {
    answer.scope = Answer::Scope::job;
    return answer;
  }
  answer.scope = random.pick<Answer::Scope>(
      {Answer::Scope::once, Answer::Scope::uses, Answer::Scope::until, Answer::Scope::process});
  answer.uses = 1 + random.below(2);
  answer.until = world_.clock().now() + std::chrono::minutes(10);
  return answer;
}

bool Person::answer(kernel::Kernel& kernel) {
  const auto open = kernel.requests(kernel::Kernel::Which::live);
  if (!open || open->empty()) return false;
  const kernel::RequestView& request = world_.random().pick(*open);
  const Answer given = choose(request);
  const auto done = kernel.answer(request.id, given);
  if (!done) return true;  // the disk may be full; the request stays open
  const auto id = base::parse_job_scoped(request.id, 'r');
  const bool noted = id && ledger_.job(id->job)->votes.contains({id->number, given.by});
  acknowledged(id && (noted || ledger_.job(id->job)->answers.contains(id->number)),
               "an answer to " + request.id);
  return true;
}

void Person::act(kernel::Kernel& kernel) {
  Random& random = world_.random();
  const std::uint64_t what = random.below(100);
  if (what < 12) return void(answer(kernel));
  if (what >= 22) return;
  const auto processes = kernel.processes(kernel::Kernel::Which::live);
  if (!processes || processes->empty()) return;
  const kernel::ProcessView& process = random.pick(*processes);
  if (what < 14)
    pause(kernel, process);
  else if (what < 17)
    resume(kernel, process);
  else if (what < 18)
    kill(kernel, process);
  else if (what < 19)
    grant(kernel, process);
  else if (what < 20)
    revoke(kernel, process);
  else if (what < 21)
    raise(kernel, process);
  else
    call(kernel, process);
}

bool Person::attend(kernel::Kernel& kernel) {
  if (answer(kernel)) return true;
  const auto processes = kernel.processes(kernel::Kernel::Which::live);
  if (!processes) return true;
  for (const kernel::ProcessView& process : *processes) {
    if (process.state != "paused" || resumed_[process.pid] >= kResumesMax) continue;
    resume(kernel, process);
    return true;
  }
  return false;
}

void Person::pause(kernel::Kernel& kernel, const kernel::ProcessView& process) {
  if (kernel.pause(process.pid, kMe, "a moment"))
    acknowledged(fact(process.pid).state == "paused", "a pause");
}

void Person::resume(kernel::Kernel& kernel, const kernel::ProcessView& process) {
  if (process.state != "paused") return;
  ++resumed_[process.pid];
  if (kernel.resume(process.pid, kMe))
    acknowledged(fact(process.pid).state == "runnable", "a resume");
}

void Person::kill(kernel::Kernel& kernel, const kernel::ProcessView& process) {
  if (kernel.kill(process.pid, kMe, "enough"))
    acknowledged(fact(process.pid).state == "killed", "a kill");
}

void Person::grant(kernel::Kernel& kernel, const kernel::ProcessView& process) {
  const auto grant = abi::Grant::from_text(
      fmt::format("read fs:/workspace/other/** uses={}", 1 + world_.random().below(3)));
  CHECK(grant.has_value());
  const auto id = kernel.grant(process.pid, *grant, kMe);
  if (!id) return;
  const auto parsed = base::parse_job_scoped(*id, 'c');
  acknowledged(parsed && ledger_.job(process.pid.job)->caps.size() >= parsed->number, "a grant");
  world_.mark("person grants");
}

void Person::raise(kernel::Kernel& kernel, const kernel::ProcessView& process) {
  if (kernel.set_budget(process.pid, abi::BudgetKind::tool_calls, 10 + world_.random().below(10),
                        kMe))
    world_.mark("person sets a budget");
}

void Person::revoke(kernel::Kernel& kernel, const kernel::ProcessView& process) {
  const JobFact* job = ledger_.job(process.pid.job);
  if (job == nullptr || job->caps.empty()) return;
  const core::Capability& cap = world_.random().pick(job->caps);
  if (cap.grant.effect == abi::GrantEffect::deny || cap.revoked ||
      cap.grant.resource.text().starts_with("model:"))
    return;
  const base::CapId id = cap.id;
  if (!kernel.revoke(base::to_string(process.pid.job, id), kMe)) return;
  acknowledged(job->caps.at(id.value - 1).revoked,
               "a revocation of " + base::to_string(process.pid.job, id));
  world_.mark("person revokes");
}

void Person::withdraw(kernel::Kernel& kernel) {
  for (const auto& [id, job] : ledger_.jobs())
    for (const auto& [key, intent] : job.intents) {
      if (intent.outcome || intent.body.matched.empty() ||
          intent.body.effect != abi::EffectClass::verifiable)
        continue;
      const base::CapId cap = intent.body.matched.front();
      if (world_.random().one_in(2))
        return void(kernel.revoke(base::to_string(id, cap), kMe).has_value());
      const auto deny =
          abi::Grant::from_text("write " + intent.body.needs.back().resource.text() + " deny");
      CHECK(deny.has_value());
      return void(kernel.grant({id, intent.process}, *deny, kMe).has_value());
    }
}

// A tool call from outside the model; one that cannot wait.
void Person::call(kernel::Kernel& kernel, const kernel::ProcessView& process) {
  const std::uint64_t returned = fact(process.pid).returned;
  const auto value =
      kernel.call(process.pid, "put_object", R"({"name":"outside","type":"note","value":1})");
  if (!value) return;
  acknowledged(fact(process.pid).returned > returned, "a call");
  world_.mark("call from outside");
}

}  // namespace alos::sim
