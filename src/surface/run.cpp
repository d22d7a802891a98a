// run and resume: the foreground commands, as the store's owner.
#include <fmt/format.h>

#include <chrono>

#include "base/json.h"
#include "base/text.h"
#include "surface/commands.h"
#include "surface/dispatch.h"
#include "surface/foreground.h"
#include "surface/launch.h"
#include "surface/policy.h"

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;

namespace {

std::string plan_json(const kernel::Plan& plan, const kernel::Launch& launch) {
  std::string body = R"({"image":)" + base::to_json(plan.image) + R"(,"model":)";
  base::append_json_string(body, launch.model);
  body += R"(,"goal":)";
  base::append_json_string(body, launch.goal);
  body += R"(,"cwd":)" + base::to_json(launch.cwd) + R"(,"roots":)" + base::to_json(launch.roots) +
          R"(,"grants":[)";
  for (std::size_t i = 0; i < plan.grants.size(); ++i) {
    body += i == 0 ? R"({"grant":)" : R"(,{"grant":)";
    base::append_json_string(body, plan.grants[i].grant.to_text());
    body += R"(,"from":)";
    base::append_json_string(body, plan.grants[i].from);
    body += '}';
  }
  body += R"(],"standing":[)";
  for (std::size_t i = 0; i < launch.standing.size(); ++i) {
    body += i == 0 ? R"({"grant":)" : R"(,{"grant":)";
    base::append_json_string(body, launch.standing[i].grant.to_text());
    body += R"(,"from":)";
    base::append_json_string(body, launch.standing[i].from);
    body += '}';
  }
  return typed("plan", body + R"(],"needs":)" + base::to_json(plan.needs) + R"(,"unmet":)" +
                           base::to_json(plan.unmet) + R"(,"trapdoors":)" +
                           base::to_json(plan.trapdoors) + '}');
}

std::string needs_text(const Style& style, const kernel::Plan& plan) {
  std::string out;
  for (const kernel::NeedView& need : plan.needs) {
    const bool good = need.state == "granted" || need.state == "answered";
    const bool bad = need.state == "unmet" || need.state == "denied";
    out += fmt::format(
        "{} {} {}{}\n", paint(style, Ink::dim, fmt::format("{:<10}", "need")),
        paint(style,
              good  ? Ink::green
              : bad ? Ink::red
                    : Ink::yellow,
              fmt::format("{:<9}", need.state)),
        base::printable(need.need),
        need.by.empty() ? "" : paint(style, Ink::dim, "  by " + base::printable(need.by)));
    for (const std::string& except : need.except)
      out += fmt::format("{:<21}but {}\n", "", base::printable(except));
  }
  if (!plan.unmet.empty()) out += "to meet what no grant meets:\n";
  for (const auto& grant : plan.unmet)
    out += fmt::format("  --grant {}\n", base::shell_quoted(base::printable(grant)));
  return out;
}

std::string plan_text(const Style& style, const kernel::Plan& plan, const kernel::Launch& launch) {
  std::string out;
  const auto head = [&](std::string_view name) {
    return paint(style, Ink::dim, fmt::format("{:<11}", name));
  };
  out += head("goal") + base::printable(launch.goal) + '\n';
  out += head("image") + base::printable(plan.image.name) +
         fmt::format(" ({} tools)\n", plan.image.tools.size());
  out += head("model") + base::printable(launch.model) + '\n';
  for (const auto& root : launch.roots)
    out += head("root") + fmt::format("/{} = {}\n", root.name, base::printable(root.host));
  out += head("cwd") + base::printable(launch.cwd.text()) + '\n';
  for (const auto& grant : plan.grants) {
    const Ink ink = grant.grant.effect == abi::GrantEffect::allow ? Ink::green
                    : grant.grant.effect == abi::GrantEffect::ask ? Ink::yellow
                                                                  : Ink::red;
    out += head("grant") + paint(style, ink, base::printable(grant.grant.to_text())) +
           paint(style, Ink::dim, "  from " + base::printable(grant.from)) + '\n';
  }
  for (const auto& rule : launch.standing)
    out += head("answered") +
           paint(style, rule.grant.effect == abi::GrantEffect::deny ? Ink::red : Ink::green,
                 base::printable(rule.grant.to_text())) +
           paint(style, Ink::dim, "  if asked, by " + base::printable(rule.from)) + '\n';
  out += needs_text(style, plan);
  out += head("trapdoors") + "no wildcard lets anything write:";
  for (const auto& place : plan.trapdoors) out += ' ' + base::printable(place);
  return out + "\nnothing was started\n";
}

Result<int> dry_run(Host& host, const kernel::Launch& launch) {
  const auto kernel =
      TRY(host.open({.store_dir = host.store_dir, .mode = kernel::OpenOptions::Mode::look}));
  const kernel::Plan plan = TRY(kernel->plan(launch));
  host.output.out(host.style.json() ? plan_json(plan, launch)
                                    : plan_text(host.style, plan, launch));
  return 0;
}

// Owns the store, sets processes going, and stays with them.
using Begin = std::function<Result<std::vector<base::Pid>>(kernel::Kernel&)>;
Result<int> in_foreground(Host& host, const Arguments& arguments, const Begin& begin) {
  ApprovePolicy policy = TRY(ApprovePolicy::from_option(arguments.one("approve")));
  Interrupts interrupts;
  const auto kernel = TRY(open_to_own(host));
  const auto service = TRY(serve_others(*kernel, host.store_dir, Session::Place::service));
  const auto subscription = kernel->subscribe(std::nullopt);
  const auto watched = [&]() -> Result<int> {
    const std::vector<base::Pid> pids = TRY(begin(*kernel));
    return pids.empty() ? Result<int>(0)
                        : Foreground(host, *kernel, std::move(policy), interrupts)
                              .watch(*subscription, pids);
  };
  auto code = watched();
  if (!code) report(host.output, host.style, code.error());
  interrupts.release();
  const int value = code ? *code : static_cast<int>(code.error().code);
  end_service(*service, host.output, value);
  return value;
}

void say_unmet(Host& host, kernel::Kernel& kernel, const kernel::Launch& launch) {
  const auto plan = kernel.plan(launch);
  if (!plan) return;
  for (const auto& need : plan->unmet)
    host.output.err(paint(host.style, Ink::dim,
                          fmt::format("the image would like: --grant {}",
                                      base::shell_quoted(base::printable(need)))) +
                    '\n');
}

}  // namespace

