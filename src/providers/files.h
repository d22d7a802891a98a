// The file provider: a host directory per root, every path pinned beneath it before it is decided.
//
// What it holds to: no symlink, race or `..` leads an effect out of the place that was decided; a
// file is replaced whole or not at all; what is reported done survives power loss.
#pragma once

#include <memory>

#include "ports/hands.h"

namespace alos::providers {

// Needs Linux 5.6 (openat2). Any number of threads.
std::unique_ptr<ports::Files> make_files();

}  // namespace alos::providers
