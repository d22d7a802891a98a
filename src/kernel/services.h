// Services: what the parts of the kernel share. Handed down from the top; nobody owns anything
// through it.
#pragma once

#include "kernel/committer.h"
#include "ports/hands.h"

namespace alos::kernel {

// Runs processes: whoever changes what a process waits for says so here.
class Wakes {
 public:
  virtual ~Wakes() = default;
  virtual void wake(const JobPtr& job, std::uint32_t process) = 0;
  // A syscall sleeps until `when`: settle it then and wake its process.
  virtual void wake_at(const JobPtr& job, std::uint32_t process, base::CallId call, std::uint32_t n,
                       base::Time when) = 0;
};

struct Services {
  store::Store& store;
  ports::Hands hands;
  Committer& committer;
  Wakes& wakes;
};

// One process inside one durable call: whose syscalls these are.
struct Place {
  JobPtr job;
  std::uint32_t process = 0;
  base::CallId call;
  base::Seq cause = 0;  // the record that opened the call

  base::Pid pid() const { return {job->id(), process}; }
};

}  // namespace alos::kernel
