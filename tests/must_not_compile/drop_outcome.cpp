// expect: ignoring returned value of type .*Outcome
#include "ports/hands.h"

#pragma GCC diagnostic error "-Wunused-result"

void act(alos::ports::Files& files, const alos::ports::Intent<alos::abi::FsWrite>& intent) {
#ifdef ALOS_CONTROL
  const auto outcome = files.perform(intent);
  (void)outcome;
#else
  files.perform(intent);
#endif
}
