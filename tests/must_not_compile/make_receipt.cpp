// expect: Receipt<.*is private within this context
#include "abi/calls.h"
#include "ports/tokens.h"

using Read = alos::abi::FsRead;

alos::base::Result<Read::Reply> answer(alos::ports::Receipt<Read> receipt) {
#ifdef ALOS_CONTROL
  return std::move(receipt).reply();
#else
  return alos::ports::Receipt<Read>(Read::Reply{}).reply();
#endif
}
