#include "core/apply.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "core/budget.h"

namespace alos::core {
namespace {

using base::Code;
using base::fail;
using base::Result;

// What a record means: one function a kind. They change the state only when the whole record fits.
class Applier {
 public:
  Applier(JobState& state, const Record& record) : state_(state), record_(record) {}

  Result<void> operator()(const JobCreated& body) {
    if (record_.seq != 1) return misfit("a job is created by its first record");
    state_.job = record_.job;
    state_.owner = body.owner;
    state_.roots = body.roots;
    state_.trapdoors = body.trapdoors;
    state_.people = body.people;
    return {};
  }

  Result<void> operator()(const JobOpened& body) {
    state_.epoch = body.epoch;
    return {};
  }

  Result<void> operator()(const ProcessSpawned& body) {
    if (body.number != state_.processes.size() + 1) return misfit("its number is not the next");
    if (body.parent >= body.number) return misfit("its parent does not exist");
    Process process;
    process.number = body.number;
    process.parent = body.parent;
    process.name = body.name;
    process.image = body.image;
    process.model = body.model;
    process.prompt = body.prompt;
    process.goal = body.goal;
    process.tools = body.tools;
    process.cwd = body.cwd;
    process.budget = body.budget;
    process.price = body.price;
    process.started = record_.at;
    process.state = abi::ProcessState::runnable;
    if (body.goal.size_bytes() != 0)
      process.transcript.append({abi::Role::user, body.goal, {}, {}});
    state_.processes.push_back(std::move(process));
    const std::uint32_t parent = body.parent;
    if (Process* above = state_.process(parent)) above->children.push_back(body.number);
    Process& added = state_.processes.back();
    ++added.committed[static_cast<std::size_t>(abi::BudgetKind::processes)];
    if (parent != 0) charge_above(state_, added.number, {}, claim_of(added));
    return {};
  }

  Result<void> operator()(const ProcessMoved& body) {
    Process& process = *TRY(live());
    process.cwd = body.cwd;
    return {};
  }

  Result<void> operator()(const ProcessPaused& body) {
    Process& process = *TRY(live());
    process.state = abi::ProcessState::paused;
    process.reason = body.reason;
    return {};
  }

  Result<void> operator()(const ProcessResumed&) {
    Process& process = *TRY(live());
    process.state = abi::ProcessState::runnable;
    process.reason.clear();
    return {};
  }

  Result<void> operator()(const ProcessExiting& body) {
    Process& process = *TRY(live());
    process.exiting = true;
    process.result = body.result;
    return {};
  }

  Result<void> operator()(const ProcessExited& body) {
    Process& process = *TRY(live());
    process.result = body.result;
    return end(process, abi::ProcessState::exited);
  }

  Result<void> operator()(const ProcessFailed& body) {
    Process& process = *TRY(live());
    process.error = body.error;
    process.reason = body.error.what;
    return end(process, abi::ProcessState::failed);
  }

  Result<void> operator()(const ProcessKilled& body) {
    Process& process = *TRY(live());
    process.reason = body.reason;
    return end(process, abi::ProcessState::killed);
  }

  Result<void> operator()(const CapGranted& body) {
    if (body.cap.id.value != state_.caps.size() + 1) return misfit("its id is not the next");
    if (body.cap.holder > state_.processes.size()) return misfit("its holder does not exist");
    if (body.cap.parent && state_.cap(*body.cap.parent) == nullptr)
      return misfit("it is derived from what does not exist");
    state_.caps.push_back(body.cap);
    state_.index.add(body.cap);
    ++state_.authority_version;
    return {};
  }

  Result<void> operator()(const CapRevoked& body) {
    for (const base::CapId id : body.caps)
      if (state_.cap(id) == nullptr) return misfit("it revokes what does not exist");
    // The newest first: they are the first to be found.
    for (auto id = body.caps.rbegin(); id != body.caps.rend(); ++id) {
      Capability& cap = state_.caps[id->value - 1];
      if (!cap.revoked) state_.index.remove(cap);
      cap.revoked = true;
    }
    ++state_.authority_version;
    return {};
  }

  Result<void> operator()(const AuthorityDecided&) { return {}; }

