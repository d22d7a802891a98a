// Runtime: composition. Builds the store and the hands, gives them to the kernel, and keeps them in
// the order in which they must go.
#pragma once

#include "kernel/kernel.h"

namespace alos::runtime {

// A kernel over the store in `options.store_dir`; a kernel::Opener. Mode `look` reads only, starts
// no thread; where there is no store it shows an empty one. Mode `own` takes the store's lock,
// makes what is missing, and stays the owner until the last copy of the pointer is gone. Errors:
// `conflict` (another process owns it), `invalid` (not a store of ours), `unavailable`.
base::Result<std::shared_ptr<kernel::Kernel>> open(const kernel::OpenOptions& options);

}  // namespace alos::runtime
