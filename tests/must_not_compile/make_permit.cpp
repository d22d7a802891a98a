// expect: Permit<.*is private within this context
#include "abi/calls.h"
#include "ports/tokens.h"

alos::ports::Permit<alos::abi::FsRead> pass_on(alos::ports::Permit<alos::abi::FsRead> permit) {
#ifdef ALOS_CONTROL
  return permit;
#else
  return {permit.call(), nullptr, {}, {}};
#endif
}
