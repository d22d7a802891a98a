// expect: store/store.h: No such file
// as: providers
#include "ports/hands.h"

// The room providers cannot see the room store.
#ifndef ALOS_CONTROL
#include "store/store.h"
#endif