Result<int> run_goal(Host& host, const Arguments& arguments) {
  if (arguments.has("detach"))
    return fail(
        Code::unavailable,
        fmt::format("nobody works in the background of {}", base::printable(host.store_dir)),
        "start a daemon: " + command_line(host.store_dir, "serve"));
  kernel::Launch launch =
      TRY(read_launch(arguments, host.store_dir, working_directory(), system_now()));
  launch.standing = TRY(read_policy(host.store_dir)).standing_for(launch.roots);
  if (arguments.has("dry-run")) return dry_run(host, launch);
  return in_foreground(
      host, arguments, [&](kernel::Kernel& kernel) -> Result<std::vector<base::Pid>> {
        say_unmet(host, kernel, launch);
        const base::Pid pid = TRY(kernel.launch(launch));
        if (launch.start == kernel::Launch::Start::now) {
          if (!host.style.json())
            host.output.err(
                paint(host.style, Ink::dim,
                      fmt::format("{} {}: {}", base::to_string(pid), base::printable(launch.name),
                                  base::printable(base::shortened(launch.goal, 200)))) +
                '\n');
          return std::vector<base::Pid>{pid};
        }
        if (host.style.json())
          host.output.out(typed(
              "result", fmt::format(R"({{"pid":"{}","state":"paused"}})", base::to_string(pid))));
        else
          host.output.out(fmt::format("{} is made and paused\n", base::to_string(pid)));
        host.output.err("start it with: " +
                        command_line(host.store_dir, "resume " + base::to_string(pid)) + '\n');
        return std::vector<base::Pid>{};
      });
}

Result<int> resume(Host& host, const Arguments& arguments) {
  const bool all = arguments.has("all");
  if (all == !arguments.words.empty())
    return fail(Code::invalid, "resume takes a PID, or --all", "alos ps shows what there is");
  std::vector<base::Pid> wanted;
  if (!all) wanted.push_back(TRY(base::parse_pid(arguments.words[0])));
  const Policy policy = TRY(read_policy(host.store_dir));
  return in_foreground(
      host, arguments, [&](kernel::Kernel& kernel) -> Result<std::vector<base::Pid>> {
        if (all)
          for (const auto& process : TRY(kernel.processes(kernel::Kernel::Which::live)))
            wanted.push_back(process.pid);
        if (wanted.empty()) host.output.err("there is nothing to resume\n");
        std::vector<base::Pid> going;
        for (const base::Pid pid : wanted) {
          const auto process = TRY(kernel.process(pid));
          if (process.ended())
            return fail(Code::conflict,
                        fmt::format("process {} has {}", base::to_string(pid), process.state),
                        command_line(host.store_dir, "show " + base::to_string(pid)) + " shows it");
          const abi::Roots roots = TRY(roots_of(kernel, pid.job));
          TRY(kernel.set_policy(pid.job, policy.standing_for(roots)));
          TRY(kernel.resume(pid, "human:owner"));
          going.push_back(pid);
        }
        return going;
      });
}

}  // namespace alos::surface
