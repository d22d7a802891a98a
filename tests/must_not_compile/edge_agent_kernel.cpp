// expect: kernel/kernel.h: No such file
// as: agent
#include "abi/program.h"

// The room agent cannot see the room kernel.
#ifndef ALOS_CONTROL
#include "kernel/kernel.h"
#endif
