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
  // service: on behalf of somebody at another terminal, by a run in the foreground; daemon: the
  // same, by a runtime that stays; here: by a runtime that ends with the command.
  enum class Place : std::uint8_t { here, service, daemon } place = Place::here;
  std::string cwd;  // of whoever asks; relative paths begin there
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

std::string working_directory();

}  // namespace alos::surface
