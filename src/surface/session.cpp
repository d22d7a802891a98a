#include "surface/session.h"

#include <unistd.h>

#include <chrono>
#include <climits>
#include <cstdlib>

#include "base/text.h"

namespace alos::surface {
std::string default_store_dir() {
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data == '/') return std::string(data) + "/alos";
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr && *home == '/' ? home : "/tmp") + "/.local/share/alos";
}

std::string command_line(const std::string& store_dir, std::string_view command) {
  std::string out = "alos " + std::string(command);
  if (store_dir != default_store_dir()) out += " --store " + base::shell_quoted(store_dir);
  return out;
}

base::Time system_now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

std::string working_directory() {
  char buffer[PATH_MAX];
  return ::getcwd(buffer, sizeof(buffer)) != nullptr ? buffer : ".";
}

}  // namespace alos::surface
