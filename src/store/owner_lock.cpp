#include "store/owner_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace alos::store {

using base::Code;
using base::fail;
using base::Result;

namespace {

base::Unexpected unavailable(const std::string& what, int error) {
  return fail(Code::unavailable, fmt::format("{}: {}", what, std::strerror(error)),
              "choose a directory you may write with --store");
}

base::Unexpected held(int fd, const std::string& dir) {
  char text[32] = {};
  const ssize_t bytes = ::pread(fd, text, sizeof(text) - 1, 0);
  std::string holder(text, bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return fail(Code::conflict,
              fmt::format("store {} is in use by {}", dir,
                          holder.empty() ? "another process" : "process " + holder),
              "stop it, or let it answer: commands reach it through its socket");
}

}  // namespace

Result<OwnerLock> OwnerLock::take(const std::string& dir) {
  const std::string file = dir + "/owner.lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return unavailable("cannot open " + file, errno);
  OwnerLock lock(fd);
  int status = 0;
  do status = ::flock(fd, LOCK_EX | LOCK_NB);
  while (status != 0 && errno == EINTR);
  if (status != 0 && errno == EWOULDBLOCK) return held(fd, dir);
  if (status != 0) return unavailable("cannot lock " + file, errno);
  // Only for the message of whoever finds it locked; a full disk is no reason to stop here.
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0) errno = 0;
  return lock;
}

OwnerLock::~OwnerLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> make_directories(const std::string& dir) {
  struct stat found = {};
  if (::stat(dir.c_str(), &found) == 0) {
    if (S_ISDIR(found.st_mode)) return {};
    return unavailable("store " + dir, ENOTDIR);
  }
  const std::size_t slash = dir.find_last_of('/');
  const std::string above = slash == std::string::npos ? "."
                            : slash == 0               ? "/"
                                                       : dir.substr(0, slash);
  if (slash != dir.size() - 1 && !dir.empty() && above != dir) {
    TRY(make_directories(above));
    if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST)
      return unavailable("cannot make " + dir, errno);
    return sync_directory(above);
  }
  return make_directories(above);
}

Result<void> sync_directory(const std::string& dir) {
  const int fd = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno == EACCES) return {};  // may be passed, not read
  if (fd < 0) return unavailable("cannot open " + dir, errno);
  const int status = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  // Some filesystems cannot sync a directory, and need not.
  if (status != 0 && error != EINVAL && error != EROFS)
    return unavailable("cannot sync " + dir, error);
  return {};
}

}  // namespace alos::store
