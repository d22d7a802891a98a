#include "kernel/committer.h"

#include <pthread.h>

#include <algorithm>

#include "kernel/project.h"

namespace alos::kernel {
namespace {

// A snapshot is taken when the tail since the last one outweighs the state, so its cost is
// amortised.
constexpr std::uint64_t kSnapshotTailBytesMin = 4 << 20;

// How long records that nobody waits for may gather before the writer takes them.
constexpr auto kGather = std::chrono::microseconds(500);

void take_snapshot(Job& job, store::Commit& commit) {
  if (job.bytes_since_snapshot < std::max(kSnapshotTailBytesMin, 4 * job.snapshot_bytes)) return;
  store::Snapshot snapshot{job.id(), job.state.seq, job.state.head, core::encode_state(job.state)};
  job.snapshot_bytes = snapshot.state.size();
  job.bytes_since_snapshot = 0;
  commit.snapshots.push_back(std::move(snapshot));
}

// Moves a job's tail into the commit.
Committer::Batch take_tail(const JobPtr& job, store::Commit& commit) {
  const Lock lock(job->mutex);
  job->queued_for_commit = false;
  Tail tail = std::exchange(job->tail, {});
  Committer::Batch batch{job, tail.first, tail.count, tail.before, {}};
  if (tail.first == 0 || job->lost) return batch;
  job->bytes_since_snapshot += tail.lines.size();
  batch.lines = tail.lines;
  commit.segments.push_back(
      {job->id(), tail.first, tail.count, tail.before, job->state.head, std::move(tail.lines)});
  commit.blobs.insert(commit.blobs.end(), tail.blobs.begin(), tail.blobs.end());
  job->committing = std::move(tail.blobs);
  for (const std::uint32_t number : tail.processes)
    commit.processes.push_back(row_of(job->state, *job->state.process(number)));
  for (const base::RequestId id : tail.requests)
    commit.requests.push_back(row_of(job->state, *job->state.request(id)));
  take_snapshot(*job, commit);
  return batch;
}

}  // namespace

const std::string* Job::unsaved(const base::Digest& digest) const {
  for (const auto* blobs : {&tail.blobs, &committing})
    for (const store::Blob& blob : *blobs)
      if (blob.digest == digest) return &blob.bytes;
  return nullptr;
}

Committer::Committer(store::Store& store, store::Epoch epoch, ports::Threads threads,
                     Deliver deliver, Lose lose)
    : store_(store),
      epoch_(epoch),
      threads_(threads),
      deliver_(std::move(deliver)),
      lose_(std::move(lose)) {
  if (threads_ == ports::Threads::many) thread_ = std::thread([this] { run(); });
}

Committer::~Committer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Committer::enqueue(const JobPtr& job, const Lock& lock) {
  CHECK(lock.owns_lock());
  if (job->queued_for_commit) return;
  job->queued_for_commit = true;
  bool wake = false;
  {
    const std::lock_guard guard(mutex_);
    wake = dirty_.empty() && resting_;
    gathering_ += dirty_.empty() ? 1 : 0;
    dirty_.push_back(job);
  }
  if (wake) wake_.notify_one();
}

// The first to wait commits for all, without waking another thread; who comes meanwhile is taken by
// the writer next.
base::Result<void> Committer::wait(const JobPtr& job, base::Seq seq) {
  if (std::unique_lock one(commit_mutex_, std::try_to_lock); one.owns_lock()) {
    commit_gathered(one);
  } else {
    {
      const std::lock_guard guard(mutex_);
      urgent_ = true;
    }
    wake_.notify_one();
  }
  Lock lock(job->mutex);
  job->changed.wait(lock, [&] { return job->durable >= seq || job->lost; });
  if (job->durable < seq) return base::Unexpected(*job->lost);
  return {};
}

bool Committer::commit_now() {
  const std::unique_lock one(commit_mutex_);
  return commit_gathered(one);
}

bool Committer::commit_gathered(const std::unique_lock<std::mutex>& one) {
  CHECK(one.owns_lock());
  std::vector<JobPtr> jobs;
  {
    const std::lock_guard guard(mutex_);
    jobs.swap(dirty_);
  }
  if (jobs.empty()) return false;
  store::Commit commit;
  std::vector<Batch> batches;
  for (const JobPtr& job : jobs) {
    Batch batch = take_tail(job, commit);
    if (!batch.lines.empty()) batches.push_back(std::move(batch));
  }
  if (!batches.empty()) settle(batches, store_.commit(epoch_, commit));
  return true;
}

void Committer::settle(const std::vector<Batch>& batches, const base::Result<void>& result) {
  std::vector<JobPtr> lost;
  for (const Batch& batch : batches) {
    Lock lock(batch.job->mutex);
    batch.job->committing.clear();
    if (result) {
      batch.job->durable = batch.first + batch.count - 1;
    } else {
      batch.job->lost = result.error();
      lost.push_back(batch.job);
    }
    lock.unlock();  // who wakes needs it at once
    batch.job->changed.notify_all();
  }
  if (result)
    deliver_(batches);
  else
    lose_(lost, result.error());
}

// Waits until somebody waits for what has gathered, or nobody has taken it for a while. As long as
// others commit it in time the writer only looks now and then, so that appending wakes no thread.
bool Committer::something_to_do(std::unique_lock<std::mutex>& lock) {
  while (true) {
    const std::uint64_t seen = gathering_;
    wake_.wait_for(lock, kGather, [&] { return stopping_ || urgent_; });
    if (stopping_ || urgent_) return true;
    if (gathering_ == seen) return !dirty_.empty();
  }
}

void Committer::run() {
  pthread_setname_np(pthread_self(), "alos-commit");
  std::unique_lock lock(mutex_);
  while (true) {
    resting_ = true;
    wake_.wait(lock, [&] { return stopping_ || urgent_ || !dirty_.empty(); });
    resting_ = false;
    while (something_to_do(lock)) {
      urgent_ = false;
      if (stopping_ && dirty_.empty()) return;
      lock.unlock();
      commit_now();
      lock.lock();
    }
  }
}

}  // namespace alos::kernel
