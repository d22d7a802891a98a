// The images that are always there. An image declares a prompt, an exact tool table and the grants
// it needs; it never grants anything.
#pragma once

#include <string_view>
#include <vector>

#include "abi/image.h"
#include "base/result.h"

namespace alos::agent {

// `base`, which can think, ask and keep objects, and `coding`, which also works on files below
// /workspace.
std::vector<abi::Image> builtin_images();

// Of `images` the one with this name; `not_found` names the ones there are.
base::Result<abi::Image> find_image(const std::vector<abi::Image>& images, std::string_view name);

}  // namespace alos::agent
