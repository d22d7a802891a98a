// top, budget: what processes spend, and of how much.
#include <fmt/format.h>

#include <chrono>
#include <map>
#include <thread>

#include "base/json.h"
#include "base/text.h"
#include "surface/commands.h"
#include "surface/table.h"

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;
using kernel::BudgetView;
using kernel::Kernel;
using kernel::ProcessView;

namespace {

constexpr auto kTick = std::chrono::milliseconds(100);
constexpr int kTicksBetweenTables = 10;
constexpr std::string_view kClearScreen = "\x1b[H\x1b[2J";

struct Sample {
  std::uint64_t tokens = 0;
  base::Time at;
};
using Samples = std::map<base::Pid, Sample>;

std::uint64_t tokens_of(const ProcessView& p) { return p.input_tokens + p.output_tokens; }

// Tokens a second since the sample; without one, since it was started.
std::string rate(const ProcessView& p, const Samples& before, base::Time now) {
  const auto found = before.find(p.pid);
  const Sample since = found == before.end() ? Sample{0, p.started} : found->second;
  const double seconds = static_cast<double>((now - since.at).count()) / 1e6;
  if (seconds <= 0 || tokens_of(p) <= since.tokens) return "-";
  return fmt::format("{:.1f}", static_cast<double>(tokens_of(p) - since.tokens) / seconds);
}

Ink ink_of_state(const ProcessView& p) {
  if (p.state == "runnable") return Ink::green;
  return p.ended() ? Ink::dim : Ink::yellow;
}

std::string table_of(const Style& style, const std::vector<ProcessView>& processes,
                     const Samples& before, base::Time now) {
  Table table({"PID", "NAME", "STATE", "WAITS FOR", "TURNS", "CALLS", "TOKENS", "TOK/S", "USD",
               "BUDGET", "GOAL"});
  for (const ProcessView& p : processes)
    table.add({{base::to_string(p.pid), Ink::bold},
               cut(base::printable(p.name), 16),
               {p.state, ink_of_state(p)},
               cut(base::printable(p.waiting_on.empty() ? p.reason : p.waiting_on), 24),
               fmt::format("{}", p.turns),
               fmt::format("{}", p.tool_calls),
               fmt::format("{}", tokens_of(p)),
               rate(p, before, now),
               p.usd_micro == 0 ? "-" : abi::amount_text(abi::BudgetKind::usd, p.usd_micro),
               p.budget.empty() ? "-" : p.budget,
               base::printable(p.goal)});
  return table.text(style);
}

std::string totals_of(const std::vector<ProcessView>& processes, std::size_t requests) {
  std::map<std::string, std::size_t> states;
  std::uint64_t tokens = 0, usd = 0;
  for (const ProcessView& p : processes)
    ++states[p.state], tokens += tokens_of(p), usd += p.usd_micro;
  std::string text = fmt::format("{} processes", processes.size());
  for (const auto& [state, count] : states) text += fmt::format(", {} {}", count, state);
  text += fmt::format("; {} requests open; {} tokens", requests, tokens);
  if (usd != 0) text += ", " + abi::amount_text(abi::BudgetKind::usd, usd);
  return text;
}

std::string limit_text(const BudgetView& view) {
  return view.limit ? abi::amount_text(view.kind, *view.limit) : "no limit";
}

Result<int> change(Session& session, base::Pid pid, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos)
    return fail(Code::invalid, fmt::format("`{}` is not KEY=VALUE", base::printable(text)),
                "for example: tool_calls=300, usd=2.50, wall=2h, model_tokens=none");
  if (text.starts_with("on_exhausted="))
    return fail(Code::invalid, "what happens when a budget is used up is said when a run starts",
                "--budget on_exhausted=ask, or `budget:` in the manifest");
  const abi::BudgetKind kind = TRY(abi::budget_kind(text.substr(0, equals)));
  const std::string value = text.substr(equals + 1);
  std::optional<std::uint64_t> limit;
  if (value != "none") limit = TRY(abi::parse_amount(kind, value));
  TRY(session.kernel.set_budget(pid, kind, limit, "human:owner"));
  return 0;
}

}  // namespace

Result<int> top(Session& session, const Arguments& arguments) {
  const auto which = arguments.has("all") ? Kernel::Which::all : Kernel::Which::live;
  const bool live = session.style.colour == Colour::on && !arguments.has("once");
  Samples before;
  do {
    const auto processes = TRY(session.kernel.processes(which));
    if (session.style.json()) {
      for (const ProcessView& process : processes)
        session.output.out(typed("process", base::to_json(process)));
      return 0;
    }
    const std::size_t requests = TRY(session.kernel.requests(Kernel::Which::live)).size();
    const base::Time now = system_now();
    std::string text = live ? std::string(kClearScreen) : std::string();
    text += paint(session.style, Ink::dim, totals_of(processes, requests)) + '\n';
    if (!processes.empty()) text += table_of(session.style, processes, before, now);
    session.output.out(text);
    session.output.flush();
    before.clear();
    for (const ProcessView& p : processes) before[p.pid] = {tokens_of(p), now};
    for (int tick = 0; live && tick < kTicksBetweenTables && !session.output.gone(); ++tick)
      std::this_thread::sleep_for(kTick);
  } while (live && !session.output.gone());
  return 0;
}

Result<int> budget(Session& session, const Arguments& arguments) {
  const base::Pid pid = TRY(base::parse_pid(arguments.words[0]));
  if (arguments.words.size() > 1) TRY(change(session, pid, arguments.words[1]));
  const auto views = TRY(session.kernel.budget(pid));
  if (session.style.json()) {
    for (const BudgetView& view : views) session.output.out(typed("budget", base::to_json(view)));
    return 0;
  }
  if (views.empty()) session.output.err("no limits, and nothing was spent\n");
  if (views.empty()) return 0;
  Table table({"BUDGET", "LIMIT", "USED", "UNDER WAY", "LEFT", "OF"});
  for (const BudgetView& view : views) {
    const std::uint64_t taken = view.used + view.reserved;
    table.add(
        {{std::string(base::name_of(view.kind)), Ink::bold},
         limit_text(view),
         abi::amount_text(view.kind, view.used),
         view.reserved == 0 ? "-" : abi::amount_text(view.kind, view.reserved),
         view.limit ? abi::amount_text(view.kind, *view.limit - std::min(taken, *view.limit)) : "-",
         view.pool});
  }
  session.output.out(table.text(session.style));
  return 0;
}

}  // namespace alos::surface
