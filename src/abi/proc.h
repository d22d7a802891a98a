// Processes: proc.info, proc.chdir, proc.exit.
#pragma once

#include "abi/call.h"

namespace alos::abi {

ALOS_ENUM(ProcessState, created, runnable, waiting, paused, exited, failed, killed)
constexpr bool is_terminal(ProcessState state) { return state >= ProcessState::exited; }

struct ProcInfo {
  ALOS_FIELDS()
  struct Reply {
    base::Pid pid;
    std::optional<base::Pid> parent;
    std::string name;
    std::string image;
    std::string model;
    base::Path cwd;
    base::Text goal;
    std::vector<std::string> tools;
    ALOS_FIELDS(pid, parent, name, image, model, cwd, goal, tools)
  };
  static constexpr std::string_view kName = "proc.info";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller&) const { return {}; }  // itself
};

// The caller has seen (fs.stat) that `path` is a directory. Holds from the next call on.
struct ProcChdir {
  base::Path path;
  ALOS_FIELDS(path)
  struct Reply {
    ALOS_FIELDS()
  };
  static constexpr std::string_view kName = "proc.chdir";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller&) const { return {{Resource::file(path), Right::list, Reach::exact}}; }
};

// The process ends when the call that asked for it has returned.
struct ProcExit {
  base::Text result;
  ALOS_FIELDS(result)
  struct Reply {
    ALOS_FIELDS()
  };
  static constexpr std::string_view kName = "proc.exit";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller&) const { return {}; }  // itself
};

// A new process below the caller. It has what it is handed, its own objects, and of the caller's
// clock, model and images what may be handed on; nothing else. Errors: `denied` (a grant that
// cannot be handed on; nothing was started then), `not_found` (no such image), `exhausted`
// (processes, or less is left than the budget states).
struct ProcSpawn {
  std::string image;
  base::Text goal;
  std::string name;
  std::vector<Grant> grants;
  std::optional<Budget> budget;  // what it states is carved out of the caller's while it lives
  ALOS_FIELDS(image, goal, name, grants, budget)
  struct Reply {
    base::Pid pid;
    ALOS_FIELDS(pid)
  };
  static constexpr std::string_view kName = "proc.spawn";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller&) const {
    return {{Resource::image(image), Right::execute, Reach::exact, {}}};
  }
};

// Parks until a process below the caller has ended.
struct ProcWait {
  base::Pid pid;
  ALOS_FIELDS(pid)
  struct Reply {
    base::Pid pid;
    ProcessState state = ProcessState::exited;
    std::optional<base::Text> result;
    std::string reason;  // failed, killed: why
    ALOS_FIELDS(pid, state, result, reason)
  };
  static constexpr std::string_view kName = "proc.wait";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller&) const { return {}; }  // its own descendants
};

// The same, until one of several has ended; of those that have already, the first as they are
// listed.
struct ProcWaitAny {
  std::vector<base::Pid> pids;
  ALOS_FIELDS(pids)
  using Reply = ProcWait::Reply;
  static constexpr std::string_view kName = "proc.wait_any";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller&) const { return {}; }  // its own descendants
};

// The processes below the caller, oldest first.
struct ProcList {
  ALOS_FIELDS()
  struct Item {
    base::Pid pid;
    base::Pid parent;
    std::string name;
    ProcessState state = ProcessState::runnable;
    ALOS_FIELDS(pid, parent, name, state)
  };
  struct Reply {
    std::vector<Item> processes;
    ALOS_FIELDS(processes)
  };
  static constexpr std::string_view kName = "proc.list";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller&) const { return {}; }
};

using ProcCalls =
    CallList<ProcInfo, ProcChdir, ProcExit, ProcSpawn, ProcWait, ProcWaitAny, ProcList>;

}  // namespace alos::abi
