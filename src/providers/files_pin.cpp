#include "providers/files_pin.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace alos::providers {

using base::Code;
using base::fail;
using base::Path;
using base::printable;
using base::Result;
using base::Unexpected;

namespace {

constexpr int kLinksMax = 40;        // as the kernel follows
constexpr int kResolveTriesMax = 8;  // openat2 gives EAGAIN while someone renames nearby

// Opens O_PATH beneath `root` without leaving it; -1 and errno otherwise.
int open_beneath(int root, const std::string& below, std::uint64_t flags, std::uint64_t resolve) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC | flags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | resolve;
  for (int tries = 0; tries < kResolveTriesMax; ++tries) {
    const long fd =
        ::syscall(SYS_openat2, root, below.empty() ? "." : below.c_str(), &how, sizeof(how));
    if (fd >= 0) return static_cast<int>(fd);
    if (errno != EAGAIN && errno != EINTR) return -1;
  }
  errno = EAGAIN;
  return -1;
}

std::string directory_of(const std::string& below) {
  const std::size_t slash = below.rfind('/');
  return slash == std::string::npos ? std::string() : below.substr(0, slash);
}

std::string name_in(const std::string& below) { return below.substr(below.rfind('/') + 1); }

std::string joined(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + '/' + name;
}

Unexpected leads_out(const Path& path) {
  return fail(Code::denied,
              fmt::format("`{}` is or passes a link that leads out of root /{}",
                          printable(path.text()), path.root()),
              "name a file beneath the root; absolute links are never followed, relative ones only "
              "beneath the root");
}

Unexpected resolve_error(int errno_value, const Path& path) {
  if (errno_value == EXDEV) return leads_out(path);
  if (errno_value == ENOTDIR)
    return fail(Code::invalid, fmt::format("`{}` passes a file as if it were a directory",
                                           printable(path.text())));
  if (errno_value == ENOENT)
    return fail(Code::not_found, fmt::format("no file `{}`", printable(path.text())),
                "list the directory above it to see what is there");
  return io_error(errno_value, "find", path);
}

Result<std::string> link_of_descriptor(int fd, const Path& path) {
  std::string target(base::kPathBytesMax + 1, '\0');
  const ssize_t size =
      ::readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), target.data(), target.size());
  if (size < 0) return io_error(errno, "find the real place of", path);
  if (static_cast<std::size_t>(size) == target.size())
    return fail(Code::invalid, fmt::format("`{}` really lies at a path of over {} bytes",
                                           printable(path.text()), base::kPathBytesMax));
  target.resize(static_cast<std::size_t>(size));
  return target;
}

// Where `fd` is below `root`. Only a proposal: a name that is stale by now is found out when it is
// pinned.
Result<std::string> name_beneath(int root, int fd, const Path& path) {
  std::string top = TRY(link_of_descriptor(root, path));
  const std::string real = TRY(link_of_descriptor(fd, path));
  if (real == top) return std::string();
  if (top != "/") top += '/';
  if (!real.starts_with(top)) return leads_out(path);
  return real.substr(top.size());
}

// The parent of what is to be made, and the names that do not exist beneath it, from the outside
// in.
struct Ancestor {
  Fd fd;
  std::vector<std::string> missing;
  int failure = 0;  // errno, when `fd` is closed
};

Ancestor open_directory(int root, std::string below, std::uint64_t resolve,
                        ports::Missing missing) {
  Ancestor found;
  for (;;) {
    found.fd = Fd(open_beneath(root, below, O_DIRECTORY, resolve));
    if (found.fd) return found;
    found.failure = errno;
    if (found.failure != ENOENT || missing != ports::Missing::parents || below.empty())
      return found;
    found.missing.insert(found.missing.begin(), name_in(below));
    below = directory_of(below);
  }
}

Unexpected directory_error(int errno_value, const ports::Files::PinSpec& spec) {
  if (errno_value != ENOENT || spec.missing == ports::Missing::refuse)
    return resolve_error(errno_value, spec.path);
  return fail(
      Code::not_found,
      fmt::format("the directory `{}` does not exist", printable(spec.path.parent().text())),
      "make it first");
}

