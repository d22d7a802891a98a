// expect: template constraint failure
#include "ports/hands.h"

// What happens in the journal alone has no hands.
#ifdef ALOS_CONTROL
using Hand = alos::ports::Performs<alos::abi::FsRead>;
#else
using Hand = alos::ports::Performs<alos::abi::MemPut>;
#endif
void use(Hand&);
