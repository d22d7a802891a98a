// From a command line and a manifest to a launch.
#pragma once

#include <string>
#include <vector>

#include "kernel/kernel.h"
#include "surface/arguments.h"

namespace alos::surface {

// Reads the manifest where the word names one, puts the options over it, and looks at the roots.
// `dir` is what relative paths of the command line are taken from. Errors: `invalid`, `not_found`.
base::Result<kernel::Launch> read_launch(const Arguments& arguments, const std::string& store_dir,
                                         const std::string& dir, base::Time now);

// A real directory for a root. Errors: `not_found`; `invalid`: a bad name, no directory, or one
// that holds the store or lies in it.
base::Result<abi::Root> resolve_root(const std::string& name, const std::string& dir,
                                     const std::string& store_dir);

}  // namespace alos::surface
