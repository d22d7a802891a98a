// Person: the one the agents work for. Answers requests at random times in random ways, and pauses,
// resumes, kills, grants and revokes now and then. Whatever the kernel acknowledges must be durable
// at that instant.
#pragma once

#include "kernel/kernel.h"
#include "sim/ledger.h"

namespace alos::sim {

class Person {
 public:
  Person(World& world, Ledger& ledger) : world_(world), ledger_(ledger) {}

  // Does one thing or nothing.
  void act(kernel::Kernel& kernel);
  // Answers one open request; false when there is none.
  bool answer(kernel::Kernel& kernel);
  // Takes back what an interrupted call rests on, or denies its place, before it can go on.
  void withdraw(kernel::Kernel& kernel);
  // When nothing else goes on: answers, or lets a paused process go on. False when it all may rest.
  bool attend(kernel::Kernel& kernel);

 private:
  void pause(kernel::Kernel& kernel, const kernel::ProcessView& process);
  void kill(kernel::Kernel& kernel, const kernel::ProcessView& process);
  void resume(kernel::Kernel& kernel, const kernel::ProcessView& process);
  void grant(kernel::Kernel& kernel, const kernel::ProcessView& process);
  void raise(kernel::Kernel& kernel, const kernel::ProcessView& process);
  void revoke(kernel::Kernel& kernel, const kernel::ProcessView& process);
  void call(kernel::Kernel& kernel, const kernel::ProcessView& process);
  kernel::Answer choose(const kernel::RequestView& request);
  const ProcessFact& fact(base::Pid pid);
  void acknowledged(bool durable, const std::string& what);

  World& world_;
  Ledger& ledger_;
  std::map<base::Pid, unsigned> resumed_;
};

}  // namespace alos::sim