  Result<void> operator()(const TurnStarted& body) {
    Process& process = *TRY(live());
    if (process.turn_frame() != nullptr) return misfit("a turn is open already");
    return open_frame(process,
                      {body.call, FrameKind::turn, "", "", process.cwd, record_.seq, {}, {}});
  }

  Result<void> operator()(const TurnFailed& body) {
    Process& process = *TRY(live());
    const Frame* frame = process.frame(body.call);
    if (frame == nullptr || frame->kind != FrameKind::turn) return misfit("no such turn is open");
    close_frame(process, body.call);
    return {};
  }

  Result<void> operator()(const ToolCalled& body) {
    Process& process = *TRY(live());
    const FrameKind kind = body.request ? FrameKind::tool : FrameKind::outside;
    TRY(open_frame(process, {body.call,
                             kind,
                             body.tool,
                             body.request.value_or(""),
                             process.cwd,
                             record_.seq,
                             {},
                             body.arguments}));
    ++process.usage.tool_calls;
    Usage one;
    one.tool_calls = 1;
    charge(state_, process.number, amounts_of(one), {});
    return {};
  }

  Result<void> operator()(const ToolReturned& body) {
    Process& process = *TRY(live());
    const Frame* frame = process.frame(body.call);
    if (frame == nullptr || frame->kind == FrameKind::turn) return misfit("no such call is open");
    if (frame->kind == FrameKind::tool) {
      abi::Message message{abi::Role::tool, {}, {}, frame->request};
      static_cast<base::Payload&>(message.text) =
          body.value ? base::Payload(*body.value) : base::Payload{error_text(body.error), {}};
      process.transcript.append(std::move(message));
      process.answered.push_back(frame->request);
    }
    close_frame(process, body.call);
    return {};
  }

  Result<void> operator()(const CallIntended& body) {
    Frame& frame = *TRY(open(body.call));
    const Syscall* edited = frame.find(body.n);
    if (edited != nullptr && edited->stage != Stage::edited)
      return misfit("that syscall has been seen before");
    for (const base::CapId id : body.spends) {
      const Capability* cap = state_.cap(id);
      const auto wanted =
          static_cast<std::uint64_t>(std::count(body.spends.begin(), body.spends.end(), id));
      if (cap == nullptr || !cap->uses_left || *cap->uses_left < wanted)
        return misfit("it spends a use that is not there");
    }
    for (const base::CapId id : body.spends) --*state_.caps[id.value - 1].uses_left;
    if (!body.spends.empty()) ++state_.authority_version;
    Syscall& syscall = begin(frame, body.n, body.name, body.digest);
    syscall.stage = Stage::intended;
    syscall.seq = record_.seq;
    syscall.effect = body.effect;
    syscall.matched = body.matched;
    syscall.spends = body.spends;
    syscall.needs = body.needs;
    syscall.existed = body.existed;
    syscall.preimage = body.preimage;
    syscall.reserves = body.reserves;
    const Amounts reserved = amounts_of(body.reserves);
    charge(state_, record_.process, reserved, reserved);
    return {};
  }

  Result<void> operator()(const CallSettled& body) {
    Process& process = *TRY(live());
    Frame& frame = *TRY(open(body.call));
    Syscall* syscall = frame.find(body.n);
    if (syscall == nullptr || syscall->stage != Stage::intended)
      return misfit("no such intent is open");
    std::optional<abi::ModelGenerate::Reply> said;
    if (frame.kind == FrameKind::turn && body.outcome == OutcomeKind::done)
      said = TRY(model_reply(body));
    if (body.outcome == OutcomeKind::not_started && !syscall->spends.empty()) {
      for (const base::CapId id : syscall->spends) ++*state_.caps[id.value - 1].uses_left;
      ++state_.authority_version;
    }
    syscall->stage = Stage::settled;
    syscall->seq = record_.seq;
    syscall->outcome = body.outcome;
    syscall->reply = body.reply;
    syscall->error = body.error;
    add_usage(process.usage, body.usage);
    settle_charge(amounts_of(syscall->reserves), amounts_of(body.usage));
    syscall->reserves = {};
    if (said) end_turn(process, body.call, std::move(*said));
    return {};
  }

