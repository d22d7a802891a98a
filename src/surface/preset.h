// Presets: sets of grants that are shipped, for work that people often have done.
#pragma once

#include <string_view>
#include <vector>

#include "abi/grant.h"

namespace alos::surface {

// The grants of `--policy NAME` over the files of a root. Errors: `invalid`.
base::Result<std::vector<abi::Grant>> preset_grants(std::string_view name, std::string_view root);

}  // namespace alos::surface
