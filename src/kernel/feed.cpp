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

void Owner::deliver(const std::vector<Committer::Batch>& batches) {
  std::vector<base::JobId> over;  // nothing can be appended to them any more
  for (const Committer::Batch& batch : batches) {
    const Lock lock(batch.job->mutex);
    const auto& processes = batch.job->state.processes;
    if (!batch.job->state.outbox.empty()) {
      post_pump(batch.job);
      continue;
    }
    if (std::none_of(processes.begin(), processes.end(),
                     [](const core::Process& process) { return process.live(); }))
      over.push_back(batch.job->id());
  }
  {
    const std::lock_guard guard(mutex_);
    trouble_.reset();
    for (const base::JobId job : over) jobs_.erase(job);
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
