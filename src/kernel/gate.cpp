#include "kernel/gate.h"

#include <fmt/format.h>

namespace alos::kernel {

using base::Code;
using base::Error;

Error withdrawn(std::string_view name) {
  return {
      Code::denied,
      fmt::format("{} did not happen before the crash, and its authority has been taken back since",
                  name),
      ""};
}

Error neither_old_nor_new(std::string_view name, std::string_view what) {
  return {
      Code::conflict,
      fmt::format(
          "{} was interrupted by a crash, and what is there now is neither the old nor the new: {}",
          name, what),
      "look at it and decide"};
}

Error nobody_can_say(std::string_view name) {
  return {Code::outcome_unknown,
          fmt::format("{} was begun before a crash; nobody can say whether it happened", name),
          "look for its traces before doing it again"};
}

}  // namespace alos::kernel
