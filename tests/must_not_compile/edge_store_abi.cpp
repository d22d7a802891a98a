// expect: abi/calls.h: No such file
// as: store
#include "store/store.h"

// The room store cannot see the room abi.
#ifndef ALOS_CONTROL
#include "abi/calls.h"
#endif