// The real name beneath the root of what `below` leads to through links, of which the last may
// dangle.
Result<std::string> follow(int root, std::string below, const ports::Files::PinSpec& spec) {
  for (int links = 0; links < kLinksMax; ++links) {
    Ancestor at = open_directory(root, directory_of(below), 0, spec.missing);
    if (!at.fd) return directory_error(at.failure, spec);
    std::string real = TRY(name_beneath(root, at.fd.number(), spec.path));
    if (!at.missing.empty() &&
        TRY(status_at(at.fd.number(), at.missing.front(), spec.path)).kind != PlaceKind::missing)
      return fail(Code::not_found,
                  fmt::format("`{}` passes a link that leads nowhere", printable(spec.path.text())),
                  "remove the link, or make what it leads to");
    for (const std::string& name : at.missing) real = joined(real, name);
    const std::string name = name_in(below);
    if (name == "." || name == ".." ||
        name.empty()) {  // the end of a link's text: a directory that exists
      Fd directory(open_beneath(root, below, O_DIRECTORY, 0));
      if (!directory) return resolve_error(errno, spec.path);
      return name_beneath(root, directory.number(), spec.path);
    }
    std::string target(base::kPathBytesMax, '\0');
    const bool look = at.missing.empty() && spec.leaf == abi::Leaf::follow;
    const ssize_t size =
        look ? ::readlinkat(at.fd.number(), name.c_str(), target.data(), target.size()) : -1;
    if (size < 0) return joined(real, name);  // no link, or not there
    target.resize(static_cast<std::size_t>(size));
    if (target.starts_with('/')) return leads_out(spec.path);
    while (target.ends_with('/')) target.pop_back();
    below = joined(real, target);
  }
  return resolve_error(ELOOP, spec.path);
}

Result<void> allowed(const PinnedPath& place, const ports::Files::PinSpec& spec) {
  const Status& status = place.status;
  const bool to_change = spec.missing != ports::Missing::refuse && spec.leaf == abi::Leaf::follow;
  if (to_change && status.kind == PlaceKind::file && status.links > 1)
    return fail(
        Code::denied,
        fmt::format("`{}` has {} hard links, and the others may lie outside of what was granted",
                    printable(place.path.text()), status.links),
        "copy it to a new name, remove it, and move the copy in its place");
  if (status.kind == PlaceKind::missing && spec.missing == ports::Missing::refuse)
    return resolve_error(ENOENT, spec.path);
  return {};
}

Result<PinnedPath> pin_root(Fd root, const Path& path) {
  struct stat host{};
  if (::fstat(root.number(), &host) != 0) return io_error(errno, "look at", path);
  PinnedPath place;
  place.path = path;
  place.status.kind = PlaceKind::directory;
  place.status.identity.modified_ns = host.st_mtim.tv_sec * 1'000'000'000 + host.st_mtim.tv_nsec;
  place.directory = std::move(root);
  return place;
}

enum class Linked : unsigned char { no, yes };

// Pins `below` itself; not a single link is followed. `linked` tells whether there is one in the
// way.
Result<PinnedPath> pin_exactly(Fd root, const std::string& below, const ports::Files::PinSpec& spec,
                               Linked& linked) {
  linked = Linked::no;
  PinnedPath place;
  place.path = TRY(Path::parse(below.empty() ? std::string(spec.path.root())
                                             : joined(std::string(spec.path.root()), below)));
  if (below.empty()) return pin_root(std::move(root), place.path);
  const std::string directory = directory_of(below);
  if (directory.empty()) {
    place.parent = std::move(root);
  } else {
    Ancestor at = open_directory(root.number(), directory, RESOLVE_NO_SYMLINKS, spec.missing);
    if (at.failure == ELOOP) linked = Linked::yes;
    if (!at.fd) return directory_error(at.failure, spec);
    place.parent = std::move(at.fd);
    place.missing = std::move(at.missing);
  }
  if (!place.missing.empty()) {
    place.missing.push_back(name_in(below));
    place.name = place.missing.front();
    return place;
  }
  place.name = name_in(below);
  place.status = TRY(status_at(place.parent.number(), place.name, place.path));
  if (place.status.kind == PlaceKind::missing) place.missing = {place.name};
  if (place.status.kind == PlaceKind::link && spec.leaf == abi::Leaf::follow) {
    linked = Linked::yes;
    return resolve_error(ELOOP, spec.path);
  }
  if (place.status.kind == PlaceKind::directory) {
    place.directory = Fd(::openat(place.parent.number(), place.name.c_str(),
                                  O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!place.directory) return io_error(errno, "open", place.path);
  }
  TRY(allowed(place, spec));
  return place;
}

Result<abi::Root> root_of(const Path& path, const abi::Roots& roots) {
  std::string names;
  for (const abi::Root& root : roots) {
    if (root.name == path.root()) return root;
    names += (names.empty() ? "/" : ", /") + root.name;
  }
  return fail(Code::not_found,
              fmt::format("no root `{}`; roots: {}", printable(path.root()),
                          names.empty() ? "none" : names),
              "a path begins with the name of its root");
}

}  // namespace

