// CHECK: a statement of what cannot be otherwise. Always on; a failed CHECK is a bug in alos and
// aborts at once, because recovery from the journal is the best-tested path there is.
#pragma once

namespace alos::base {

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace alos::base

#define CHECK(condition)                                          \
  do {                                                            \
    if (!(condition)) [[unlikely]]                                \
      ::alos::base::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
