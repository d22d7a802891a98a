// Listing and searching. Directories are read through descriptors, one name at a time, and no link
// is followed.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "providers/files_ops.h"

namespace alos::providers {

using base::Code;
using base::fail;
using base::Path;
using base::printable;
using base::Result;

namespace {

// Calls `take` for each name, in no order. The temp names of writes in flight are not there for
// anybody.
template <typename Take>
Result<void> each_name(int directory, const Path& path, Take&& take) {
  const int fd = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return io_error(errno, "list", path);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd), &::closedir);
  if (stream == nullptr) {
    ::close(fd);
    return io_error(ENOMEM, "list", path);
  }
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name(entry->d_name);
    if (name == "." || name == ".." || is_temp_name(name)) continue;
    take(name);
  }
  if (errno != 0) return io_error(errno, "list", path);
  return {};
}

abi::FsList::Entry entry_of(int directory, const std::string& name, bool nameable) {
  abi::FsList::Entry entry;
  entry.name = nameable ? name : printable(name);
  entry.kind = abi::FileKind::other;
  struct stat host{};
  if (!nameable || ::fstatat(directory, name.c_str(), &host, AT_SYMLINK_NOFOLLOW) != 0)
    return entry;
  if (S_ISREG(host.st_mode)) {
    entry.kind = abi::FileKind::file;
    entry.bytes = static_cast<std::uint64_t>(host.st_size);
  } else if (S_ISDIR(host.st_mode)) {
    entry.kind = abi::FileKind::directory;
  } else if (S_ISLNK(host.st_mode)) {
    entry.kind = abi::FileKind::symlink;
  }
  return entry;
}

abi::FsList::Reply list_top(const PinnedPath& top, const Shows& shows) {
  abi::FsList::Reply reply;
  for (const abi::Root& root : top.roots)
    if (const auto child = top.path.child(root.name); child && shows(*child))
      reply.entries.push_back({root.name, abi::FileKind::directory, 0});
  return reply;
}

base::Unexpected no_directory(const PinnedPath& place) {
  return fail(Code::invalid, fmt::format("`{}` is not a directory", printable(place.path.text())),
              "read it, or list the directory it is in");
}

// One search in progress: what it looks for, what it found, and how much it may still do.
class Search {
 public:
  Search(const Path& base, const abi::FsSearch& call, const Shows& shows)
      : base_(base), call_(call), shows_(shows) {
    matches_max_ = std::min(call.matches_max, abi::kSearchMatchesMax);
  }

  void walk(int directory, const Path& path, unsigned depth);
  void visit(int directory, const std::string& name, const Path& path, unsigned depth);
  abi::FsSearch::Reply take() { return std::move(reply_); }

 private:
  bool wanted(const Path& path) const;
  void search_text(int directory, const std::string& name, const Path& path);
  void search_lines(std::string_view text, const Path& path);
  void add(abi::FsSearch::Match match);
  void stop() { reply_.truncated = true; }
  bool stopped() const { return reply_.truncated; }

  const Path& base_;
  const abi::FsSearch& call_;
  const Shows& shows_;
  std::uint64_t matches_max_;
  std::uint64_t entries_ = 0;
  std::uint64_t bytes_ = 0;
  abi::FsSearch::Reply reply_;
};

void Search::add(abi::FsSearch::Match match) {
  if (reply_.matches.size() >= matches_max_) return stop();
  reply_.matches.push_back(std::move(match));
}

bool Search::wanted(const Path& path) const {
  if (!call_.glob) return true;
  const std::string_view text = path.text();
  if (path == base_) return glob_matches(*call_.glob, path.name());
  return glob_matches(*call_.glob, text.substr(base_.is_top() ? 1 : base_.text().size() + 1));
}

// A directory that cannot be read is passed over like one that may not be seen.
void Search::walk(int directory, const Path& path, unsigned depth) {
  if (depth > kSearchDepthMax) return stop();
  std::vector<std::string> names;
  const auto read = each_name(directory, path, [&](std::string_view name) {
    if (++entries_ <= kSearchEntriesMax) names.emplace_back(name);
  });
  if (entries_ > kSearchEntriesMax) stop();
  if (!read) return;
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (stopped()) return;
    if (const auto child = path.child(name)) visit(directory, name, *child, depth);
  }
}

