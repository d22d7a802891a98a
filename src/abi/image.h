// Image: what a process boots from. It declares, it never grants.
#pragma once

#include <string>
#include <vector>

#include "abi/grant.h"

namespace alos::abi {

struct Image {
  std::string name;
  std::string description;
  std::string prompt;              // system prompt
  std::vector<std::string> tools;  // the exact tool table
  std::vector<std::string> needs;  // grants it would like, as text; shown before a run
  ALOS_FIELDS(name, description, prompt, tools, needs)
};

}  // namespace alos::abi
