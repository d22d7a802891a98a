#include "sim/sim_store.h"

namespace alos::sim {

using base::Code;
using base::fail;
using base::Result;

Result<void> SimStore::powered() const {
  if (world_.crashed()) return fail(Code::unavailable, "the power is off");
  return {};
}

Result<void> SimStore::commit(store::Epoch epoch, const store::Commit& commit) {
  TRY(powered());
  const World::Fate fate = world_.next_commit();
  world_.say("-- commit {}{}", world_.commits(), fate == World::Fate::fails ? " fails" : "");
  if (fate == World::Fate::crash_before) {
    world_.cut_power("before a commit");
    return fail(Code::unavailable, "the power is off");
  }
  if (fate == World::Fate::fails) {
    world_.mark("commit failed");
    return world_.commits() % 2 == 0 ? fail(Code::exhausted, "the disk is full")
                                     : fail(Code::unavailable, "the disk does not answer");
  }
  auto done = disk_->commit(epoch, commit);
  if (!done) {
    world_.violation("the store refuses a commit: " + done.error().what);
    return done;
  }
  ledger_.take(commit, [this](const base::Digest& digest) { return disk_->blob(digest); });
  if (fate != World::Fate::crash_after) return {};
  world_.cut_power("after a commit");
  return fail(Code::unavailable, "the power is off");
}

Result<store::Epoch> SimStore::own() { return TRY(powered()), disk_->own(); }
Result<std::vector<store::Segment>> SimStore::read(base::JobId job, base::Seq from,
                                                   std::uint64_t lines_max) {
  return TRY(powered()), disk_->read(job, from, lines_max);
}
Result<std::string> SimStore::blob(const base::Digest& digest) {
  return TRY(powered()), disk_->blob(digest);
}
Result<std::optional<store::Snapshot>> SimStore::snapshot(base::JobId job) {
  return TRY(powered()), disk_->snapshot(job);
}
Result<std::vector<store::JobRow>> SimStore::jobs() { return TRY(powered()), disk_->jobs(); }
Result<std::optional<store::JobRow>> SimStore::job(base::JobId job) {
  TRY(powered());
  if (world_.load_fails()) return fail(Code::unavailable, "the disk does not answer");
  return disk_->job(job);
}
Result<std::vector<store::ProcessRow>> SimStore::processes(store::Which which, base::Pid after,
                                                           std::size_t limit) {
  return TRY(powered()), disk_->processes(which, after, limit);
}
Result<std::vector<store::RequestRow>> SimStore::requests(store::Which which, base::JobId after_job,
                                                          base::RequestId after,
                                                          std::size_t limit) {
  return TRY(powered()), disk_->requests(which, after_job, after, limit);
}
Result<void> SimStore::rebuild(store::Epoch epoch, const store::Commit& projections) {
  return TRY(powered()), disk_->rebuild(epoch, projections);
}
Result<std::vector<store::Finding>> SimStore::check() { return TRY(powered()), disk_->check(); }
Result<store::Sizes> SimStore::sizes() { return TRY(powered()), disk_->sizes(); }

}  // namespace alos::sim
