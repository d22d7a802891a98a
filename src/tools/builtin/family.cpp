// spawn_process, wait_process, list_processes, delegate_capability, drop_capability.
#include <fmt/format.h>

#include "base/text.h"
#include "tools/builtin/builtin.h"

namespace alos::tools {
namespace {

using base::Code;
using base::fail;
using base::Result;

struct SpawnProcess {
  static constexpr std::string_view kName = "spawn_process";
  static constexpr std::string_view kDescription =
      "Start a process below you that works on a goal of its own with an agent's mind. It may do "
      "what you hand it in `grants`, and nothing else: each must be a part of what you hold with "
      "`delegate`. It spends of your budget, or what `budget` sets aside for it. It ends when you "
      "end. wait_process gets its result.";
  struct Args {
    std::string goal;
    std::string name;
    std::optional<std::string> image;
    std::optional<std::vector<abi::Grant>> grants;
    std::optional<std::vector<std::string>> budget;
    ALOS_FIELDS(goal, name, image, grants, budget)
    static constexpr std::array<std::string_view, 5> kFieldDocs{
        "what it is to do, with all it needs to know: it sees nothing of your conversation",
        "a short name to tell it by", "what it boots from; default: coding",
        "what it may do, as `read,list fs:/workspace/src/**`; default: nothing on files",
        "limits of its own, as `tool_calls=50`, `model_tokens=20000`, `usd=0.50`, `wall=10m`"};
  };
  using Reply = abi::ProcSpawn::Reply;

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    if (is_blank(args.goal)) return fail(Code::invalid, "`goal` is empty", "say what it is to do");
    std::optional<abi::Budget> budget;
    for (const std::string& text : args.budget.value_or(std::vector<std::string>{})) {
      const std::size_t equals = text.find('=');
      if (equals == std::string::npos)
        return fail(Code::invalid,
                    fmt::format("budget `{}` is not KEY=VALUE", base::printable(text)),
                    "for example: tool_calls=50");
      if (!budget) budget.emplace();
      TRY(budget->set(text.substr(0, equals), text.substr(equals + 1)));
    }
    return sys.call(abi::ProcSpawn{
        std::move(args.image).value_or("coding"), base::Text(std::move(args.goal)),
        std::move(args.name), std::move(args.grants).value_or(std::vector<abi::Grant>{}), budget});
  }
};

struct WaitProcess {
  static constexpr std::string_view kName = "wait_process";
  static constexpr std::string_view kDescription =
      "Wait until a process that you started has ended, and get its result; or until one of "
      "several, or all of them.";
  struct Args {
    std::optional<std::string> pid;
    std::optional<std::vector<std::string>> any;
    std::optional<std::vector<std::string>> all;
    ALOS_FIELDS(pid, any, all)
    static constexpr std::array<std::string_view, 3> kFieldDocs{
        "its pid or name", "instead: until one of these has ended",
        "instead: until all of these have ended"};
  };
  struct End {
    base::Pid pid;
    abi::ProcessState state = abi::ProcessState::exited;
    std::optional<std::string> result;
    std::string reason;
    ALOS_FIELDS(pid, state, result, reason)
  };
  struct Reply {
    std::optional<base::Pid> pid;
    std::optional<abi::ProcessState> state;
    std::optional<std::string> result;
    std::optional<std::string> reason;
    std::optional<std::vector<End>> ended;  // of `all`
    ALOS_FIELDS(pid, state, result, reason, ended)
  };

  static Result<Reply> run(abi::Syscalls& sys, const Args& args) {
    if ((args.pid ? 1 : 0) + (args.any ? 1 : 0) + (args.all ? 1 : 0) != 1)
      return fail(Code::invalid, "wait_process takes one of `pid`, `any`, `all`",
                  "for example {\"pid\":\"7.2\"}");
    if (args.all) return wait_for_all(sys, *args.all);
    if (args.pid) {
      const base::Pid pid = TRY(process_named(sys, *args.pid));
      return one(TRY(end_of(sys.call(abi::ProcWait{pid}))));
    }
    abi::ProcWaitAny call;
    for (const std::string& name : *args.any) call.pids.push_back(TRY(process_named(sys, name)));
    return one(TRY(end_of(sys.call(std::move(call)))));
  }

