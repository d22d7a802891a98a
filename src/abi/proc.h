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

using ProcCalls = CallList<ProcInfo, ProcChdir, ProcExit>;

}  // namespace alos::abi
