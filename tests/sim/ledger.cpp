#include "sim/ledger.h"

#include <algorithm>

namespace alos::sim {

using base::Code;

std::string key_of(base::Pid pid, base::CallId call, std::uint32_t n) {
  return fmt::format("{}.{}.{}", base::to_string(pid), call.value, n);
}

void Ledger::broken(std::string_view what) {
  world_.violation(fmt::format("{}: {}", here(), what));
}

std::string Ledger::here() const {
  return fmt::format("record {}:{} ({})", record_->job.value, record_->seq,
                     core::kind_of(*record_));
}

const JobFact* Ledger::job(base::JobId id) const {
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : &found->second;
}

const IntentFact* Ledger::intent(const std::string& key) const {
  const auto pid = base::parse_pid(key.substr(0, key.find('.', key.find('.') + 1)));
  const JobFact* found = pid ? job(pid->job) : nullptr;
  if (found == nullptr) return nullptr;
  const auto intent = found->intents.find(key);
  return intent == found->intents.end() ? nullptr : &intent->second;
}

Verdict Ledger::decide(base::Pid pid, const core::NeedText& need, const base::Digest& call,
                       base::Time now) const {
  const JobFact* found = job(pid.job);
  if (found == nullptr) return {false, false, false, {}, "its job is not durable"};
  return reference_decision(found->caps, found->trapdoors, pid.number, need, call, now);
}

// ---- commits ----

void Ledger::take(const store::Commit& commit, const base::LoadBlob& blob) {
  blob_ = &blob;
  for (const store::Segment& segment : commit.segments) {
    JobFact& job = jobs_[segment.job];
    job_ = &job;
    if (segment.first != job.seq + 1 || segment.before != job.head)
      world_.violation(fmt::format("job {}: a segment from {} does not follow {}",
                                   segment.job.value, segment.first, job.seq));
    for (std::string_view lines = segment.lines; !lines.empty();) {
      const std::string_view line = lines.substr(0, lines.find('\n'));
      lines.remove_prefix(std::min(line.size() + 1, lines.size()));
      world_.say("{}", line);
      const auto record = core::parse_record(line);
      if (!record) return world_.violation("a durable line cannot be read: " + record.error().what);
      if (record->job != segment.job || record->seq != job.seq + 1 || record->at < job.at ||
          record->cause >= record->seq)
        world_.violation(
            fmt::format("record {}:{} is out of place", record->job.value, record->seq));
      job.head = base::Digest::of(job.head.view(), line);
      job.seq = record->seq;
      job.at = record->at;
      ++lines_;
      take_record(*record);
    }
    if (job.head != segment.head)
      world_.violation(
          fmt::format("job {}: a segment's head is not that of its lines", segment.job.value));
  }
  for (const store::ProcessRow& row : commit.processes) take_row(row);
  for (const store::RequestRow& row : commit.requests) take_row(row);
}

void Ledger::take_record(const core::Record& record) {
  record_ = &record;
  if (process().ended() && record.process != 0 &&
      !std::holds_alternative<core::JobOpened>(record.body) &&
      !std::holds_alternative<core::CapRevoked>(record.body) &&
      !std::holds_alternative<core::MessageDelivered>(record.body))
    broken("its process has ended");
  std::visit([this](const auto& body) { on(body); }, record.body);
}

void Ledger::take_row(const store::ProcessRow& row) {
  const ProcessFact& fact = jobs_[row.pid.job].processes[row.pid.number];
  const bool same = row.state == fact.state || (fact.state == "runnable" && row.state == "waiting");
  if (!same || row.live == fact.ended())
    world_.violation(fmt::format("the list says that {} is {}, its records say {}",
                                 base::to_string(row.pid), row.state, fact.state));
}

void Ledger::take_row(const store::RequestRow& row) {
  const JobFact& fact = jobs_[row.job];
  if (!fact.requests.contains(row.request.value) ||
      row.open == fact.answers.contains(row.request.value))
    world_.violation(
        fmt::format("the list is wrong about request {}", base::to_string(row.job, row.request)));
}

// ---- authority ----

void Ledger::on(const core::JobCreated& body) { job_->trapdoors = body.trapdoors; }

void Ledger::on(const core::JobOpened& body) {
  if (job_->epoch == body.epoch) world_.mark("job lost and back");
  if (body.epoch < job_->epoch) broken("it is opened by an earlier owner");
  job_->epoch = body.epoch;
}

void Ledger::on(const core::CapGranted& body) {
  if (body.cap.id.value != job_->caps.size() + 1) return broken("its id is not the next");
  if (body.cap.uses_left != body.cap.grant.uses) broken("its uses are not those granted");
  job_->caps.push_back(body.cap);
}

void Ledger::on(const core::CapRevoked& body) {
  for (const base::CapId id : body.caps) job_->caps.at(id.value - 1).revoked = true;
}

void Ledger::on(const core::CallIntended& body) {
  const base::Pid pid = record_->pid();
  const std::string key = key_of(pid, body.call, body.n);
  const auto [found, fresh] = job_->intents.try_emplace(
      key, IntentFact{body, record_->seq, record_->at, record_->process, world_.life(), {}});
  if (!fresh) return broken("a second intent under the key " + key);
  for (const core::NeedText& need : body.needs) {
    const Verdict verdict = decide(pid, need, body.digest, record_->at);
    if (!verdict.allowed)
      broken(fmt::format("{} {} is not allowed: {}", base::name_of(need.right),
                         need.resource.text(), verdict.why));
    const bool spends = std::any_of(body.spends.begin(), body.spends.end(), [&](base::CapId id) {
      return std::find(verdict.by.begin(), verdict.by.end(), id) != verdict.by.end();
    });
    if (verdict.must_spend && !spends)
      broken("it takes no use of a capability that has limited uses");
  }
  for (const base::CapId id : body.spends) {
    core::Capability& cap = job_->caps.at(id.value - 1);
    if (!cap.uses_left || *cap.uses_left == 0)
      broken(
          fmt::format("it takes a use of {} that is not there", base::to_string(record_->job, id)));
    else if (--*cap.uses_left == 0)
      world_.mark("uses used up");
  }
  if (body.name.starts_with("fs.") && body.effect == abi::EffectClass::verifiable)
    for (const core::NeedText& need : body.needs) {
      if (need.right != abi::Right::write) continue;
      FileFact& file = files_[need.resource.text().substr(3)];
      file.key = key;
      file.content.reset();
      file.writers.insert(record_->job);
    }
}

void Ledger::on(const core::CallSettled& body) {
  check_error(body.error);
  const auto found = job_->intents.find(key_of(record_->pid(), body.call, body.n));
  if (found == job_->intents.end() || found->second.outcome)
    return broken("it settles no open intent");
  IntentFact& intent = found->second;
  intent.outcome = body.outcome;
  const bool unknown = body.outcome == core::OutcomeKind::unknown;
  if (body.outcome != core::OutcomeKind::done &&
      body.usage != (unknown ? intent.body.reserves : abi::Usage{}))
    broken("it is not charged at its most, when unknown, or not at all, when it did not happen");
  process().model_calls += body.usage.model_calls;
  check_budgets();
  if (intent.life != world_.life()) world_.mark("intent settled in a later life");
  world_.mark(fmt::format("outcome {}", base::name_of(body.outcome)));
  if (body.outcome == core::OutcomeKind::not_started && !intent.body.spends.empty()) {
    world_.mark("use given back");
    for (const base::CapId id : intent.body.spends) {
      core::Capability& cap = job_->caps.at(id.value - 1);
      if (++*cap.uses_left > *cap.grant.uses) broken("more uses come back than were granted");
    }
  }
  if (!process().calls[body.call.value].tool.empty()) return;
  if (body.outcome == core::OutcomeKind::done)
    note_reply(body);
  else
    process().untold = true;
}

void Ledger::must_be_allowed(const std::string& resource, abi::Right right) {
  const auto parsed = abi::Resource::from_text(resource);
  const Verdict verdict = decide(record_->pid(), {*parsed, right}, {}, record_->at);
  // One that has just spent its last use stands in an intent before this record.
  const bool spent = std::any_of(job_->intents.begin(), job_->intents.end(), [&](const auto& one) {
    return !one.second.outcome && one.second.body.effect == abi::EffectClass::internal;
  });
  if (!verdict.allowed && !spent)
    broken(fmt::format("{} {} is not allowed: {}", base::name_of(right), resource, verdict.why));
}

void Ledger::on(const core::ObjectPut& body) {
  must_be_allowed("object:" + body.space + "/" + body.name, abi::Right::write);
}
void Ledger::on(const core::HumanTold& body) {
  must_be_allowed("human:" + body.to, abi::Right::write);
}
void Ledger::on(const core::ProcessMoved& body) {
  must_be_allowed("fs:" + body.cwd.text(), abi::Right::list);
}

// ---- calls ----

void Ledger::note_reply(const core::CallSettled& body) {
  ProcessFact& fact = process();
  if (fact.answered.size() != fact.reply.size())
    broken(fmt::format("a new reply, and {} of {} calls of the last have returned",
                       fact.answered.size(), fact.reply.size()));
  auto reply = base::from_json<abi::ModelGenerate::Reply>(body.reply->text, base::Source::journal);
  if (!reply) return broken("its reply cannot be read");
  fact.reply = std::move(reply->tool_calls);
  fact.called.clear();
  fact.answered.clear();
}

void Ledger::on(const core::CallObserved& body) {
  check_error(body.error);
  // A wait that has taken a use of a limited capability ends with what it came to.
  const auto intent = job_->intents.find(key_of(record_->pid(), body.call, body.n));
  if (intent != job_->intents.end()) {
    if (intent->second.outcome || intent->second.body.effect != abi::EffectClass::internal)
      broken("its syscall has an outcome already, or an intent that is to be settled");
    intent->second.outcome = core::OutcomeKind::done;
  }
  const auto sleep = job_->waiting.find(body.call.value * 1000 + body.n);
  if (sleep == job_->waiting.end()) return;
  if (sleep->second != world_.life() && !body.error) world_.mark("sleep over a crash");
  job_->waiting.erase(sleep);
}

void Ledger::on(const core::CallWaiting& body) {
  if (body.until) job_->waiting[body.call.value * 1000 + body.n] = world_.life();
}

void Ledger::on(const core::TurnStarted& body) {
  if (process().untold) broken("it asks again and has not been told that the last turn failed");
  process().calls[body.call.value] = {"", {}, {}, world_.life(), false};
}

void Ledger::on(const core::TurnFailed& body) {
  check_error(body.error);
  world_.mark("a turn failed");
  process().untold = false;
}

void Ledger::on(const core::ToolCalled& body) {
  ProcessFact& fact = process();
  ++fact.tool_calls;
  check_budgets();
  CallFact call{body.tool, body.request, {}, world_.life(), false};
  if (body.request) {
    const auto asked =
        std::find_if(fact.reply.begin(), fact.reply.end(),
                     [&](const abi::ToolRequest& one) { return one.id == *body.request; });
    if (asked == fact.reply.end() || asked->name != body.tool)
      broken("the model's last reply asked for no such call");
    else if (!fact.called.insert(*body.request).second)
      broken("it is called a second time");
    else if (!asked->arguments.blob)
      call.arguments = asked->arguments.data;
    else if (const auto bytes = (*blob_)(asked->arguments.blob->digest))
      call.arguments = *bytes;
  }
  if (!fact.calls.try_emplace(body.call.value, std::move(call)).second)
    broken("its number has been used");
}

void Ledger::on(const core::ToolReturned& body) {
  ProcessFact& fact = process();
  check_error(body.error);
  ++fact.returned;
  const auto found = fact.calls.find(body.call.value);
  if (found == fact.calls.end() || found->second.tool.empty() || found->second.returned)
    return broken("it ends no open call");
  CallFact& call = found->second;
  call.returned = true;
  if (call.request) fact.answered.insert(*call.request);
  if (call.life != world_.life()) world_.mark("call returned in a later life");
  if (body.error)
    world_.mark(fmt::format("error {}", base::name_of(body.error->code)));
  else
    world_.mark("tool " + body.tool);
  const std::string prefix = key_of(record_->pid(), body.call, 0);
  for (const auto& [key, intent] : job_->intents)
    if (!intent.outcome && key.starts_with(std::string_view(prefix).substr(0, prefix.size() - 1)))
      broken("its intent " + key + " has no outcome");
  const bool edited = body.value && body.value->data.find("\"edited\":") != std::string::npos;
  if (edited) world_.mark("an edited call");
  if (body.ok && !edited) note_write(call, body.call.value);
}

struct WriteArguments {
  std::string path;
  base::Text content;
  ALOS_FIELDS(path, content)
};

void Ledger::note_write(const CallFact& call, std::uint64_t id) {
  if (call.tool != "write_file" || call.arguments.empty()) return;
  const auto arguments = base::from_json<WriteArguments>(call.arguments, base::Source::outside);
  if (!arguments || !arguments->path.starts_with('/')) return;
  const auto file = files_.find(arguments->path);
  if (file != files_.end() && file->second.key == key_of(record_->pid(), base::CallId{id}, 1))
    file->second.content = arguments->content.data;
}

// What no agent may ever read: the runtime contradicts itself.
void Ledger::check_error(const std::optional<base::Error>& error) {
  if (error && (error->code == Code::nondeterministic || error->code == Code::internal ||
                error->code == Code::corrupt))
    broken(fmt::format("{}: {}", base::name_of(error->code), error->what));
}

// ---- requests and processes ----

void Ledger::on(const core::RequestOpened& body) {
  job_->requests[body.request.value] = body;
  job_->askers[body.request.value] = record_->process;
  if (body.kind != core::RequestKind::approval) return;
  // What a person has allowed for the process is not to be asked again while that lasts.
  for (const core::NeedText& need : body.needs)
    for (const core::Capability& cap : job_->caps) {
      const bool live = is_live(job_->caps, cap, record_->at);
      if (live && cap.holder == record_->process &&
          cap.from.find("(request ") != std::string::npos &&
          cap.grant.effect == abi::GrantEffect::allow && !cap.bound_call &&
          cap.grant.rights.has(need.right) && cap.grant.resource.text() == need.resource.text())
        broken(fmt::format("asks for {} {}, which {} allows by a person's word",
                           base::name_of(need.right), need.resource.text(),
                           base::to_string(record_->job, cap.id)));
    }
}

void Ledger::on(const core::RequestAnswered& body) {
  if (!job_->requests.contains(body.request.value)) broken("there is no such request");
  if (!job_->answers.try_emplace(body.request.value, body.answer).second)
    broken("it is answered a second time");
  const std::string scope =
      body.scope.ends_with("uses") ? "uses" : body.scope.substr(0, body.scope.find(' '));
  world_.mark(
      fmt::format("answer {}{}{}", base::name_of(body.answer), scope.empty() ? "" : " ", scope));
}

// ---- messages ----

void Ledger::on(const core::MessageSent& body) {
  if (body.number != ++process().sent) broken("its number is not the next of its sender");
  const std::string from = base::to_string(record_->pid());
  if (body.to.job == record_->job) {
    job_->processes.at(body.to.number).mailbox.emplace(from, body.number);
    world_.mark("a message within a job");
  } else {
    job_->outgoing.emplace(std::pair(record_->process, body.number), body);
  }
}

// Only what has been sent durably may come, once, and in its sender's order.
void Ledger::on(const core::MessageReceived& body) {
  const auto pid = base::parse_pid(body.letter.from);
  if (!pid) return;
  const JobFact* sender = job(pid->job);
  const auto sent = sender == nullptr ? decltype(sender->outgoing.end()){}
                                      : sender->outgoing.find({pid->number, body.letter.number});
  if (sender == nullptr || sent == sender->outgoing.end())
    broken("nobody has sent that message, or it was said to have arrived before");
  else if (sent->second.to != record_->pid() || sent->second.text.data != body.letter.text.data)
    broken("it is not the message that was sent");
  std::uint64_t& last = process().heard[body.letter.from];
  if (body.letter.number <= last) broken("a message comes twice, or out of order");
  last = body.letter.number;
  process().mailbox.emplace(body.letter.from, body.letter.number);
  world_.mark("a message from another job");
}

void Ledger::on(const core::MessageDelivered& body) {
  const auto sent = job_->outgoing.find({body.process, body.number});
  if (sent == job_->outgoing.end()) return broken("no such message is under way");
  const JobFact* target = job(sent->second.to.job);
  const std::string from = base::to_string(base::Pid{record_->job, body.process});
  const bool there =
      target != nullptr && target->processes.contains(sent->second.to.number) && [&] {
        const auto& heard = target->processes.at(sent->second.to.number).heard;
        const auto found = heard.find(from);
        return found != heard.end() && found->second >= body.number;
      }();
  if (!body.error && !there) broken("it is said to have arrived, and has not");
  if (body.error && there) broken("it has arrived, and is said not to have");
  if (body.error) world_.mark("a message that cannot arrive");
  job_->outgoing.erase(sent);
}

void Ledger::on(const core::MessageTaken& body) {
  if (process().mailbox.erase({body.from, body.number}) == 0)
    broken("it takes a message that is not in the mailbox");
  world_.mark("a message taken");
}

void Ledger::on(const core::RequestVoted& body) {
  if (job_->answers.contains(body.request.value)) broken("a vote after the answer");
  if (!job_->votes.emplace(body.request.value, body.by).second) broken("a second vote");
  world_.mark("a vote");
}

void Ledger::on(const core::BudgetSet& body) { process().budget.limit(body.kind) = body.limit; }

void Ledger::check_budgets() {
  for (const auto& [top, fact] : job_->processes) {
    std::uint64_t tools = 0, models = 0;
    for (const auto& [number, one] : job_->processes) {
      std::uint32_t at = number;
      while (at != 0 && at != top) at = job_->processes.at(at).parent;
      if (at != top) continue;
      tools += one.tool_calls;
      models += one.model_calls;
    }
    // A limit may be set below what is spent; then nothing more is.
    const auto [tools_before, models_before] = fact.spent_at;
    job_->processes[top].spent_at = {tools, models};
    if (tools > tools_before && tools > fact.budget.tool_calls.value_or(UINT64_MAX))
      broken("more tool calls than the budget has");
    if (models > models_before && models > fact.budget.model_calls.value_or(UINT64_MAX))
      broken("more model calls than the budget has");
  }
}

void Ledger::on(const core::ProcessSpawned& body) {
  ProcessFact& fact = job_->processes[body.number];
  fact.budget = body.budget;
  fact.name = body.name;
  fact.parent = body.parent;
  if (body.parent != 0) world_.mark("a child");
}

void Ledger::on(const core::ProcessPaused& body) {
  process().state = "paused";
  process().reason = body.reason;
  if (body.reason.empty()) broken("paused without a reason");
  world_.mark("paused by " + body.by);
}

void Ledger::on(const core::ProcessResumed&) {
  process().state = "runnable";
  world_.mark("resumed");
}

void Ledger::on(const core::ProcessExited&) { end("exited", ""); }

void Ledger::on(const core::ProcessFailed& body) {
  check_error(body.error);
  end("failed", body.error.what);
}

void Ledger::on(const core::ProcessKilled& body) { end("killed", body.reason); }

void Ledger::end(std::string state, std::string reason) {
  ProcessFact& fact = process();
  world_.mark("process " + state);
  if (fact.tool_calls != fact.returned)
    broken(fmt::format("it ends with {} calls and {} returns", fact.tool_calls, fact.returned));
  // A process that exits answers what was asked for behind its exit, unless it may make no more
  // calls.
  const bool spent = fact.tool_calls >= fact.budget.tool_calls.value_or(UINT64_MAX);
  if (state == "exited" && !spent && fact.answered.size() != fact.reply.size())
    broken("it exits, and calls of its last reply have not returned");
  for (const auto& [key, intent] : job_->intents)
    if (!intent.outcome && intent.process == record_->process)
      broken("it ends, and intent " + key + " has no outcome");
  for (const auto& [id, request] : job_->requests)
    if (!job_->answers.contains(id) && job_->askers[id] == record_->process)
      broken(fmt::format("it ends, and request {} is open", id));
  fact.state = std::move(state);
  fact.reason = std::move(reason);
}

}  // namespace alos::sim
