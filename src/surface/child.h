// Child: this program run again as another process, its stdout read line by line. For the demo.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace alos::surface {

class Child {
 public:
  // stdin is ours where `input` says so, else nothing; stderr is ours. Errors: `unavailable`.
  enum class Input { none, ours };
  static base::Result<Child> start(const std::vector<std::string>& words, Input input);
  Child(Child&& other) noexcept;
  ~Child();

  bool next_line(std::string& line);  // false: it has closed its output
  void kill_now();                    // SIGKILL
  int wait();                         // exit code; 128 + the signal that ended it

 private:
  Child(pid_t pid, int fd) : pid_(pid), fd_(fd) {}
  pid_t pid_;
  int fd_;
  std::string held_;
};

}  // namespace alos::surface
