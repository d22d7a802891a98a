#include "kernel/budget.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernel/journal.h"
#include "kernel/step.h"

namespace alos::kernel {

using abi::BudgetKind;
using base::Code;
using base::fail;
using base::Result;

namespace {

constexpr std::uint64_t kOutputTokensMax = 16'384;  // of one reply, where tokens are limited
constexpr std::uint64_t kOutputTokensMin = 128;
constexpr std::uint64_t kMicro = 1'000'000;

// More than any tokenizer makes of ordinary text.
std::uint64_t tokens_of(std::uint64_t bytes) { return bytes / 3 + 16; }

__extension__ using Wide = unsigned __int128;  // products of two amounts

std::uint64_t cost(const core::Price& price, std::uint64_t input, std::uint64_t output) {
  const Wide sum = Wide{input} * price.input + Wide{output} * price.output + kMicro - 1;
  return static_cast<std::uint64_t>(std::min<Wide>(sum / kMicro, abi::kAmountMax));
}

abi::OnExhausted policy_of(const core::JobState& state, std::uint32_t pool) {
  const core::Process& process = *state.process(pool);
  return process.budget.on_exhausted.value_or(process.parent == 0 ? abi::OnExhausted::pause
                                                                  : abi::OnExhausted::fail);
}

base::Unexpected exhausted(const core::JobState& state, const core::Shortage& shortage) {
  const std::string pid = base::to_string(base::Pid{state.job, shortage.pool.process});
  return fail(Code::exhausted, used_up(state, shortage),
              fmt::format("`alos budget {} {}=MORE` raises it", pid, base::name_of(shortage.kind)));
}

bool is_enough(const core::JobState& state, std::uint32_t process, const core::BudgetAsk& ask,
               base::Time now) {
  if (ask.kind == BudgetKind::wall) return !core::out_of_time(state, process, now);
  const auto pool = core::pool_of(state, process, ask.kind);
  return !pool || pool->left() >= ask.needed;
}

// What calls that are being made here hold of a pool: it comes back when they end. An intent that
// nobody works on (its process is paused) holds its share too, but is not waited for.
std::uint64_t coming_back(const Job& job, const core::Pool& pool, BudgetKind kind) {
  const auto is_made = [&](const core::Process& process, const core::Frame& frame,
                           const core::Syscall& syscall) {
    const auto run = job.run.find(process.number);
    const bool runs = run != job.run.end() &&
                      (run->second == RunState::running || run->second == RunState::running_again);
    return runs || job.in_flight.contains({process.number, frame.call, syscall.n});
  };
  std::uint64_t sum = 0;
  for (const core::Process& process : job.state.processes)
    for (const core::Frame& frame : process.frames)
      for (const core::Syscall& syscall : frame.syscalls) {
        if (syscall.stage != core::Stage::intended || !is_made(process, frame, syscall)) continue;
        const auto its = core::pool_of(job.state, process.number, kind);
        if (its && its->process == pool.process)
          sum += core::amounts_of(syscall.reserves)[static_cast<std::size_t>(kind)];
      }
  return sum;
}

// Who waits for a process of the pool would wait for ever if that alone were paused: its owner is
// held as well, and a person sees it.
Result<void> pause_pool(const Services& services, const JobPtr& job, const Lock& lock,
                        std::uint32_t process, const core::Shortage& shortage) {
  const core::Process& pool = *job->state.process(shortage.pool.process);
  if (pool.number == process || pool.state != abi::ProcessState::runnable) return {};
  TRY(append(services, job, lock, pool.number, pool.last_seq,
             core::ProcessPaused{"budget", used_up(job->state, shortage)}));
  return {};
}

// Once for a process; it is stepped again when somebody has answered.
Result<void> ask_for_more(const Services& services, const JobPtr& job, const Lock& lock,
                          std::uint32_t process, const core::Shortage& shortage) {
  job->starved.insert(process);
  if (job->state.process(process)->asks) return {};
  core::RequestOpened request;
  request.request = base::RequestId{job->state.requests.size() + 1};
  request.kind = core::RequestKind::budget;
  request.to = job->state.owner;
  request.question = used_up(job->state, shortage);
  request.budget = core::BudgetAsk{shortage.kind, shortage.pool.process, shortage.needed};
  TRY(append(services, job, lock, process, job->state.process(process)->last_seq,
             std::move(request)));
  return {};
}

}  // namespace

std::string used_up(const core::JobState& state, const core::Shortage& shortage) {
  const core::Pool& pool = shortage.pool;
  std::string text = fmt::format(
      "budget {} of {} is used up: {} of {}", base::name_of(shortage.kind),
      base::to_string(base::Pid{state.job, pool.process}),
      abi::amount_text(shortage.kind, pool.committed), abi::amount_text(shortage.kind, pool.limit));
  if (shortage.needed > 1 && pool.left() > 0)
    text += fmt::format(", and this needs {}", abi::amount_text(shortage.kind, shortage.needed));
  return text;
}

Result<void> has_left(const core::JobState& state, std::uint32_t process, base::Time now,
                      const abi::Usage& needed) {
  auto shortage = core::shortage(state, process, core::amounts_of(needed));
  if (!shortage) shortage = core::out_of_time(state, process, now);
  if (shortage) return exhausted(state, *shortage);
  return {};
}

Result<void> afford(const Services& services, const JobPtr& job, const Lock& lock,
                    std::uint32_t process, const abi::Usage& needed) {
  CHECK(lock.owns_lock());
  if (needed == abi::Usage{}) return {};
  TRY(answer_enough(services, job, lock, process, kEnoughAgain));
  auto shortage = core::shortage(job->state, process, core::amounts_of(needed));
  if (!shortage) shortage = core::out_of_time(job->state, process, services.hands.clock.now());
  if (!shortage) return {};
  const core::Pool& pool = shortage->pool;
  if (shortage->kind != BudgetKind::wall &&
      pool.left() + coming_back(*job, pool, shortage->kind) >= shortage->needed) {
    job->starved.insert(process);
    return fail(Code::parked, "waits for calls under way: they hold what is left of the budget");
  }
  const abi::OnExhausted policy = policy_of(job->state, pool.process);
  if (policy == abi::OnExhausted::pause) {
    TRY(pause_pool(services, job, lock, process, *shortage));
    return exhausted(job->state, *shortage);
  }
  if (policy == abi::OnExhausted::fail) {
    const base::Error error{Code::exhausted, used_up(job->state, *shortage), ""};
    TRY(end_process(services, job, lock, process, job->state.process(process)->last_seq,
                    "its budget is used up", core::ProcessFailed{error}));
    return fail(Code::cancelled, error.what);
  }
  TRY(ask_for_more(services, job, lock, process, *shortage));
  return fail(Code::parked, "asks for more: " + used_up(job->state, *shortage));
}

Result<void> answer_enough(const Services& services, const JobPtr& job, const Lock& lock,
                           std::uint32_t process, std::string_view by) {
  const std::optional<base::RequestId> asks = job->state.process(process)->asks;
  if (!asks) return {};
  const core::Request& request = *job->state.request(*asks);
  if (!is_enough(job->state, process, *request.opened.budget, services.hands.clock.now()))
    return {};
  const bool person = by != kEnoughAgain;
  TRY(append(
      services, job, lock, process, job->state.seq,
      core::RequestAnswered{*asks,
                            person ? core::AnswerKind::approved : core::AnswerKind::cancelled,
                            std::string(by),
                            "",
                            person ? "" : "there is enough again",
                            {}}));
  services.wakes.wake_locked(job, lock, process);
  return {};
}

Result<void> check_limit(const core::JobState& state, std::uint32_t process, BudgetKind kind,
                         std::optional<std::uint64_t> limit) {
  const core::Process& one = *state.process(process);
  if (kind == BudgetKind::wall || one.parent == 0) return {};
  const auto i = static_cast<std::size_t>(kind);
  const std::uint64_t before = core::claim_of(one)[i];
  const std::uint64_t after = std::max(one.committed[i], limit.value_or(0));
  const auto pool = core::pool_of(state, one.parent, kind);
  if (!pool || after <= before || after - before <= pool->left()) return {};
  return fail(
      Code::exhausted, used_up(state, {kind, *pool, after - before}),
      fmt::format("`alos budget {} {}=MORE` first",
                  base::to_string(base::Pid{state.job, pool->process}), base::name_of(kind)));
}

Result<void> check_price(const core::Process& process) {
  const bool priced = process.price.input + process.price.output != 0;
  if (priced || process.model.starts_with("script:")) return {};
  return fail(
      Code::invalid,
      fmt::format("a budget in usd cannot be kept: the price of {} is not known", process.model),
      "limit model_tokens instead, or say `prices:` in the manifest");
}

Result<void> check_carve(const core::JobState& state, std::uint32_t parent,
                         const abi::Budget& budget) {
  core::Amounts needed{};
  for (std::size_t i = 0; i < needed.size(); ++i)
    needed[i] = budget.limit(static_cast<BudgetKind>(i)).value_or(0);
  for (const std::uint64_t amount : needed)
    if (amount > abi::kAmountMax) return fail(Code::invalid, "a share of the budget is too large");
  if (budget.on_exhausted == abi::OnExhausted::pause)
    return fail(Code::invalid, "a process that you start is not paused for a person to look at",
                "on_exhausted=fail (you are told) or ask");
  if (budget.usd_micro) TRY(check_price(*state.process(parent)));
  std::uint64_t& processes = needed[static_cast<std::size_t>(BudgetKind::processes)];
  processes = std::max<std::uint64_t>(processes, 1);
  const auto shortage = core::shortage(state, parent, needed);
  if (!shortage) return {};
  return fail(Code::exhausted, used_up(state, *shortage),
              "start it with less, wait for a process to end, or work without another");
}

abi::Usage reservation(const core::JobState& state, std::uint32_t process,
                       const abi::ModelGenerate& call) {
  abi::Usage usage;
  usage.model_calls = 1;
  usage.input_tokens = tokens_of(call.conversation ? call.conversation->bytes() : 0);
  const core::Price& price = state.process(process)->price;
  std::uint64_t room = kOutputTokensMax;
  bool limited = false;
  const auto narrow = [&](BudgetKind kind, auto&& tokens) {
    const auto pool = core::pool_of(state, process, kind);
    if (!pool) return;
    limited = true;
    room = std::min(room, tokens(pool->left()));
  };
  narrow(BudgetKind::output_tokens, [](std::uint64_t left) { return left; });
  narrow(BudgetKind::model_tokens,
         [&](std::uint64_t left) { return left - std::min(left, usage.input_tokens); });
  if (price.output != 0)
    narrow(BudgetKind::usd, [&](std::uint64_t left) {
      const std::uint64_t input = cost(price, usage.input_tokens, 0);
      const Wide tokens = Wide{left - std::min(left, input)} * kMicro / price.output;
      return static_cast<std::uint64_t>(std::min<Wide>(tokens, kOutputTokensMax));
    });
  // A reply of a few words is not worth its price: with less there is a shortage, told as one.
  if (limited) usage.output_tokens = std::max(room, kOutputTokensMin);
  usage.usd_micro = cost(price, usage.input_tokens, usage.output_tokens);
  return usage;
}

abi::Usage reservation(const core::JobState& state, std::uint32_t process,
                       const abi::MemAppend& call) {
  abi::Usage usage;
  usage.object_bytes = call.item.size_bytes();
  const auto space =
      state.objects.find(call.space.value_or(base::to_string(base::Pid{state.job, process})));
  if (space == state.objects.end()) return usage;
  const auto object = space->second.find(call.name);
  if (object != space->second.end()) usage.object_bytes += object->second.value.size_bytes() + 1;
  return usage;
}

abi::Usage usage_of(const core::Process& process, const abi::ModelGenerate::Reply& reply,
                    const abi::Usage& reserved) {
  abi::Usage usage = reserved;
  usage.model_calls = 1;
  if (reply.unmetered) return usage;
  usage.input_tokens = reply.input_tokens;
  usage.output_tokens = reply.output_tokens;
  usage.usd_micro = cost(process.price, reply.input_tokens, reply.output_tokens);
  return usage;
}

}  // namespace alos::kernel
