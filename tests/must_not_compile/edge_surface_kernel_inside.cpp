// expect: kernel/journal.h: No such file
// as: surface
#include "kernel/kernel.h"

// Of the room kernel, surface sees kernel.h and nothing else.
#ifndef ALOS_CONTROL
#include "kernel/journal.h"
#endif
