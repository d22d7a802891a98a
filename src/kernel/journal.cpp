#include "kernel/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "kernel/budget.h"

namespace alos::kernel {
namespace {

void mark_projections(Job& job, const core::Record& record) {
  if (job.state.process(record.process) != nullptr) job.tail.processes.insert(record.process);
  if (const auto* opened = std::get_if<core::RequestOpened>(&record.body))
    job.tail.requests.insert(opened->request);
  if (const auto* voted = std::get_if<core::RequestVoted>(&record.body))
    job.tail.requests.insert(voted->request);
  if (const auto* answered = std::get_if<core::RequestAnswered>(&record.body))
    job.tail.requests.insert(answered->request);
}

// Whoever waits for budget that calls under way hold looks again when one has ended.
void feed_starved(const Services& services, const JobPtr& job, const Lock& lock,
                  const core::Body& body) {
  const bool gives = std::holds_alternative<core::CallSettled>(body) ||
                     std::holds_alternative<core::BudgetSet>(body) ||
                     std::holds_alternative<core::ProcessExited>(body) ||
                     std::holds_alternative<core::ProcessFailed>(body) ||
                     std::holds_alternative<core::ProcessKilled>(body);
  if (!gives || job->starved.empty()) return;
  for (const std::uint32_t process : std::exchange(job->starved, {}))
    services.wakes.wake_locked(job, lock, process);
  job->changed.notify_all();
}

}  // namespace

base::Result<base::Seq> append(const Services& services, const JobPtr& job, const Lock& lock,
                               std::uint32_t process, base::Seq cause, core::Body body) {
  CHECK(lock.owns_lock() && lock.mutex() == &job->mutex);
  if (job->lost) return base::Unexpected(*job->lost);
  std::visit([&](auto& one) { detach_payloads(one, job->tail.blobs); }, body);
  const base::Time at = std::max(services.hands.clock.now(), job->state.at);
  const core::Record record{job->state.job, job->state.seq + 1, at, process,
                            cause,          std::move(body)};
  const std::size_t start = job->tail.lines.size();
  core::append_canonical(job->tail.lines, record);
  const base::Digest before = job->state.head;
  const base::Digest head = core::chain(before, std::string_view(job->tail.lines).substr(start));
  const auto applied = core::apply(job->state, record, head);
  CHECK(applied.has_value());  // the kernel appends only what fits
  job->tail.lines += '\n';
  if (job->tail.first == 0) job->tail.first = record.seq, job->tail.before = before;
  ++job->tail.count;
  mark_projections(*job, record);
  services.committer.enqueue(job, lock);
  feed_starved(services, job, lock, record.body);
  const base::Seq seq = record.seq;
  for (const auto& [spender, kind] : std::exchange(job->state.to_warn, {})) {
    const auto pool = core::pool_of(job->state, spender, kind);
    TRY(append(services, job, lock, spender, seq,
               core::BudgetWarned{kind, pool->used(), pool->limit}));
  }
  return seq;
}

base::Result<std::string> bytes_of(const Services& services, const JobPtr& job, const Lock& lock,
                                   const base::Payload& payload) {
  CHECK(lock.owns_lock());
  if (!payload.blob) return payload.data;
  if (const std::string* bytes = job->unsaved(payload.blob->digest)) return *bytes;
  return services.store.blob(payload.blob->digest);
}

const core::Syscall* Journal::find(const Lock& lock, std::uint32_t n) const {
  CHECK(lock.owns_lock());
  const core::Process* process = place_.job->state.process(place_.process);
  const core::Frame* frame = process == nullptr ? nullptr : process->frame(place_.call);
  return frame == nullptr ? nullptr : frame->find(n);
}

std::string Journal::key() const {
  return fmt::format("{}.{}.{}", base::to_string(place_.pid()), place_.call.value, n_);
}

base::Unexpected Journal::mismatch(const core::Syscall& past, std::string_view name) const {
  return base::fail(base::Code::nondeterministic,
                    fmt::format("syscall {} was {} before and is {} now, or has other arguments",
                                n_, past.name, name),
                    "a tool must make the same syscalls each time it runs; keep clocks and "
                    "randomness behind syscalls");
}

base::Result<void> Journal::flush(const Lock& lock) {
  for (const Observed& observed : unrecorded_) {
    core::CallObserved body = observed(place_.job->tail.blobs);
    TRY(append(services_, place_.job, lock, place_.process, place_.cause, std::move(body)));
  }
  unrecorded_.clear();
  return {};
}

base::Result<base::Seq> Journal::append_after_observations(const Lock& lock, base::Seq cause,
                                                           core::Body body) {
  const core::Process* process = place_.job->state.process(place_.process);
  if (process == nullptr || process->frame(place_.call) == nullptr)
    return base::fail(base::Code::cancelled, "the call was ended from outside");
  TRY(flush(lock));
  return append(services_, place_.job, lock, place_.process, cause, std::move(body));
}

void Journal::observe(const base::Digest& digest, std::string_view name, base::Error error) {
  unrecorded_.push_back([call = place_.call, n = n_, name = std::string(name), digest,
                         error = std::move(error)](std::vector<store::Blob>&) {
    return core::CallObserved{call, n, name, digest, {}, error};
  });
}

core::CallIntended Journal::intended(const ports::Grounds& grounds, std::string_view name,
                                     abi::EffectClass effect) const {
  core::CallIntended body;
  body.call = place_.call;
  body.n = n_;
  body.name = name;
  body.effect = effect;
  body.digest = grounds.digest;
  for (const abi::Need& need : grounds.needs) body.needs.push_back({need.resource, need.right});
  body.matched = grounds.matched;
  body.spends = grounds.spends;
  if (effect != abi::EffectClass::internal) body.reserves = grounds.reserves;
  return body;
}

base::Result<void> Journal::as_seen(const Lock& lock, const ports::Grounds& grounds,
                                    const ports::Preimage& found, std::string_view name) {
  for (const base::CapId id : grounds.matched) {
    const core::Capability& cap = *place_.job->state.cap(id);
    if (!cap.seen || *cap.seen == core::Seen{found.existed, found.digest}) continue;
    const base::Error error{
        base::Code::conflict,
        fmt::format("{} has changed since it was shown to {}",
                    grounds.needs.front().resource.text(), cap.from),
        "nothing was done; look at it again, and call again if it is still right"};
    observe(grounds.digest, name, error);
    TRY(append_after_observations(lock, place_.cause, core::CapRevoked{{id}, "alos"}));
    return base::Unexpected(error);
  }
  return {};
}

base::Result<void> Journal::afford(const Lock& lock, const ports::Grounds& grounds,
                                   std::string_view name) {
  const core::Process* process = place_.job->state.process(place_.process);
  if (process == nullptr || process->frame(place_.call) == nullptr)
    return base::fail(base::Code::cancelled, "the call was ended from outside");
  auto can = kernel::afford(services_, place_.job, lock, place_.process, grounds.reserves);
  if (!can && can.error().code == base::Code::exhausted) observe(grounds.digest, name, can.error());
  return can;
}

}  // namespace alos::kernel
