// Run: one simulated run from its plan to its end: the real kernel, gate, agent and tools over a
// simulated machine.
//
// Power fails, the runtime is made anew over what was durable, every live job is resumed, and it
// goes on until all processes have ended or rest. The laws are checked at every commit and every
// perform, and once more at the end.
#pragma once

#include "abi/program.h"
#include "sim/world.h"
#include "tools/tools.h"

namespace alos::sim {

// What all runs share and none changes.
struct Parts {
  Parts();
  tools::ToolSet tools;
  std::vector<std::string> names;  // of all tools
  std::shared_ptr<abi::Program> program;
};

struct Report {
  std::vector<std::string> violations;
  std::uint64_t commits = 0;
  std::uint64_t performs = 0;
  std::uint64_t lines = 0;
  unsigned lives = 0;
  base::Digest digest;  // of all durable records
};

Report simulate(const Plan& plan, const Parts& parts, Marks& marks);

}  // namespace alos::sim
