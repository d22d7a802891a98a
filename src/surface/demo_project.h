// The demo's project: a small real tree of files, a manifest, a scripted model and the rules that
// answer it.
#pragma once

#include <string>

#include "base/result.h"

namespace alos::surface {

struct DemoPlaces {
  std::string dir;      // holds everything
  std::string project;  // what the agent sees as /workspace
  std::string manifest;
  std::string rules;
  std::string store;
};

// Makes a fresh directory beneath the system's temporary one and fills it. Errors: `unavailable`.
base::Result<DemoPlaces> make_demo_project();

}  // namespace alos::surface
