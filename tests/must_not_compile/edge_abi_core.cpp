// expect: core/record.h: No such file
// as: abi
#include "abi/calls.h"

// The room abi cannot see the room core.
#ifndef ALOS_CONTROL
#include "core/record.h"
#endif
