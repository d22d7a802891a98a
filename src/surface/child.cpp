#include "surface/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace alos::surface {

base::Result<Child> Child::start(const std::vector<std::string>& words, Input input) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return base::fail(base::Code::unavailable,
                      fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  std::vector<std::string> arguments{"alos"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  std::vector<char*> argv;
  for (std::string& word : arguments) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  if (input == Input::none)
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  pid_t pid = -1;
  const int status = ::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (status != 0) {
    ::close(ends[0]);
    return base::fail(base::Code::unavailable,
                      fmt::format("cannot run this program again: {}", std::strerror(status)));
  }
  return Child(pid, ends[0]);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      fd_(std::exchange(other.fd_, -1)),
      held_(std::move(other.held_)) {}

Child::~Child() {
  if (fd_ >= 0) ::close(fd_);
  if (pid_ > 0) {
    kill_now();
    wait();
  }
}

bool Child::next_line(std::string& line) {
  for (;;) {
    if (const std::size_t end = held_.find('\n'); end != std::string::npos) {
      line = held_.substr(0, end);
      held_.erase(0, end + 1);
      return true;
    }
    char buffer[16 * 1024];
    const ssize_t bytes = ::read(fd_, buffer, sizeof(buffer));
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return false;
    held_.append(buffer, static_cast<std::size_t>(bytes));
  }
}

void Child::kill_now() { ::kill(pid_, SIGKILL); }

int Child::wait() {
  int status = 0;
  pid_t ended = 0;
  do ended = ::waitpid(pid_, &status, 0);
  while (ended < 0 && errno == EINTR);
  pid_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace alos::surface
