#include "kernel/feed.h"

#include <algorithm>

#include "kernel/looking.h"
#include "kernel/owner.h"

namespace alos::kernel {
namespace {

class FeedSubscription : public Subscription {
 public:
  FeedSubscription(std::shared_ptr<Feed> feed, base::LoadBlob load)
      : feed_(std::move(feed)), load_(std::move(load)) {}

  std::vector<RecordView> next(std::chrono::milliseconds patience) override {
    std::vector<RecordView> out;
    for (const Feed::Lines& run : feed_->take(patience)) {
      auto views = views_of(run.lines, run.before, load_);
      for (RecordView& view : views ? *views : std::vector<RecordView>{})
        out.push_back(std::move(view));
    }
    return out;
  }

 private:
  std::shared_ptr<Feed> feed_;
  base::LoadBlob load_;
};

}  // namespace

void Feed::put(const Committer::Batch& batch) {
  if (job_ && batch.job->id() != *job_) return;
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({batch.before, batch.lines});
  }
  filled_.notify_one();
}

std::vector<Feed::Lines> Feed::take(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  filled_.wait_for(lock, patience, [&] { return !queue_.empty(); });
  std::vector<Lines> out(std::make_move_iterator(queue_.begin()),
                         std::make_move_iterator(queue_.end()));
  queue_.clear();
  return out;
}

std::unique_ptr<Subscription> Owner::subscribe(std::optional<base::JobId> job) {
  auto feed = std::make_shared<Feed>(job);
  const std::lock_guard guard(mutex_);
  feeds_.push_back(feed);
  return std::make_unique<FeedSubscription>(std::move(feed), loader());
}

// A job that has ended, and is durable to its last record, leaves memory. Who has it in hand and
// comes for its lock sees that, and gets it anew: one job is never there twice.
void Owner::retire(const JobPtr& job, const Lock& lock) {
  CHECK(lock.owns_lock());
  const auto& processes = job->state.processes;
  const bool over = std::none_of(processes.begin(), processes.end(),
                                 [](const core::Process& process) { return process.live(); });
  if (!over || job->tail.count != 0 || job->lost) return;
  const std::lock_guard guard(mutex_);
  const auto found = jobs_.find(job->id());
  if (found == jobs_.end() || found->second != job) return;
  job->retired = true;
  jobs_.erase(found);
}

void Owner::deliver(const std::vector<Committer::Batch>& batches) {
  for (const Committer::Batch& batch : batches) {
    const Lock lock(batch.job->mutex);
    if (!batch.job->state.outbox.empty())
      post_pump(batch.job);
    else
      retire(batch.job, lock);
  }
  {
    const std::lock_guard guard(mutex_);
    trouble_.reset();
    ++deliveries_;
    for (auto it = feeds_.begin(); it != feeds_.end();) {
      const auto feed = it->lock();
      if (!feed) {
        it = feeds_.erase(it);
        continue;
      }
      for (const Committer::Batch& batch : batches) feed->put(batch);
      ++it;
    }
  }
  delivered_.notify_all();
}

base::Result<ProcessView> Owner::wait(base::Pid pid, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    std::uint64_t seen = 0;
    {
      const std::lock_guard guard(mutex_);
      seen = deliveries_;
    }
    ProcessView view = TRY(process(pid));
    if (view.ended() || view.state == "paused") return view;
    std::unique_lock lock(mutex_);
    if (!delivered_.wait_until(lock, deadline, [&] { return deliveries_ != seen; })) return view;
  }
}

}  // namespace alos::kernel
