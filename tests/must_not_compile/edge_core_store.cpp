// expect: store/store.h: No such file
// as: core
#include "core/state.h"

// The room core cannot see the room store.
#ifndef ALOS_CONTROL
#include "store/store.h"
#endif
