#include "kernel/project.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "core/budget.h"
#include "kernel/answers.h"

namespace alos::kernel {
namespace {

constexpr std::size_t kGoalShownBytesMax = 200;

std::string shown(const base::Text& text, std::size_t bytes_max) {
  return text.blob ? fmt::format("({} bytes)", text.blob->bytes)
                   : base::shortened(text.data, bytes_max);
}

// What a process waits for; empty when it can go on.
std::string waiting_on(const core::JobState& state, const core::Process& process) {
  if (process.asks) return "request " + base::to_string(state.job, *process.asks);
  for (const core::Frame& frame : process.frames) {
    const core::Syscall* pending = frame.pending();
    if (pending == nullptr) continue;
    if (pending->stage == core::Stage::intended) {
      if (pending->effect == abi::EffectClass::repeatable) return "model:" + process.model;
      continue;
    }
    if (pending->child) return "process " + base::to_string(base::Pid{state.job, *pending->child});
    if (!pending->any.empty()) return fmt::format("one of {} processes", pending->any.size());
    if (pending->letter)
      return "message" + (pending->letter->from ? " from " + *pending->letter->from : "");
    if (pending->until) return "until " + base::to_string(*pending->until);
    const core::Request* request = pending->request ? state.request(*pending->request) : nullptr;
    if (request != nullptr && !request->answered)
      return "request " + base::to_string(state.job, *pending->request);
  }
  return {};
}

// The limit of which most is used.
std::string budget_text(const core::JobState& state, const core::Process& process) {
  std::uint64_t most = 0;
  std::string text;
  for (std::size_t i = 0; i < abi::kAmounts; ++i) {
    const auto kind = static_cast<abi::BudgetKind>(i);
    const auto pool = core::pool_of(state, process.number, kind);
    if (!pool || kind == abi::BudgetKind::processes) continue;
    const std::uint64_t percent =
        pool->limit == 0 ? 100
                         : static_cast<std::uint64_t>(100.0 * static_cast<double>(pool->used()) /
                                                      static_cast<double>(pool->limit));
    if (percent < most || (percent == most && !text.empty())) continue;
    most = percent;
    text = fmt::format("{} {}%", base::name_of(kind), percent);
  }
  return text;
}

}  // namespace

ProcessView view_of(const core::JobState& state, const core::Process& process) {
  ProcessView view;
  view.pid = {state.job, process.number};
  if (process.parent != 0) view.parent = base::Pid{state.job, process.parent};
  view.name = process.name;
  view.image = process.image;
  view.model = process.model;
  view.goal = shown(process.goal, kGoalShownBytesMax);
  view.state = base::name_of(process.state);
  if (process.state == abi::ProcessState::runnable) view.waiting_on = waiting_on(state, process);
  if (!view.waiting_on.empty()) view.state = base::name_of(abi::ProcessState::waiting);
  view.reason = process.reason;
  view.error = process.error;
  if (process.result && !process.live())
    view.result = shown(*process.result, base::kInlineBytesMax);
  view.cwd = process.cwd;
  view.turns = process.turns;
  view.tool_calls = process.usage.tool_calls;
  view.input_tokens = process.usage.input_tokens;
  view.output_tokens = process.usage.output_tokens;
  view.usd_micro = process.usage.usd_micro;
  view.budget = budget_text(state, process);
  view.started = process.started;
  view.updated = state.at;
  return view;
}

std::vector<std::string> asked_grants(const core::RequestOpened& request) {
  std::vector<std::string> out;
  for (const core::NeedText& need : request.needs) {
    std::string text = fmt::format("{} {}", base::name_of(need.right), need.resource.text());
    if (std::find(out.begin(), out.end(), text) == out.end()) out.push_back(std::move(text));
  }
  for (const abi::Grant& grant : request.grants) out.push_back(grant.to_text());
  return out;
}

RequestView view_of(const core::JobState& state, const core::Request& request) {
  RequestView view;
  view.id = base::to_string(state.job, request.opened.request);
  view.pid = {state.job, request.process};
  if (const core::Process* process = state.process(request.process)) {
    view.process = process->name;
    view.goal = shown(process->goal, kGoalShownBytesMax);
  }
  view.kind = base::name_of(request.opened.kind);
  view.to = request.opened.to;
  view.question = request.opened.question;
  view.choices = request.opened.choices;
  view.asks = asked_grants(request.opened);
  view.preview = request.opened.preview;
  if (request.answered) view.answer = base::name_of(request.answered->answer);
  view.at = request.at;
  view.seq = request.seq;
  const core::RequestOpened& opened = request.opened;
  if (std::any_of(opened.asking.begin(), opened.asking.end(),
                  [](const abi::Asking& one) { return one.votes > 1 || !one.of.empty(); }))
    view.who = who_in_words(opened);
  for (const core::RequestVoted& vote : request.votes) view.votes.push_back(vote.by);
  view.deadline = opened.deadline;
  if (opened.deadline)
    view.otherwise = opened.kind == core::RequestKind::question
                         ? opened.otherwise.value_or("no answer")
                     : opened.otherwise ? "yes"
                                        : "no";
  if (opened.kind == core::RequestKind::approval) view.call = opened.name;
  for (const base::CapId ask : opened.asked_by)
    view.within.push_back(state.cap(ask)->grant.resource.text());
  if (opened.arguments)  // what is large is fetched by whoever shows it
    view.arguments =
        opened.arguments->blob ? base::to_json(*opened.arguments) : opened.arguments->data;
  if (opened.budget) {
    const core::Process* pool = state.process(opened.budget->process);
    view.budget = opened.budget->kind;
    view.more = std::max(opened.budget->needed,
                         pool == nullptr ? 0 : pool->budget.limit(*view.budget).value_or(0));
  }
  if (opened.schema && !opened.schema->blob) view.schema = opened.schema->data;
  return view;
}

store::ProcessRow row_of(const core::JobState& state, const core::Process& process) {
  const ProcessView view = view_of(state, process);
  store::ProcessRow row{view.pid, process.parent,     view.state, process.live(),
                        {},       base::to_json(view)};
  for (const core::Frame& frame : process.frames)
    if (const core::Syscall* pending = frame.pending();
        pending != nullptr && pending->stage == core::Stage::waiting && pending->until)
      row.wake = row.wake ? std::min(*row.wake, *pending->until) : *pending->until;
  return row;
}

store::RequestRow row_of(const core::JobState& state, const core::Request& request) {
  return {state.job, request.opened.request, request.process, !request.answered,
          base::to_json(view_of(state, request))};
}

}  // namespace alos::kernel
