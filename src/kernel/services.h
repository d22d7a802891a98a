// Services: what the parts of the kernel share. Handed down from the top; nobody owns anything
// through it.
#pragma once

#include "abi/image.h"
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
  // The same as wake(), with the lock held.
  virtual void wake_locked(const JobPtr& job, const Lock& lock, std::uint32_t process) = 0;
  // A request is answered by itself then.
  virtual void expire_at(const JobPtr& job, base::RequestId request, base::Time when) = 0;
};

struct Services {
  store::Store& store;
  ports::Hands hands;
  Committer& committer;
  Wakes& wakes;
  const std::vector<abi::Image>& images;
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
