// expect: ports/hands.h: No such file
// as: surface
#include "kernel/kernel.h"

// The room surface cannot see the room ports.
#ifndef ALOS_CONTROL
#include "ports/hands.h"
#endif
