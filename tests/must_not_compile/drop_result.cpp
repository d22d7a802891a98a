// expect: ignoring returned value of type .*Result
#include "base/path.h"

#pragma GCC diagnostic error "-Wunused-result"

// A refused or parked call is a value that somebody must hear.
void look(std::string_view text) {
#ifdef ALOS_CONTROL
  (void)alos::base::Path::parse(text);
#else
  alos::base::Path::parse(text);
#endif
}