void Search::visit(int directory, const std::string& name, const Path& path, unsigned depth) {
  const auto status = status_at(directory, name, path);
  if (!status) return;
  if (status->kind == PlaceKind::directory) {
    const Fd below(
        ::openat(directory, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (below) walk(below.number(), path, depth + 1);
    return;
  }
  if (status->kind != PlaceKind::file || !wanted(path) || !shows_(path)) return;
  if (!call_.text) return add({path, {}, {}});
  if (status->identity.bytes <= kSearchFileBytesMax) search_text(directory, name, path);
}

void Search::search_text(int directory, const std::string& name, const Path& path) {
  const Fd file(
      ::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat host{};
  if (!file || ::fstat(file.number(), &host) != 0 || !S_ISREG(host.st_mode)) return;
  const auto size = std::min(static_cast<std::uint64_t>(host.st_size), kSearchFileBytesMax);
  bytes_ += size;
  if (bytes_ > kSearchBytesMax) return stop();
  const auto text = read_bytes(file.number(), 0, size, path);
  if (!text ||
      ::memmem(text->data(), text->size(), call_.text->data(), call_.text->size()) == nullptr)
    return;
  if (text->find('\0') == std::string::npos && base::is_utf8(*text)) search_lines(*text, path);
}

void Search::search_lines(std::string_view text, const Path& path) {
  std::uint64_t line = 1;
  for (std::size_t counted = 0, at = 0; !stopped();) {
    const void* hit =
        ::memmem(text.data() + at, text.size() - at, call_.text->data(), call_.text->size());
    if (hit == nullptr) return;
    const auto found = static_cast<std::size_t>(static_cast<const char*>(hit) - text.data());
    line += static_cast<std::uint64_t>(std::count(text.begin() + static_cast<long>(counted),
                                                  text.begin() + static_cast<long>(found), '\n'));
    const std::size_t begin = found == 0 ? 0 : text.rfind('\n', found - 1) + 1;
    const std::size_t end = std::min(text.find('\n', found), text.size());
    add({path, line, base::shortened(text.substr(begin, end - begin), kLineBytesMax)});
    if (end == text.size()) return;
    counted = at = end;
    ++at;
  }
}

}  // namespace

Result<abi::FsList::Reply> list_directory(const PinnedPath& place, const Shows& shows,
                                          std::uint64_t entries_max) {
  if (place.status.kind == PlaceKind::top) return list_top(place, shows);
  if (!place.directory) return no_directory(place);
  abi::FsList::Reply reply;
  std::vector<std::string> names;
  // Of a directory larger than may be told, only the first names in order are kept while reading.
  const auto keep_first = [&] {
    if (names.size() <= entries_max) return;
    std::nth_element(names.begin(), names.begin() + static_cast<long>(entries_max), names.end());
    names.resize(entries_max);
    reply.truncated = true;
  };
  // A name that is no UTF-8 cannot be asked for; it is shown escaped, as `other`, to whoever may
  // list the rest.
  TRY(each_name(place.directory.number(), place.path, [&](std::string_view name) {
    const auto child = place.path.child(
        base::is_utf8(name) ? std::string(name)
                            : base::shortened(printable(name), base::kPathSegmentBytesMax));
    if (!child || !shows(*child)) return;
    names.emplace_back(name);
    if (names.size() >= 2 * entries_max + 1) keep_first();
  }));
  keep_first();
  std::sort(names.begin(), names.end());
  for (const std::string& name : names)
    reply.entries.push_back(entry_of(place.directory.number(), name, base::is_utf8(name)));
  return reply;
}

Result<abi::FsSearch::Reply> search_files(const PinnedPath& place, const abi::FsSearch& call,
                                          const Shows& shows) {
  if (call.text && call.text->empty())
    return fail(Code::invalid, "the text to search for is empty",
                "leave it out to find files by name");
  Search search(place.path, call, shows);
  if (place.status.kind == PlaceKind::file) {
    search.visit(place.parent.number(), place.name, place.path, 0);
  } else if (place.status.kind == PlaceKind::top) {
    for (const abi::Root& root : place.roots) {
      const auto directory = open_root(root);
      if (const auto path = place.path.child(root.name); path && directory)
        search.walk(directory->number(), *path, 0);
    }
  } else if (place.directory) {
    search.walk(place.directory.number(), place.path, 0);
  } else {
    return no_directory(place);
  }
  return search.take();
}

// All prefixes of the path that the glob so far matches, glob character by glob character: time is
// at most the product of both lengths, whatever the glob.
bool glob_matches(std::string_view glob, std::string_view path) {
  const std::size_t size = path.size();
  std::vector<char> reached(size + 1, 0), next(size + 1, 0);
  reached[0] = 1;
  const auto continues = [&](std::size_t i) {
    return i < size && (static_cast<unsigned char>(path[i]) & 0xC0) == 0x80;
  };
  for (std::size_t g = 0; g < glob.size(); ++g) {
    std::fill(next.begin(), next.end(), 0);
    const bool deep = glob.substr(g).starts_with("**");
    const bool whole = deep && glob.substr(g).starts_with("**/") &&
                       (g == 0 || glob[g - 1] == '/');  // also no directory
    if (glob[g] == '*') {
      char on = 0;
      for (std::size_t i = 0; i <= size; ++i) {
        on = static_cast<char>(on | reached[i]);
        next[i] = whole ? static_cast<char>(reached[i] | (on && i > 0 && path[i - 1] == '/')) : on;
        if (!deep && i < size && path[i] == '/') on = 0;
      }
      g += whole ? 2 : deep ? 1 : 0;
    } else {
      for (std::size_t i = 0; i < size; ++i) {
        if (!reached[i]) continue;
        std::size_t end = i + 1;
        if (glob[g] == '?' && path[i] != '/') {
          while (continues(end)) ++end;
          next[end] = 1;
        } else if (glob[g] == path[i]) {
          next[end] = 1;
        }
      }
    }
    std::swap(reached, next);
  }
  return reached[size] != 0;
}

}  // namespace alos::providers
