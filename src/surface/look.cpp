// ps, tree, show, approvals, caps, images: what is there.
#include <fmt/format.h>

#include <map>

#include "base/json.h"
#include "base/text.h"
#include "surface/commands.h"
#include "surface/narrate.h"
#include "surface/prompt.h"
#include "surface/table.h"

namespace alos::surface {

using base::Result;
using kernel::Kernel;
using kernel::ProcessView;

namespace {

constexpr std::size_t kFoldedBytes = 400;
constexpr std::uint64_t kRequestsShown = 1000, kRequestsShownMax = 100'000;

Kernel::Which which(const Arguments& arguments) {
  return arguments.has("all") ? Kernel::Which::all : Kernel::Which::live;
}

Ink ink_of(std::string_view state) {
  if (state == "runnable" || state == "running" || state == "exited") return Ink::green;
  if (state == "failed" || state == "killed") return Ink::red;
  return Ink::yellow;
}

std::string state_text(const ProcessView& process) {
  if (!process.waiting_on.empty() && !process.ended())
    return process.state + ": " + base::printable(process.waiting_on);
  if (!process.reason.empty()) return process.state + ": " + base::printable(process.reason);
  return process.state;
}

std::string money(std::uint64_t usd_micro) {
  return usd_micro == 0 ? "-" : fmt::format("${:.4f}", static_cast<double>(usd_micro) / 1e6);
}

void print_branch(Session& session, const std::multimap<base::Pid, const ProcessView*>& children,
                  const ProcessView& process, const std::string& indent) {
  session.output.out(fmt::format(
      "{}{} {} {}  {}\n", indent, paint(session.style, Ink::bold, base::to_string(process.pid)),
      base::printable(process.name),
      paint(session.style, ink_of(process.state), cut(state_text(process), 48)),
      cut(base::printable(process.goal), 60)));
  const auto [first, last] = children.equal_range(process.pid);
  for (auto it = first; it != last; ++it)
    print_branch(session, children, *it->second, indent + "  ");
}

void print_header(Session& session, const ProcessView& p) {
  const auto line = [&](std::string_view name, const std::string& text) {
    if (!text.empty())
      session.output.out(fmt::format(
          "{}  {}\n", paint(session.style, Ink::dim, fmt::format("{:<8}", name)), text));
  };
  line("process", fmt::format("{} {} ({})", base::to_string(p.pid), base::printable(p.name),
                              base::printable(p.image)));
  line("state", paint(session.style, ink_of(p.state), state_text(p)));
  line("goal", base::printable(p.goal));
  line("model", base::printable(p.model));
  line("cwd", base::printable(p.cwd.text()));
  line("used", fmt::format("{} turns, {} tool calls, {} tokens in, {} out, {}", p.turns,
                           p.tool_calls, p.input_tokens, p.output_tokens, money(p.usd_micro)));
  line("since",
       fmt::format("{}, last change {}", base::to_string(p.started), base::to_string(p.updated)));
  if (p.error)
    line("error", fmt::format("{}: {}\n          {}", base::name_of(p.error->code),
                              base::printable(p.error->what), base::printable(p.error->details)));
  if (p.result) line("result", base::printable(*p.result, base::Lines::keep));
}

void print_message(Session& session, const abi::Message& message, bool full) {
  const std::size_t limit = full                              ? std::string::npos
                            : message.role == abi::Role::tool ? kFoldedBytes
                                                              : 4 * kFoldedBytes;
  const std::string text =
      base::printable(base::shortened(message.text.data, limit), base::Lines::keep);
  const Ink ink = message.role == abi::Role::tool ? Ink::dim : Ink::plain;
  if (!text.empty())
    session.output.out(fmt::format(
        "{} {}\n",
        paint(session.style, Ink::cyan, fmt::format("{:<9}", base::name_of(message.role))),
        paint(session.style, ink, text)));
  for (const auto& call : message.tool_calls)
    session.output.out(
        fmt::format("{} {} {}\n", paint(session.style, Ink::cyan, "calls    "),
                    paint(session.style, Ink::bold, base::printable(call.name)),
                    base::printable(base::shortened(call.arguments.data,
                                                    full ? std::string::npos : kFoldedBytes))));
}

std::string votes_text(const kernel::RequestView& request) {
  std::string out;
  for (const std::string& vote : request.votes)
    out += (out.empty() ? "; yes so far: " : ", ") + base::printable(vote);
  return out;
}

void print_images(Session& session, const abi::Image& image) {
  session.output.out(fmt::format(
      "{}  {}\n\n{}\n", paint(session.style, Ink::bold, base::printable(image.name)),
      base::printable(image.description), base::printable(image.prompt, base::Lines::keep)));
  session.output.out("tools: ");
  for (std::size_t i = 0; i < image.tools.size(); ++i)
    session.output.out((i == 0 ? "" : ", ") + base::printable(image.tools[i]));
  session.output.out("\nneeds:\n");
  for (const auto& need : image.needs) session.output.out("  " + base::printable(need) + '\n');
}

}  // namespace

Result<int> ps(Session& session, const Arguments& arguments) {
  const auto processes = TRY(session.kernel.processes(which(arguments)));
  if (session.style.json()) {
    for (const auto& process : processes)
      session.output.out(typed("process", base::to_json(process)));
    return 0;
  }
  if (processes.empty()) {
    session.output.err(
        arguments.has("all")
            ? "no processes\n"
            : "no processes that have not ended (alos ps --all shows those that have)\n");
    return 0;
  }
  Table table({"PID", "NAME", "STATE", "TURNS", "CALLS", "TOKENS", "USD", "GOAL"});
  for (const auto& p : processes)
    table.add({{base::to_string(p.pid), Ink::bold},
               cut(base::printable(p.name), 16),
               {cut(state_text(p), 32), ink_of(p.state)},
               fmt::format("{}", p.turns),
               fmt::format("{}", p.tool_calls),
               fmt::format("{}", p.input_tokens + p.output_tokens),
               money(p.usd_micro),
               base::printable(p.goal)});
  session.output.out(table.text(session.style));
  return 0;
}

Result<int> tree(Session& session, const Arguments& arguments) {
  const auto processes = TRY(session.kernel.processes(which(arguments)));
  if (session.style.json()) {
    for (const auto& process : processes)
      session.output.out(typed("process", base::to_json(process)));
    return 0;
  }
  std::multimap<base::Pid, const ProcessView*> children;
  std::map<base::Pid, bool> shown;
  for (const auto& process : processes) shown[process.pid] = true;
  for (const auto& process : processes)
    if (process.parent && shown.contains(*process.parent))
      children.emplace(*process.parent, &process);
  for (const auto& process : processes)
    if (!process.parent || !shown.contains(*process.parent))
      print_branch(session, children, process, "");
  return 0;
}

Result<int> show(Session& session, const Arguments& arguments) {
  const base::Pid pid = TRY(base::parse_pid(arguments.words[0]));
  const ProcessView process = TRY(session.kernel.process(pid));
  const auto messages = TRY(session.kernel.transcript(pid));
  if (session.style.json()) {
    session.output.out(typed("process", base::to_json(process)));
    for (const auto& message : messages)
      session.output.out(typed("message", base::to_json(message)));
    return 0;
  }
  print_header(session, process);
  session.output.out("\n");
  for (const auto& message : messages) print_message(session, message, arguments.has("full"));
  return 0;
}

Result<int> approvals(Session& session, const Arguments& arguments) {
  std::uint64_t limit = kRequestsShown;
  if (const auto text = arguments.one("limit")) {
    const auto number = base::parse_unsigned(*text);
    if (!number || *number == 0 || *number > kRequestsShownMax)
      return base::fail(base::Code::invalid,
                        fmt::format("--limit {}: a whole number from 1 to {}",
                                    base::printable(*text), kRequestsShownMax));
    limit = *number;
  }
  auto requests = TRY(session.kernel.request_page(which(arguments),
                                                  arguments.one("after").value_or(""), limit + 1));
  const bool more = requests.size() > limit;
  if (more) requests.pop_back();
  if (session.style.json()) {
    for (const auto& request : requests)
      session.output.out(typed("request", base::to_json(request)));
    return 0;
  }
  if (requests.empty()) session.output.err("nothing waits for an answer\n");
  for (const auto& r : requests) {
    session.output.out(fmt::format("{}  {} of {} {}  {}\n", paint(session.style, Ink::bold, r.id),
                                   r.kind, base::to_string(r.pid), base::printable(r.process),
                                   paint(session.style, r.answer.empty() ? Ink::yellow : Ink::dim,
                                         r.answer.empty() ? "open" : base::printable(r.answer))));
    session.output.out(fmt::format("  {}\n", base::printable(r.question)));
    for (const auto& ask : r.asks)
      session.output.out(fmt::format("  needs {}\n", base::printable(ask)));
    if (r.kind == "approval") session.output.out(call_text(session.style, r));
    for (const auto& choice : r.choices)
      session.output.out(fmt::format("  - {}\n", base::printable(choice)));
    if (!r.answer.empty()) continue;
    if (!r.who.empty())
      session.output.out(fmt::format("  yes from {}{}\n", base::printable(r.who), votes_text(r)));
    if (r.deadline)
      session.output.out(fmt::format("  until {}, then: {}\n", base::to_string(*r.deadline),
                                     base::printable(r.otherwise)));
    std::string how = r.kind == "question" ? fmt::format("answer {} TEXT", r.id)
                                           : fmt::format("approve {}", r.id);
    if (!r.who.empty()) how += " --as NAME";
    session.output.out(paint(session.style, Ink::dim, "  " + command_line(session.store_dir, how)) +
                       '\n');
  }
  if (more)
    session.output.err(
        fmt::format("there are more: {}\n",
                    command_line(session.store_dir, "approvals --after " + requests.back().id)));
  return 0;
}

Result<int> image_list(Session& session, const Arguments&) {
  Table table({"NAME", "TOOLS", "NEEDS", "DESCRIPTION"});
  for (const auto& image : session.kernel.images()) {
    if (session.style.json()) session.output.out(typed("image", base::to_json(image)));
    std::string needs;
    for (const auto& need : image.needs)
      needs += (needs.empty() ? "" : "; ") + base::printable(need);
    table.add({{base::printable(image.name), Ink::bold},
               fmt::format("{}", image.tools.size()),
               needs.empty() ? "-" : needs,
               base::printable(image.description)});
  }
  if (!session.style.json()) session.output.out(table.text(session.style));
  return 0;
}

Result<int> image_inspect(Session& session, const Arguments& arguments) {
  std::string names;
  for (const auto& image : session.kernel.images()) {
    (names += names.empty() ? "images: " : ", ") += image.name;
    if (image.name != arguments.words[0]) continue;
    if (session.style.json())
      session.output.out(typed("image", base::to_json(image)));
    else
      print_images(session, image);
    return 0;
  }
  return base::fail(
      base::Code::not_found,
      fmt::format("no image `{}`", base::printable(base::shortened(arguments.words[0], 80))),
      names);
}

}  // namespace alos::surface
