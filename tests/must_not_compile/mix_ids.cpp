// expect: could not convert|cannot convert|conversion from .* requested|no known conversion
#include "base/id.h"

using namespace alos::base;

RequestId request_of(RequestId request, CapId cap) {
#ifdef ALOS_CONTROL
  (void)cap;
  return request;
#else
  (void)request;
  return cap;
#endif
}
