// Projections: what lists show of a process or a request, made from a job's state.
#pragma once

#include "core/state.h"
#include "kernel/kernel.h"
#include "store/store.h"

namespace alos::kernel {

ProcessView view_of(const core::JobState& state, const core::Process& process);
RequestView view_of(const core::JobState& state, const core::Request& request);
store::ProcessRow row_of(const core::JobState& state, const core::Process& process);
store::RequestRow row_of(const core::JobState& state, const core::Request& request);

// The grants that a yes to this request would give, in words.
std::vector<std::string> asked_grants(const core::RequestOpened& request);

}  // namespace alos::kernel
