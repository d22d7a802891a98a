// expect: use of deleted function
#include "abi/calls.h"
#include "ports/tokens.h"

alos::ports::Permit<alos::abi::FsWrite> keep(alos::ports::Permit<alos::abi::FsWrite>& permit) {
#ifdef ALOS_CONTROL
  return std::move(permit);
#else
  return permit;
#endif
}
