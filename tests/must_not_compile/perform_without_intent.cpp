// expect: no matching function for call to .*Files::perform
#include "ports/hands.h"

using alos::abi::FsRead;

void act(alos::ports::Files& files, const alos::ports::Intent<FsRead>& intent, const FsRead& call) {
#ifdef ALOS_CONTROL
  (void)call;
  (void)files.perform(intent);
#else
  (void)intent;
  (void)files.perform(call);
#endif
}
