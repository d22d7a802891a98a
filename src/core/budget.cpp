#include "core/budget.h"

namespace alos::core {

using abi::BudgetKind;

namespace {

constexpr std::size_t index_of(BudgetKind kind) { return static_cast<std::size_t>(kind); }

// The first time that four fifths of a limit are used, somebody is to be told.
void note_threshold(JobState& state, const Process& process, std::size_t i) {
  const auto kind = static_cast<BudgetKind>(i);
  const std::optional<std::uint64_t>& limit = process.budget.limit(kind);
  if (!limit || *limit == 0 || kind == BudgetKind::processes || !process.live()) return;
  const std::uint64_t used =
      process.committed[i] - std::min(process.committed[i], process.reserved[i]);
  if (used < *limit - *limit / 5) return;
  if (std::find(process.warned.begin(), process.warned.end(), kind) == process.warned.end())
    state.to_warn.emplace_back(process.number, kind);
}

}  // namespace

Amounts amounts_of(const Usage& usage) {
  Amounts out{};
  out[index_of(BudgetKind::model_tokens)] = usage.input_tokens + usage.output_tokens;
  out[index_of(BudgetKind::input_tokens)] = usage.input_tokens;
  out[index_of(BudgetKind::output_tokens)] = usage.output_tokens;
  out[index_of(BudgetKind::model_calls)] = usage.model_calls;
  out[index_of(BudgetKind::tool_calls)] = usage.tool_calls;
  out[index_of(BudgetKind::usd)] = usage.usd_micro;
  out[index_of(BudgetKind::written_bytes)] = usage.written_bytes;
  out[index_of(BudgetKind::object_bytes)] = usage.object_bytes;
  out[index_of(BudgetKind::cpu)] = usage.cpu_ms;
  out[index_of(BudgetKind::egress_bytes)] = usage.egress_bytes;
  return out;
}

std::optional<Pool> pool_of(const JobState& state, std::uint32_t process, BudgetKind kind) {
  const std::size_t i = index_of(kind);
  for (const Process* one = state.process(process); one != nullptr;
       one = state.process(one->parent))
    if (const auto& limit = one->budget.limit(kind))
      return Pool{one->number, *limit, one->committed[i], one->reserved[i]};
  return std::nullopt;
}

std::optional<Shortage> shortage(const JobState& state, std::uint32_t process,
                                 const Amounts& needed) {
  for (std::size_t i = 0; i < needed.size(); ++i) {
    if (needed[i] == 0) continue;
    const auto kind = static_cast<BudgetKind>(i);
    const auto pool = pool_of(state, process, kind);
    if (pool && pool->left() < needed[i]) return Shortage{kind, *pool, needed[i]};
  }
  return std::nullopt;
}

std::optional<Shortage> out_of_time(const JobState& state, std::uint32_t process, base::Time now) {
  for (const Process* one = state.process(process); one != nullptr;
       one = state.process(one->parent)) {
    if (!one->budget.wall_ms) continue;
    const auto wall =
        static_cast<std::uint64_t>(std::max<std::int64_t>((now - one->started).count() / 1000, 0));
    if (wall >= *one->budget.wall_ms)
      return Shortage{BudgetKind::wall, {one->number, *one->budget.wall_ms, wall, 0}, 1};
  }
  return std::nullopt;
}

Amounts claim_of(const Process& process) {
  Amounts claim = process.committed;
  if (process.live())
    for (std::size_t i = 0; i < claim.size(); ++i)
      if (const auto& limit = process.budget.limit(static_cast<BudgetKind>(i)))
        claim[i] = std::max(claim[i], *limit);
  return claim;
}

void charge(JobState& state, std::uint32_t process, const Amounts& committed,
            const Amounts& reserved) {
  if (committed == Amounts{} && reserved == Amounts{}) return;
  for (Process* one = state.process(process); one != nullptr; one = state.process(one->parent))
    for (std::size_t i = 0; i < reserved.size(); ++i) one->reserved[i] += reserved[i];
  Process& own = *state.process(process);
  const Amounts before = own.parent == 0 ? Amounts{} : claim_of(own);
  for (std::size_t i = 0; i < committed.size(); ++i) {
    own.committed[i] += committed[i];
    if (committed[i] != 0) note_threshold(state, own, i);
  }
  if (own.parent != 0) charge_above(state, process, before, claim_of(own));
}

void charge_above(JobState& state, std::uint32_t process, const Amounts& before,
                  const Amounts& after) {
  Process* parent = state.process(state.process(process)->parent);
  if (parent == nullptr || before == after) return;
  const Amounts own = claim_of(*parent);
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (after[i] == before[i]) continue;
    parent->committed[i] += after[i] - before[i];
    note_threshold(state, *parent, i);
  }
  charge_above(state, parent->number, own, claim_of(*parent));
}

void recount(JobState& state) {
  const auto add = [](Amounts& to, const Amounts& more) {
    for (std::size_t i = 0; i < more.size(); ++i) to[i] += more[i];
  };
  for (Process& one : state.processes) one.committed = one.reserved = {};
  for (std::size_t number = state.processes.size(); number > 0; --number) {
    Process& one = state.processes[number - 1];
    add(one.committed, amounts_of(one.usage));
    for (const Frame& frame : one.frames)
      for (const Syscall& syscall : frame.syscalls)
        if (syscall.stage == Stage::intended) {
          add(one.committed, amounts_of(syscall.reserves));
          add(one.reserved, amounts_of(syscall.reserves));
        }
    if (one.live()) ++one.committed[index_of(BudgetKind::processes)];
    if (Process* parent = state.process(one.parent)) {
      add(parent->committed, claim_of(one));
      add(parent->reserved, one.reserved);
    }
  }
  state.to_warn.clear();
}

}  // namespace alos::core
