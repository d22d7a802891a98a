#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace alos::base {

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "alos: %s:%d: this cannot be: %s (a bug in alos; the journal is intact)\n",
               file, line, expression);
  std::abort();
}

}  // namespace alos::base
