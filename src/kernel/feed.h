// Feed: the queue between the committer and one subscriber. The committer only puts lines in; the
// subscriber's own thread makes views of them.
#pragma once

#include <condition_variable>
#include <deque>

#include "kernel/committer.h"
#include "kernel/kernel.h"

namespace alos::kernel {

class Feed {
 public:
  explicit Feed(std::optional<base::JobId> job) : job_(job) {}

  void put(const Committer::Batch& batch);
  struct Lines {
    base::Digest before;
    std::string lines;
  };
  std::vector<Lines> take(std::chrono::milliseconds patience);

 private:
  std::optional<base::JobId> job_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Lines> queue_;
};

}  // namespace alos::kernel
