// expect: abi/resource.h: No such file
// as: base
#include "base/json.h"

// The room base cannot see the room abi.
#ifndef ALOS_CONTROL
#include "abi/resource.h"
#endif
