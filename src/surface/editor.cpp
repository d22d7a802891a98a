#include "surface/editor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/text.h"
#include "surface/yaml.h"

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;

namespace {

constexpr std::size_t kEditedBytesMax = 16U << 20;

// The shell, as the command may have words of its own. Signals are as a program expects them: the
// foreground has blocked some.
Result<int> run_shell(const std::string& command, const std::string& file) {
  std::string script = command + " \"$1\"";
  std::string shell = "sh", flag = "-c", name = "alos", path = file;
  char* words[] = {shell.data(), flag.data(), script.data(), name.data(), path.data(), nullptr};
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, "/bin/sh", nullptr, &attributes, words, environ);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return fail(Code::unavailable, "cannot start /bin/sh");
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool save_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t bytes = ::write(fd, text.data(), text.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(bytes));
  }
  return true;
}

}  // namespace

std::optional<std::string> editor_command() {
  for (const char* name : {"VISUAL", "EDITOR"})
    if (const char* command = std::getenv(name); command != nullptr && *command != '\0')
      return command;
  return std::nullopt;
}

Result<std::string> edited_text(const std::string& command, const std::string& text) {
  const char* tmp = std::getenv("TMPDIR");
  std::string file =
      std::string(tmp != nullptr && *tmp == '/' ? tmp : "/tmp") + "/alos-XXXXXX.json";
  const int fd = ::mkostemps(file.data(), 5, O_CLOEXEC);
  if (fd < 0) return fail(Code::unavailable, "cannot make a file to edit in " + file);
  const bool written = save_all(fd, text + '\n');
  ::close(fd);
  const auto ended = written ? run_shell(command, file) : Result<int>(-1);
  auto back = read_whole_file(file, kEditedBytesMax);
  ::unlink(file.c_str());
  if (!ended || *ended != 0)
    return fail(Code::unavailable,
                fmt::format("`{}` ended with an error", base::printable(command)));
  if (back && back->ends_with('\n')) back->pop_back();
  return back;
}

}  // namespace alos::surface
