// Session: what a command works with. Host: what the program as a whole has, before any store is
// open.
#pragma once

#include <string>
#include <vector>

#include "kernel/kernel.h"
#include "surface/output.h"

namespace alos::surface {

struct Session {
  kernel::Kernel& kernel;
  Output& output;
  Style style;
  std::string store_dir;
  // service: on behalf of somebody at another terminal, by the runtime that goes on; here: by a
  // runtime that ends with the command.
  enum class Place : std::uint8_t { here, service } place = Place::here;
};

struct Host {
  const kernel::Opener& open;
  Output& output;
  Style style;
  std::string store_dir;
};

// The same command at a person's fingertips, with --store when it is not the default one.
std::string command_line(const std::string& store_dir, std::string_view command);

std::string default_store_dir();

base::Time system_now();

}  // namespace alos::surface