Fd::~Fd() {
  if (number_ >= 0) ::close(number_);
}

Unexpected io_error(int errno_value, std::string_view verb, const Path& path) {
  const std::string what =
      fmt::format("cannot {} `{}`: {}", verb, printable(path.text()), std::strerror(errno_value));
  switch (errno_value) {
    case ENOENT: return fail(Code::not_found, what);
    case EEXIST: return fail(Code::exists, what);
    case EACCES:
    case EPERM:
      return fail(Code::denied, what,
                  "the user that alos runs as may not do this; change the file's owner or mode");
    case EROFS: return fail(Code::denied, what, "the file system is mounted read-only");
    case ENOSPC:
    case EDQUOT: return fail(Code::exhausted, what, "make room on the disk, then try again");
    case EMFILE:
    case ENFILE: return fail(Code::exhausted, what, "raise the limit of open files (ulimit -n)");
    case EFBIG: return fail(Code::exhausted, what, "raise the limit of the file size (ulimit -f)");
    case ELOOP:
      return fail(Code::invalid, what,
                  "the links lead round in a circle, or over more than 40 of them");
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
    case EINVAL:
    case ENOTEMPTY: return fail(Code::invalid, what);
    case EXDEV:
      return fail(
          Code::invalid, what,
          "the two places are on different file systems; write a copy, then remove the original");
    case ENOSYS: return fail(Code::unavailable, what, "alos needs Linux 5.6 or later (openat2)");
    default: return fail(Code::unavailable, what);
  }
}

Result<Status> status_at(int directory, const std::string& name, const Path& path) {
  struct stat host{};
  if (::fstatat(directory, name.c_str(), &host, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return Status{};
    return io_error(errno, "look at", path);
  }
  Status status;
  switch (host.st_mode & S_IFMT) {
    case S_IFREG: status.kind = PlaceKind::file; break;
    case S_IFDIR: status.kind = PlaceKind::directory; break;
    case S_IFLNK: status.kind = PlaceKind::link; break;
    default:
      return fail(Code::invalid,
                  fmt::format("`{}` is a device, pipe or socket", printable(path.text())),
                  "only files and directories can be named");
  }
  status.identity = {host.st_dev, host.st_ino, static_cast<std::uint64_t>(host.st_size),
                     host.st_mtim.tv_sec * 1'000'000'000 + host.st_mtim.tv_nsec};
  status.mode = host.st_mode & 0777;
  status.links = host.st_nlink;
  return status;
}

Result<Fd> open_root(const abi::Root& root) {
  Fd fd(::open(root.host.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (fd) return fd;
  const Code code = errno == ENOENT || errno == ENOTDIR ? Code::not_found
                    : errno == EACCES                   ? Code::denied
                                                        : Code::unavailable;
  return fail(code,
              fmt::format("root /{} cannot be opened at `{}`: {}", root.name, printable(root.host),
                          std::strerror(errno)),
              "the host directory must exist; name another one with --root");
}

Result<PinnedPath> pin_path(const ports::Files::PinSpec& spec, const abi::Roots& roots) {
  if (spec.path.is_top()) {
    if (spec.missing != ports::Missing::refuse || spec.leaf == abi::Leaf::keep)
      return fail(Code::invalid, "`/` only holds the roots and cannot be changed",
                  "name a file beneath a root");
    PinnedPath top;
    top.status.kind = PlaceKind::top;
    top.roots = roots;
    std::sort(top.roots.begin(), top.roots.end(),
              [](const abi::Root& a, const abi::Root& b) { return a.name < b.name; });
    return top;
  }
  const abi::Root root = TRY(root_of(spec.path, roots));
  const std::string below(spec.path.below());
  Linked linked = Linked::no;
  auto pinned = pin_exactly(TRY(open_root(root)), below, spec, linked);
  if (linked == Linked::no) return pinned;
  // Links are resolved to a real name first; that name is then pinned like any other. So the path
  // that is decided on is the one that was opened, whatever is renamed in between.
  Fd again = TRY(open_root(root));
  const std::string real = TRY(follow(again.number(), below, spec));
  auto real_place = pin_exactly(std::move(again), real, spec, linked);
  if (linked == Linked::yes)
    return fail(
        Code::conflict,
        fmt::format("`{}` changed while it was being resolved", printable(spec.path.text())),
        "try again");
  return real_place;
}

}  // namespace alos::providers
