// expect: ports/hands.h: No such file
// as: tools
#include "abi/syscalls.h"

// The room tools cannot see the room ports.
#ifndef ALOS_CONTROL
#include "ports/hands.h"
#endif
