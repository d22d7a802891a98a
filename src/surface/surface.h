// Surface: the command line. Every command is a function of a kernel, its arguments and an Output,
// so that the process that owns a store can run it for somebody at another terminal as well.
#pragma once

#include "kernel/kernel.h"

namespace alos::surface {

// The whole program. The value is the exit code: 0, or the number of a base::Code.
int run(int argc, char** argv, const kernel::Opener& open);

}  // namespace alos::surface
