#include "core/state.h"

#include <algorithm>

namespace alos::core {

const Syscall* Frame::find(std::uint32_t n) const { return const_cast<Frame*>(this)->find(n); }

Syscall* Frame::find(std::uint32_t n) {
  for (Syscall& syscall : syscalls)
    if (syscall.n == n) return &syscall;
  return nullptr;
}

const Syscall* Frame::pending() const {
  return syscalls.empty() || syscalls.back().stage == Stage::settled ? nullptr : &syscalls.back();
}

const Frame* Process::frame(base::CallId call) const {
  return const_cast<Process*>(this)->frame(call);
}

Frame* Process::frame(base::CallId call) {
  for (Frame& frame : frames)
    if (frame.call == call) return &frame;
  return nullptr;
}

const Frame* Process::frame_of_request(std::string_view request) const {
  for (const Frame& frame : frames)
    if (frame.kind == FrameKind::tool && frame.request == request) return &frame;
  return nullptr;
}

const Frame* Process::turn_frame() const {
  for (const Frame& frame : frames)
    if (frame.kind == FrameKind::turn) return &frame;
  return nullptr;
}

void CapabilityIndex::add(const Capability& cap) {
  const std::uint64_t hash =
      hash_runs(cap.holder, cap.grant.resource.literal_prefix(), [](std::uint64_t) {});
  by_prefix_[hash].push_back(cap.id);
}

void CapabilityIndex::remove(const Capability& cap) {
  const std::uint64_t hash =
      hash_runs(cap.holder, cap.grant.resource.literal_prefix(), [](std::uint64_t) {});
  const auto found = by_prefix_.find(hash);
  if (found == by_prefix_.end()) return;
  std::erase(found->second, cap.id);
  if (found->second.empty()) by_prefix_.erase(found);
}

const Process* JobState::process(std::uint32_t number) const {
  return number == 0 || number > processes.size() ? nullptr : &processes[number - 1];
}
Process* JobState::process(std::uint32_t number) {
  return number == 0 || number > processes.size() ? nullptr : &processes[number - 1];
}
const Capability* JobState::cap(base::CapId id) const {
  return id.value == 0 || id.value > caps.size() ? nullptr : &caps[id.value - 1];
}
const Request* JobState::request(base::RequestId id) const {
  return id.value == 0 || id.value > requests.size() ? nullptr : &requests[id.value - 1];
}

void JobState::reindex() {
  index = {};
  for (const Capability& cap : caps)
    if (!cap.revoked) index.add(cap);
}

}  // namespace alos::core
