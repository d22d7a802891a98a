// expect: use of deleted function
#include "abi/calls.h"
#include "ports/tokens.h"

alos::ports::Intent<alos::abi::FsWrite> keep(alos::ports::Intent<alos::abi::FsWrite>& intent) {
#ifdef ALOS_CONTROL
  return std::move(intent);
#else
  return intent;
#endif
}