  Result<void> operator()(const CallObserved& body) {
    Frame& frame = *TRY(open(body.call));
    const Syscall* before = frame.find(body.n);
    if (before != nullptr && before->stage != Stage::waiting && before->stage != Stage::edited)
      return misfit("that syscall has an outcome already");
    Syscall& syscall = begin(frame, body.n, body.name, body.digest);
    syscall.stage = Stage::settled;
    syscall.seq = record_.seq;
    syscall.reply = body.reply;
    syscall.error = body.error;
    return {};
  }

  Result<void> operator()(const CallWaiting& body) {
    Frame& frame = *TRY(open(body.call));
    // An intent stands already where the wait takes a use of a limited capability; an edited call
    // may have to ask again.
    const Syscall* before = frame.find(body.n);
    const bool fits = before == nullptr || before->stage == Stage::edited ||
                      (before->stage == Stage::intended &&
                       (before->digest == body.digest || before->replacement));
    if (!fits) return misfit("that syscall has been seen before");
    if (body.child && state_.process(*body.child) == nullptr)
      return misfit("it waits for a process that does not exist");
    for (const std::uint32_t one : body.any)
      if (state_.process(one) == nullptr)
        return misfit("it waits for a process that does not exist");
    if (body.request) {
      Request* request = find_request(*body.request);
      if (request == nullptr || request->answered)
        return misfit("it waits for a request that is not open");
      request->call = body.call;
      request->n = body.n;
    }
    Syscall& syscall = begin(frame, body.n, body.name, body.digest);
    syscall.stage = Stage::waiting;
    syscall.seq = record_.seq;
    syscall.until = body.until;
    syscall.request = body.request;
    syscall.child = body.child;
    syscall.letter = body.letter;
    syscall.any = body.any;
    return {};
  }

  Result<void> operator()(const RequestVoted& body) {
    Request* request = find_request(body.request);
    if (request == nullptr || request->answered) return misfit("no such request is open");
    for (const RequestVoted& vote : request->votes)
      if (vote.by == body.by) return misfit("that person has voted");
    request->votes.push_back(body);
    return {};
  }

  Result<void> operator()(const RequestOpened& body) {
    (void)TRY(live());
    if (body.request.value != state_.requests.size() + 1) return misfit("its id is not the next");
    Request request;
    request.opened = body;
    request.process = record_.process;
    request.at = record_.at;
    request.seq = record_.seq;
    state_.requests.push_back(std::move(request));
    if (body.budget) TRY(live())->asks = body.request;
    return {};
  }

  // An approval, or a question that is void, lets the call that waits for it decide again; an
  // answer to a question comes with the call.observed that carries it.
  Result<void> operator()(const RequestAnswered& body) {
    Request* request = find_request(body.request);
    if (request == nullptr || request->answered) return misfit("no such request is open");
    request->answered = body;
    Process* process = state_.process(request->process);
    if (process != nullptr && process->asks == body.request) process->asks.reset();
    Frame* frame = process == nullptr ? nullptr : process->frame(request->call);
    if (frame == nullptr || request->opened.kind == RequestKind::question ||
        request->opened.kind == RequestKind::grant || request->opened.kind == RequestKind::budget ||
        (body.answer != AnswerKind::approved && body.answer != AnswerKind::cancelled))
      return {};
    Syscall* waiting = frame->find(request->n);
    if (waiting == nullptr || waiting->stage != Stage::waiting) return {};
    if (body.edited) {
      waiting->replacement = body.edited;
      waiting->edited_by = body.by;
    }
    if (waiting->replacement)
      waiting->stage = Stage::edited;
    else
      std::erase_if(frame->syscalls, [&](const Syscall& one) { return one.n == request->n; });
    return {};
  }

  Result<void> operator()(const ObjectPut& body) {
    const auto space = state_.objects.find(body.space);
    const bool known = space != state_.objects.end() && space->second.contains(body.name);
    if (body.version != (known ? space->second.at(body.name).version : 0) + 1)
      return misfit("its version is not the next");
    state_.objects[body.space][body.name] = {body.type, body.version, body.value};
    if (Process* process = state_.process(record_.process)) {
      Usage usage;
      usage.object_bytes = body.value.size_bytes();
      add_usage(process->usage, usage);
      charge(state_, process->number, amounts_of(usage), {});
    }
    return {};
  }

