// expect: Intent<.*is private within this context
#include "abi/calls.h"
#include "ports/tokens.h"

alos::ports::Intent<alos::abi::FsRead> pass_on(alos::ports::Intent<alos::abi::FsRead> intent) {
#ifdef ALOS_CONTROL
  return intent;
#else
  return {intent.call(), nullptr, {}, {}, {}, intent.key()};
#endif
}