 private:
  static Reply one(const End& end) { return {end.pid, end.state, end.result, end.reason, {}}; }

  static Result<End> end_of(Result<abi::ProcWait::Reply> came) {
    abi::ProcWait::Reply reply = TRY(std::move(came));
    End end{reply.pid, reply.state, {}, std::move(reply.reason)};
    if (reply.result) end.result = TRY(bytes_of(std::move(*reply.result)));
    return end;
  }

  // One after another: each is a syscall of its own, and what has ended answers at once.
  static Result<Reply> wait_for_all(abi::Syscalls& sys, const std::vector<std::string>& names) {
    std::vector<base::Pid> pids;
    for (const std::string& name : names) pids.push_back(TRY(process_named(sys, name)));
    std::vector<End> ended;
    for (const base::Pid pid : pids) ended.push_back(TRY(end_of(sys.call(abi::ProcWait{pid}))));
    Reply reply;
    reply.ended = std::move(ended);
    return reply;
  }
};

struct ListProcesses {
  static constexpr std::string_view kName = "list_processes";
  static constexpr std::string_view kDescription = "List the processes below you.";
  struct Args {
    ALOS_FIELDS()
  };
  using Reply = abi::ProcList::Reply;

  static Result<Reply> run(abi::Syscalls& sys, Args) { return sys.call(abi::ProcList{}); }
};

struct DelegateCapability {
  static constexpr std::string_view kName = "delegate_capability";
  static constexpr std::string_view kDescription =
      "Hand a part of your authority to a process below you. What you must ask or are denied there "
      "goes with it, its uses are yours too, and it ends when yours does.";
  struct Args {
    std::string to;
    abi::Grant grant;
    ALOS_FIELDS(to, grant)
    static constexpr std::array<std::string_view, 2> kFieldDocs{
        "its pid or name", "as `write fs:/workspace/docs/** uses=3`"};
  };
  struct Item {
    std::string id;
    abi::Grant grant;
    ALOS_FIELDS(id, grant)
  };
  struct Reply {
    std::vector<Item> handed;
    ALOS_FIELDS(handed)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    const base::Pid to = TRY(process_named(sys, args.to));
    auto done = TRY(sys.call(abi::CapDerive{to, std::move(args.grant)}));
    Reply reply;
    for (auto& one : done.handed)
      reply.handed.push_back({base::to_string(to.job, one.id), std::move(one.grant)});
    return reply;
  }
};

struct DropCapability {
  static constexpr std::string_view kName = "drop_capability";
  static constexpr std::string_view kDescription =
      "Give up a capability that you hold, and all that was handed on from it. There is no way "
      "back.";
  struct Args {
    std::string id;
    ALOS_FIELDS(id)
    static constexpr std::array<std::string_view, 1> kFieldDocs{"as list_capabilities shows it"};
  };
  using Reply = abi::CapDrop::Reply;

  static Result<Reply> run(abi::Syscalls& sys, const Args& args) {
    const auto id = TRY(base::parse_job_scoped(args.id, 'c'));
    if (id.job != sys.caller().pid.job)
      return fail(Code::not_found,
                  fmt::format("you hold no capability {}", base::printable(args.id)),
                  "list_capabilities shows what you hold");
    return sys.call(abi::CapDrop{base::CapId{id.number}});
  }
};

}  // namespace

Result<base::Pid> process_named(abi::Syscalls& sys, const std::string& text) {
  if (const auto pid = base::parse_pid(text)) return *pid;
  const auto list = TRY(sys.call(abi::ProcList{}));
  for (auto one = list.processes.rbegin(); one != list.processes.rend(); ++one)
    if (one->name == text) return one->pid;
  return fail(Code::not_found,
              fmt::format("no process `{}` was started by you", base::printable(text)),
              "list_processes shows those there are");
}

std::vector<Tool> family_tools() {
  return make_tools<SpawnProcess, WaitProcess, ListProcesses, DelegateCapability, DropCapability>();
}

}  // namespace alos::tools
