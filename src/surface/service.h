// Service: how a command at a second terminal reaches the process that owns the store. DIR/socket,
// for the same user only. The owner runs the very same command and streams what it says.
//
// Wire: one line of JSON, {"argv":[...],"json":B,"colour":B,"width":N,"cwd":DIR}; then lines
// {"out":TEXT}, {"err":TEXT}, and last {"exit":N}.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "surface/output.h"

namespace alos::surface {

struct Asked {
  std::vector<std::string> words;
  Style style;
  std::string cwd;  // of whoever asks
};

// Listens from when it is made until it is stopped or destroyed. `serve` runs on the service's
// threads, several at a time; its value is the exit code.
class Service {
 public:
  using Serve = std::function<int(const Asked&, Output&)>;
  // Whether a command may last until others decide: so many of these at a time that there is always
  // room for those who decide.
  using Waits = std::function<bool(const Asked&)>;

  // The caller holds the store's lock: a socket that is there is a dead owner's and is removed.
  // Errors: `unavailable`.
  static base::Result<std::unique_ptr<Service>> listen(const std::string& store_dir, Serve serve,
                                                       Waits waits);
  ~Service();

  // No more commands; those that wait are told that nobody listens any more. False when some have
  // not ended within `patience`: then the process must end without destroying anything.
  bool stop(std::chrono::milliseconds patience);

 private:
  class Listener;
  explicit Service(std::unique_ptr<Listener> listener);
  std::unique_ptr<Listener> listener_;
};

// Lets the store's owner run the command. The exit code; nothing when no owner listens.
// Errors: `denied` (the socket is another user's), `unavailable` (the owner went away midway).
base::Result<std::optional<int>> ask_owner(const std::string& store_dir, const Asked& asked,
                                           Output& output);

}  // namespace alos::surface
