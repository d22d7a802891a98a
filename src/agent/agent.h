// The agent: the program that turns model replies into tool calls and their results into the next
// turn.
//
// It keeps nothing of a process: what a step does follows from the Mind alone, so it goes on after
// a crash as if there had been none. One agent serves any number of processes, on any number of
// threads.
#pragma once

#include <memory>
#include <string_view>

#include "abi/program.h"
#include "tools/tools.h"

namespace alos::agent {

// What every process is told after its image's prompt: how results, refusals and waiting look, and
// how to end.
extern const std::string_view kFrame;

// `tools` outlives the agent, and the functions it makes.
std::unique_ptr<abi::Program> make_agent(const tools::ToolSet& tools);

}  // namespace alos::agent
