// expect: no matching function for call to .*Files::perform
#include "ports/hands.h"

using alos::abi::FsWrite;

// Authority said yes, but it is not durable yet.
void act(alos::ports::Files& files, const alos::ports::Intent<FsWrite>& intent,
         const alos::ports::Permit<FsWrite>& permit) {
#ifdef ALOS_CONTROL
  (void)permit;
  (void)files.perform(intent);
#else
  (void)intent;
  (void)files.perform(permit);
#endif
}
