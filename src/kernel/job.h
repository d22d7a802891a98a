// Job: a job that is in memory. One mutex guards its state; nobody holds it while an effect is
// performed.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <tuple>

#include "core/apply.h"
#include "store/store.h"

namespace alos::kernel {

// Proof that a job's mutex is held.
using Lock = std::unique_lock<std::mutex>;

// Records that are in the state but not yet in the store.
struct Tail {
  base::Seq first = 0;  // 0: none
  std::uint32_t count = 0;
  base::Digest before;
  std::string lines;
  std::vector<store::Blob> blobs;
  std::set<std::uint32_t> processes;  // whose projections changed
  std::set<base::RequestId> requests;
};

enum class RunState : std::uint8_t { idle, queued, running, running_again };

struct Job {
  std::mutex mutex;
  core::JobState state;
  Tail tail;

  std::vector<store::Blob>
      committing;  // blobs of the batch that is being committed: still only here
  std::map<std::uint32_t, base::Text> prompts;  // of processes, brought back from their blobs
  base::Seq durable = 0;                        // all records up to here are in the store
  std::optional<base::Error>
      lost;              // set when a batch could not be made durable: this object is void
  bool retired = false;  // all of it has ended and is durable: whoever comes loads it anew
  std::condition_variable changed;  // durable, lost, or a state somebody may wait for

  bool queued_for_commit = false;
  std::uint64_t bytes_since_snapshot = 0;
  std::uint64_t snapshot_bytes = 0;

  bool active = false;  // its processes are run here
  std::map<std::uint32_t, RunState> run;
  std::set<std::tuple<std::uint32_t, base::CallId, std::uint32_t>>
      in_flight;                    // deferred syscalls of this runtime
  std::set<std::uint32_t> starved;  // processes that wait until calls under way give budget back

  base::JobId id() const { return state.job; }
  const std::string* unsaved(
      const base::Digest& digest) const;  // a blob that the store does not have yet
};
using JobPtr = std::shared_ptr<Job>;

}  // namespace alos::kernel
