// DIR/owner.lock: held while a process owns the store. Private to this room.
#pragma once

#include <string>

#include "base/result.h"

namespace alos::store {

// An exclusive flock, freed when destroyed or when its process dies. The file says the holder's
// process id.
class OwnerLock {
 public:
  // Errors: `conflict` (held; says by whom), `unavailable`.
  static base::Result<OwnerLock> take(const std::string& dir);
  OwnerLock(OwnerLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnerLock& operator=(OwnerLock&&) = delete;
  ~OwnerLock();

 private:
  explicit OwnerLock(int fd) : fd_(fd) {}
  int fd_;
};

// Makes `dir` and what is missing above it, for this user only. Errors: `unavailable`.
base::Result<void> make_directories(const std::string& dir);

// Makes the entries of `dir` durable.
base::Result<void> sync_directory(const std::string& dir);

}  // namespace alos::store
