// caps: who holds what, and what it comes from.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/json.h"
#include "base/text.h"
#include "surface/commands.h"
#include "surface/table.h"

namespace alos::surface {

using base::Result;
using kernel::CapabilityView;

namespace {

using Held = std::map<std::uint64_t, CapabilityView>;  // by number

Result<std::uint64_t> number_of(const std::string& id) {
  return TRY(base::parse_job_scoped(id, 'c')).number;
}

std::string holder_text(const CapabilityView& cap) {
  return cap.holder.empty() ? "(answers)" : cap.holder;
}

std::string grant_text(const CapabilityView& cap) {
  return base::printable(cap.grant) + (cap.bound ? " (this very call only)" : "");
}

Ink ink_of(const CapabilityView& cap) { return cap.state == "live" ? Ink::green : Ink::dim; }

std::string branch_line(const Style& style, const CapabilityView& cap, std::size_t depth) {
  std::string text = std::string(2 * depth, ' ') + paint(style, Ink::bold, cap.id) + "  " +
                     holder_text(cap) + "  " + paint(style, ink_of(cap), grant_text(cap));
  if (cap.state != "live") text += " " + cap.state;
  if (cap.uses_left && cap.state == "live") text += fmt::format(", {} left", *cap.uses_left);
  return text + paint(style, Ink::dim, "  from " + base::printable(cap.from)) + '\n';
}

// Parents before children: a child has the greater number, so no depth of it overflows a stack.
void print_tree(Session& session, const Held& held) {
  std::multimap<std::uint64_t, std::uint64_t> children;
  std::vector<std::pair<std::uint64_t, std::size_t>> open;
  for (auto it = held.rbegin(); it != held.rend(); ++it) {
    const auto parent = number_of(it->second.parent);
    if (parent && held.contains(*parent))
      children.emplace(*parent, it->first);
    else
      open.emplace_back(it->first, 0);
  }
  while (!open.empty()) {
    const auto [number, depth] = open.back();
    open.pop_back();
    session.output.out(branch_line(session.style, held.at(number), depth));
    const auto [first, last] = children.equal_range(number);
    for (auto it = first; it != last; ++it) open.emplace_back(it->second, depth + 1);
  }
}

}  // namespace

Result<int> caps(Session& session, const Arguments& arguments) {
  const base::Pid pid = TRY(base::parse_pid(arguments.words[0]));
  Held held;
  const base::Pid whose = arguments.has("job") ? base::Pid{pid.job, 0} : pid;
  for (CapabilityView& cap : TRY(session.kernel.capabilities(whose))) {
    const std::uint64_t number = TRY(number_of(cap.id));
    held.emplace(number, std::move(cap));
  }
  if (session.style.json()) {
    for (const auto& [number, cap] : held)
      session.output.out(typed("capability", base::to_json(cap)));
    return 0;
  }
  if (held.empty()) return session.output.err("it holds nothing\n"), 0;
  if (arguments.has("tree")) return print_tree(session, held), 0;
  Table table({"ID", "HOLDER", "STATE", "USES", "PARENT", "FROM", "GRANT"});
  for (const auto& [number, cap] : held)
    table.add({{cap.id, Ink::bold},
               holder_text(cap),
               {cap.state, ink_of(cap)},
               cap.uses_left ? fmt::format("{}", *cap.uses_left) : "-",
               cap.parent.empty() ? "-" : cap.parent,
               base::printable(cap.from),
               grant_text(cap)});
  session.output.out(table.text(session.style));
  return 0;
}

}  // namespace alos::surface