  Result<void> operator()(const MessageSent& body) {
    Process& process = *TRY(live());
    if (body.number != process.sent + 1) return misfit("its number is not the next");
    Process* to = body.to.job == state_.job ? state_.process(body.to.number) : nullptr;
    if (body.to.job == state_.job && (to == nullptr || !to->live()))
      return misfit("it goes to a process that does not live");
    ++process.sent;
    if (to != nullptr)
      to->mailbox.push_back(
          {base::to_string(record_.pid()), body.number, body.kind, body.text, body.re});
    else
      state_.outbox.push_back(
          {record_.process, body.number, body.to, body.kind, body.text, body.re, record_.seq});
    return {};
  }

  Result<void> operator()(const MessageReceived& body) {
    Process& process = *TRY(live());
    std::uint64_t& last = process.heard[body.letter.from];
    if (body.letter.number <= last) return misfit("it has come before");
    last = body.letter.number;
    process.mailbox.push_back(body.letter);
    return {};
  }

  Result<void> operator()(const MessageDelivered& body) {
    const auto found =
        std::find_if(state_.outbox.begin(), state_.outbox.end(), [&](const Outgoing& one) {
          return one.process == body.process && one.number == body.number;
        });
    if (found == state_.outbox.end()) return misfit("no such message is under way");
    state_.outbox.erase(found);
    return {};
  }

  Result<void> operator()(const MessageTaken& body) {
    Process& process = *TRY(live());
    const auto found = std::find_if(
        process.mailbox.begin(), process.mailbox.end(),
        [&](const abi::Letter& one) { return one.from == body.from && one.number == body.number; });
    if (found == process.mailbox.end()) return misfit("it is not in the mailbox");
    process.mailbox.erase(found);
    return {};
  }

  Result<void> operator()(const BudgetWarned& body) {
    Process* process = state_.process(record_.process);
    if (process == nullptr) return misfit("its process does not exist");
    process->warned.push_back(body.kind);
    std::erase(state_.to_warn, std::pair(record_.process, body.kind));
    return {};
  }

  Result<void> operator()(const BudgetSet& body) {
    Process& process = *TRY(live());
    change_claim(state_, process.number,
                 [&](Process& one) { one.budget.limit(body.kind) = body.limit; });
    std::erase(process.warned, body.kind);
    return {};
  }

  Result<void> operator()(const HumanTold&) { return {}; }

 private:
  base::Unexpected misfit(std::string_view why) const {
    return fail(Code::corrupt,
                fmt::format("record {}:{} ({}) does not fit: {}", record_.job.value, record_.seq,
                            kind_of(record_), why),
                "`alos store check` says what is damaged");
  }

  Result<Process*> live() const {
    Process* process = state_.process(record_.process);
    if (process == nullptr || !process->live())
      return misfit("its process does not exist or has ended");
    return process;
  }

  Result<Frame*> open(base::CallId call) const {
    Frame* frame = TRY(live())->frame(call);
    if (frame == nullptr) return misfit("no such call is open");
    return frame;
  }

  // The syscall `n`, emptied for a new stage. A call that a person has edited keeps the digest that
  // its tool knows it by, and what it was made into.
  static Syscall& begin(Frame& frame, std::uint32_t n, std::string_view name,
                        const base::Digest& digest) {
    Syscall fresh;
    fresh.n = n;
    fresh.name = name;
    fresh.digest = digest;
    Syscall* before = frame.find(n);
    if (before == nullptr) return frame.syscalls.emplace_back(std::move(fresh));
    if (before->replacement) {
      fresh.digest = before->digest;
      fresh.replacement = std::move(before->replacement);
      fresh.edited_by = std::move(before->edited_by);
    }
    return *before = std::move(fresh);
  }

  Request* find_request(base::RequestId id) const {
    return id.value == 0 || id.value > state_.requests.size() ? nullptr
                                                              : &state_.requests[id.value - 1];
  }

  Result<void> open_frame(Process& process, Frame frame) const {
    if (frame.call.value != process.next_call) return misfit("its call number is not the next");
    ++process.next_call;
    process.frames.push_back(std::move(frame));
    return {};
  }

