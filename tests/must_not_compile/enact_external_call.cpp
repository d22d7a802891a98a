// expect: no matching function for call to .*Journal::enact|constraints not satisfied
#include "kernel/journal.h"

using namespace alos;

// An effect on the world cannot take the path of those that are only records.
#ifdef ALOS_CONTROL
using Call = abi::MemPut;
#else
using Call = abi::FsWrite;
#endif
base::Result<Call::Reply> enact(kernel::Journal& journal, ports::Permit<Call> permit) {
  return journal.enact(std::move(permit));
}
