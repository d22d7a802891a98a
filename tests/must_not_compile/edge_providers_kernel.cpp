// expect: kernel/journal.h: No such file
// as: providers
#include "ports/hands.h"

// The room providers cannot see the room kernel.
#ifndef ALOS_CONTROL
#include "kernel/journal.h"
#endif