  static void close_frame(Process& process, base::CallId call) {
    std::erase_if(process.frames, [&](const Frame& frame) { return frame.call == call; });
  }

  Result<void> end(Process& process, abi::ProcessState state) {
    for (const Frame& frame : process.frames)
      for (const Syscall& syscall : frame.syscalls)
        if (syscall.stage == Stage::intended) settle_charge(amounts_of(syscall.reserves), {});
    change_claim(state_, process.number, [&](Process& one) {
      one.state = state;
      --one.committed[static_cast<std::size_t>(abi::BudgetKind::processes)];
    });
    process.frames.clear();
    process.mailbox.clear();
    return {};
  }

  // What was reserved is given back, and what was used is charged.
  void settle_charge(const Amounts& reserved, const Amounts& used) {
    Amounts more{}, less{};
    for (std::size_t i = 0; i < used.size(); ++i)
      more[i] = used[i] - reserved[i], less[i] = 0 - reserved[i];
    charge(state_, record_.process, more, less);
  }

  // Short enough to stay in the state: nobody has put these bytes into the store.
  static std::string error_text(const std::optional<base::Error>& error) {
    return base::shortened(
        fmt::format("{{\"error\":{}}}", base::to_json(error.value_or(base::Error{}))),
        base::kInlineBytesMax);
  }

  static void add_usage(Usage& total, const Usage& more) {
    total.input_tokens += more.input_tokens;
    total.output_tokens += more.output_tokens;
    total.model_calls += more.model_calls;
    total.tool_calls += more.tool_calls;
    total.usd_micro += more.usd_micro;
    total.written_bytes += more.written_bytes;
    total.object_bytes += more.object_bytes;
    total.cpu_ms += more.cpu_ms;
    total.egress_bytes += more.egress_bytes;
  }

  Result<abi::ModelGenerate::Reply> model_reply(const CallSettled& body) const {
    if (!body.reply) return misfit("it has no reply");
    auto reply =
        base::from_json<abi::ModelGenerate::Reply>(body.reply->text, base::Source::journal);
    if (!reply) return misfit(reply.error().what);
    return reply;
  }

  // The model's reply joins the transcript and opens its tool calls. (Without a reply the turn
  // stays open until the program has heard why: turn.failed.)
  static void end_turn(Process& process, base::CallId call, abi::ModelGenerate::Reply reply) {
    process.transcript.append(
        {abi::Role::assistant, std::move(reply.text), std::move(reply.tool_calls), {}});
    process.answered.clear();
    ++process.turns;
    close_frame(process, call);
  }

  JobState& state_;
  const Record& record_;
};

}  // namespace

Result<void> apply(JobState& state, const Record& record, const base::Digest& head) {
  if (record.seq != state.seq + 1 || (state.seq != 0 && record.job != state.job))
    return fail(Code::corrupt, fmt::format("record {}:{} does not follow {}:{}", record.job.value,
                                           record.seq, state.job.value, state.seq));
  if (state.seq == 0 && !std::holds_alternative<JobCreated>(record.body))
    return fail(Code::corrupt,
                fmt::format("the journal of job {} begins with {}, not with job.created",
                            record.job.value, kind_of(record)));
  TRY(std::visit(Applier(state, record), record.body));
  state.seq = record.seq;
  state.head = head;
  state.at = record.at;
  if (Process* process = state.process(record.process)) process->last_seq = record.seq;
  return {};
}

std::string encode_state(const JobState& state) { return base::to_json(state); }

Result<JobState> decode_state(std::string_view text) {
  auto state = base::from_json<JobState>(text, base::Source::journal);
  if (!state)
    return fail(Code::corrupt, "a snapshot cannot be read: " + state.error().what,
                "`alos store rebuild` makes it anew from the journal");
  state->reindex();
  recount(*state);
  return state;
}

Result<void> fold(JobState& state, std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    if (end == std::string_view::npos)
      return fail(Code::corrupt, fmt::format("journal of job {} is cut off after record {}",
                                             state.job.value, state.seq));
    const std::string_view line = lines.substr(0, end);
    TRY(apply(state, TRY(parse_record(line)), chain(state.head, line)));
    lines.remove_prefix(end + 1);
  }
  return {};
}

}  // namespace alos::core
