// expect: could not convert|cannot convert|conversion from .* requested|no known conversion
#include "base/id.h"

using namespace alos::base;

JobId job_of(std::uint64_t number) {
#ifdef ALOS_CONTROL
  return JobId{number};
#else
  return number;
#endif
}
