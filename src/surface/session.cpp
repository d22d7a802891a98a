#include "surface/session.h"

#include <chrono>
#include <cstdlib>

namespace alos::surface {
namespace {

bool is_plain(std::string_view text) {
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '/' || c == '.' || c == '-' || c == '_' || c == ':' || c == '@' ||
                       c == '+';
    if (!plain) return false;
  }
  return !text.empty();
}

std::string shell_quoted(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::string default_store_dir() {
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data == '/') return std::string(data) + "/alos";
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr && *home == '/' ? home : "/tmp") + "/.local/share/alos";
}

std::string command_line(const std::string& store_dir, std::string_view command) {
  std::string out = "alos " + std::string(command);
  if (store_dir != default_store_dir()) out += " --store " + shell_quoted(store_dir);
  return out;
}

base::Time system_now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

}  // namespace alos::surface
