// expect: ports/hands.h: No such file
// as: core
#include "core/state.h"

// The room core cannot see the room ports.
#ifndef ALOS_CONTROL
#include "ports/hands.h"
#endif
