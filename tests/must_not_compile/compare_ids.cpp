// expect: no match for .operator==
#include "base/id.h"

using namespace alos::base;

bool same(CapId cap, RequestId request) {
#ifdef ALOS_CONTROL
  return cap.value == request.value;
#else
  return cap == request;
#endif
}
