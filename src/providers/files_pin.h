// Pinned places: a logical path resolved beneath its root to where it really is, and held open.
//
// A place is held as a directory descriptor and one name in it. Both were found without following
// any link, so the real path is exact, and what is done later is done to that name in that very
// directory, again without following: whatever is swapped in between, nothing outside can be
// reached.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ports/hands.h"

namespace alos::providers {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Fd();

  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

ALOS_ENUM(PlaceKind, top, missing, file, directory, link)

// Which file it was, and in which state: another one, or a changed one, is not equal.
struct Identity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;

  bool operator==(const Identity&) const = default;
  bool same_file(const Identity& other) const {
    return device == other.device && inode == other.inode;
  }
};

struct Status {
  PlaceKind kind = PlaceKind::missing;
  Identity identity;
  unsigned mode = 0;  // permission bits
  std::uint64_t links = 0;
};

struct PinnedPath {
  base::Path path;  // the real one
  Status status;    // when it was pinned
  Fd parent;        // the directory that holds `name`; closed for a root and for the top
  std::string name;
  Fd directory;  // the place itself, when it is a directory
  std::vector<std::string>
      missing;       // the names to make beneath `parent`, `name` first; empty unless missing
  abi::Roots roots;  // of the top: what is beneath
};

base::Result<PinnedPath> pin_path(const ports::Files::PinSpec& spec, const abi::Roots& roots);

// An O_PATH descriptor of a root's host directory.
base::Result<Fd> open_root(const abi::Root& root);

// What is at `name` now; a link is `link`. Errors: `invalid` (device, pipe, socket), `denied`,
// `unavailable`.
base::Result<Status> status_at(int directory, const std::string& name, const base::Path& path);

// The error a system call left in `errno_value`, as "cannot VERB `PATH`: reason".
base::Unexpected io_error(int errno_value, std::string_view verb, const base::Path& path);

}  // namespace alos::providers
