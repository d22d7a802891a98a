// expect: no match for .operator\+
#include "base/time.h"

using namespace alos::base;

Time later(Time now) {
#ifdef ALOS_CONTROL
  return now + std::chrono::seconds(5);
#else
  return now + 5;
#endif
}
