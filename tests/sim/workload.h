// Workload: what the agents of a run are given, and what their models say: a pure function of the
// seed, the process's name and the turn, so that asking again after a crash gives the same reply.
#pragma once

#include "kernel/kernel.h"
#include "sim/sim_files.h"

namespace alos::sim {

// The places an agent named `name` talks about; some are its own, some are not.
// The agent that a process comes from, by its name.
std::string family_of(const std::string& name);

std::vector<std::string> places_of(const std::string& name);

void furnish(SimFiles& files, const std::string& name);  // what is there at the beginning
kernel::Launch launch_of(std::uint64_t seed, const std::string& name, base::Time now,
                         const std::vector<std::string>& tools);

abi::ModelGenerate::Reply reply_of(std::uint64_t seed, const std::string& name, std::uint32_t turn);

}  // namespace alos::sim
