// Committer: makes records durable, many jobs in one transaction.
//
// Appending puts a job on the list. Who must wait for durability commits all that has gathered, or,
// when a commit is under way already, leaves it to the writer thread, which also takes what nobody
// waits for. One commit at a time. Under a stepped executor there is no thread.
#pragma once

#include <functional>
#include <thread>

#include "kernel/job.h"
#include "ports/hands.h"

namespace alos::kernel {

class Committer {
 public:
  struct Batch {  // what became durable for one job
    JobPtr job;
    base::Seq first = 0;
    std::uint32_t count = 0;
    base::Digest before;
    std::string lines;
  };
  using Deliver =
      std::function<void(const std::vector<Batch>&)>;  // after a commit, on the committing thread
  using Lose =
      std::function<void(const std::vector<JobPtr>&, const base::Error&)>;  // after a failed one

  Committer(store::Store& store, store::Epoch epoch, ports::Threads threads, Deliver deliver,
            Lose lose);
  ~Committer();  // commits what is there

  // The job has a tail. Called with its lock held.
  void enqueue(const JobPtr& job, const Lock& lock);

  // Waits until records up to `seq` are durable. Errors: what the job was lost for.
  base::Result<void> wait(const JobPtr& job, base::Seq seq);

  // Commits what has gathered; true when there was something.
  bool commit_now();

 private:
  void run();
  bool something_to_do(std::unique_lock<std::mutex>& lock);
  bool commit_gathered(const std::unique_lock<std::mutex>& one);
  void settle(const std::vector<Batch>& batches, const base::Result<void>& result);

  store::Store& store_;
  store::Epoch epoch_;
  ports::Threads threads_;
  Deliver deliver_;
  Lose lose_;

  std::mutex commit_mutex_;  // one commit at a time
  std::mutex mutex_;         // guards those below
  std::condition_variable wake_;
  std::vector<JobPtr> dirty_;
  std::uint64_t gathering_ = 0;  // how often `dirty_` began to fill
  bool resting_ = false;         // the writer waits to be woken; otherwise it looks by itself
  bool urgent_ = false;          // somebody waits
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace alos::kernel
