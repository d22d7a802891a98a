#include "core/state.h"

#include <algorithm>
#include <utility>

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
  if (2 * (used_ + 1) > slots_.size()) grow();
  Slot& slot =
      slot_of(hash_runs(cap.holder, cap.grant.resource.literal_prefix(), [](std::uint64_t) {}));
  if (next_.size() <= cap.id.value) next_.resize(cap.id.value + 1);
  next_[cap.id.value] = std::exchange(slot.first, cap.id.value);
  if (held_.size() <= cap.holder) held_.resize(cap.holder + 1);
  held_[cap.holder].push_back(cap.id);
}

void CapabilityIndex::remove(const Capability& cap) {
  if (slots_.empty()) return;
  Slot& slot =
      slot_of(hash_runs(cap.holder, cap.grant.resource.literal_prefix(), [](std::uint64_t) {}));
  std::uint64_t* link = &slot.first;
  while (*link != 0 && *link != cap.id.value) link = &next_[*link];
  if (*link != 0) *link = next_[*link];
}

// Where this hash is or would be; then it is used.
CapabilityIndex::Slot& CapabilityIndex::slot_of(std::uint64_t hash) {
  std::size_t at = hash & (slots_.size() - 1);
  while (slots_[at].used && slots_[at].hash != hash) at = (at + 1) & (slots_.size() - 1);
  if (!slots_[at].used) ++used_;
  slots_[at].used = true;
  slots_[at].hash = hash;
  return slots_[at];
}

void CapabilityIndex::grow() {
  const std::vector<Slot> old =
      std::exchange(slots_, std::vector<Slot>(std::max<std::size_t>(16, 2 * slots_.size())));
  used_ = 0;
  for (const Slot& slot : old)
    if (slot.first != 0) slot_of(slot.hash).first = slot.first;
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
  for (Process& one : processes) one.children.clear();
  for (const Process& one : processes)
    if (Process* parent = process(one.parent)) parent->children.push_back(one.number);
  index = {};
  for (const Capability& cap : caps)
    if (!cap.revoked) index.add(cap);
}

}  // namespace alos::core
