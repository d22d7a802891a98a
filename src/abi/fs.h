// Files: fs.read, write, list, stat, search, mkdir, move, remove. Paths are logical:
// /ROOT/dir/file.
//
// Every path is resolved beneath its root to the real file and pinned before it is decided, so a
// symlink changes neither what is authorised nor what is done. Numbers are bytes unless named
// otherwise.
#pragma once

#include <array>
#include <optional>

#include "abi/call.h"

namespace alos::abi {

inline constexpr std::uint64_t kFileBytesMax = 64U << 20;  // of one read or write
inline constexpr std::uint64_t kListEntriesMax = 10'000;
inline constexpr std::uint64_t kSearchMatchesMax = 1'000;

// A host directory under a logical name.
struct Root {
  std::string name;
  std::string host;  // absolute, real path
  ALOS_FIELDS(name, host)
  bool operator==(const Root&) const = default;
};
using Roots = std::vector<Root>;

ALOS_ENUM(FileKind, file, directory, symlink, other)
ALOS_ENUM(Leaf, follow, keep)  // whether a symlink in the last place is followed

struct FsRead {
  base::Path path;
  std::optional<std::uint64_t> offset;
  std::optional<std::uint64_t> bytes_max;  // absent: the whole file, at most kFileBytesMax
  ALOS_FIELDS(path, offset, bytes_max)

  struct Reply {
    base::Text content;
    std::uint64_t file_bytes = 0;  // of the whole file
    base::Digest digest;           // of `content`
    ALOS_FIELDS(content, file_bytes, digest)
  };
  static constexpr std::string_view kName = "fs.read";
  static constexpr auto kClass = EffectClass::observe;
  static constexpr auto kLeaf = Leaf::follow;
  std::array<base::Path*, 1> paths() { return {&path}; }
  Needs needs(const Caller&) const { return {{Resource::file(path), Right::read, Reach::exact}}; }
};

ALOS_ENUM(Existing, any, must, must_not)

// Replaces the whole file at once: a reader sees the old or the new content, never a part.
struct FsWrite {
  base::Path path;
  base::Text content;
  Existing existing = Existing::any;
  std::optional<base::Digest> expected;  // of the present content; another content is a `conflict`
  ALOS_FIELDS(path, content, existing, expected)

  struct Reply {
    std::uint64_t bytes = 0;
    bool created = false;
    ALOS_FIELDS(bytes, created)
  };
  static constexpr std::string_view kName = "fs.write";
  static constexpr auto kClass = EffectClass::verifiable;
  static constexpr auto kLeaf = Leaf::follow;
  std::array<base::Path*, 1> paths() { return {&path}; }
  Usage spends() const { return {.written_bytes = content.size_bytes()}; }
  Needs needs(const Caller&) const {
    Facts facts;
    facts.bytes = content.size_bytes();
    return {{Resource::file(path), Right::write, Reach::exact, std::move(facts)}};
  }
};

// Entries in byte order of their names, without those the caller is denied.
struct FsList {
  base::Path path;
  ALOS_FIELDS(path)

  struct Entry {
    std::string name;
    FileKind kind = FileKind::file;
    std::uint64_t bytes = 0;  // of a file
    ALOS_FIELDS(name, kind, bytes)
  };
  struct Reply {
    std::vector<Entry> entries;
    bool truncated = false;  // more than kListEntriesMax
    ALOS_FIELDS(entries, truncated)
  };
  static constexpr std::string_view kName = "fs.list";
  static constexpr auto kClass = EffectClass::observe;
  static constexpr auto kLeaf = Leaf::follow;
  std::array<base::Path*, 1> paths() { return {&path}; }
  Needs needs(const Caller&) const { return {{Resource::file(path), Right::list, Reach::subtree}}; }
};

struct FsStat {
  base::Path path;
  ALOS_FIELDS(path)

  struct Reply {
    FileKind kind = FileKind::file;
    std::uint64_t bytes = 0;
    base::Time modified;
    base::Path real;  // where it really is, links followed
    ALOS_FIELDS(kind, bytes, modified, real)
  };
  static constexpr std::string_view kName = "fs.stat";
  static constexpr auto kClass = EffectClass::observe;
  static constexpr auto kLeaf = Leaf::follow;
  std::array<base::Path*, 1> paths() { return {&path}; }
  Needs needs(const Caller&) const { return {{Resource::file(path), Right::list, Reach::exact}}; }
};

// Walks a subtree in byte order, without what the caller may not see. With `text`: lines of UTF-8
// files that hold it; without: files whose path below `path` matches `glob`. Links are not
// followed.
struct FsSearch {
  base::Path path;
  std::optional<std::string> glob;  // `*` within a name, `**` across directories, `?` one character
  std::optional<std::string> text;  // plain text, matched by bytes
  std::uint64_t matches_max = 200;
  ALOS_FIELDS(path, glob, text, matches_max)

  struct Match {
    base::Path path;
    std::optional<std::uint64_t> line;  // from 1
    std::optional<std::string> text;    // the line, at most 400 bytes of it
    ALOS_FIELDS(path, line, text)
  };
  struct Reply {
    std::vector<Match> matches;
    bool truncated = false;
    ALOS_FIELDS(matches, truncated)
  };
  static constexpr std::string_view kName = "fs.search";
  static constexpr auto kClass = EffectClass::observe;
  static constexpr auto kLeaf = Leaf::follow;
  std::array<base::Path*, 1> paths() { return {&path}; }
  Needs needs(const Caller&) const {
    return {{Resource::file(path), text ? Right::read : Right::list, Reach::subtree}};
  }
};

struct FsMkdir {
  base::Path path;
  bool parents = false;  // also make missing directories above; an existing one is then no error
  ALOS_FIELDS(path, parents)

  struct Reply {
    bool created = false;
    ALOS_FIELDS(created)
  };
  static constexpr std::string_view kName = "fs.mkdir";
  static constexpr auto kClass = EffectClass::verifiable;
  static constexpr auto kLeaf = Leaf::follow;
  std::array<base::Path*, 1> paths() { return {&path}; }
  Needs needs(const Caller&) const { return {{Resource::file(path), Right::write, Reach::exact}}; }
};

// Moves one file within a root. An existing target is an `exists` error. Needs read and write on
// the source: moving is a way to read elsewhere.
struct FsMove {
  base::Path from;
  base::Path to;
  ALOS_FIELDS(from, to)

  struct Reply {
    ALOS_FIELDS()
  };
  static constexpr std::string_view kName = "fs.move";
  static constexpr auto kClass = EffectClass::verifiable;
  static constexpr auto kLeaf = Leaf::keep;
  std::array<base::Path*, 2> paths() { return {&from, &to}; }
  Needs needs(const Caller&) const {
    return {{Resource::file(from), Right::read, Reach::exact},
            {Resource::file(from), Right::write, Reach::exact},
            {Resource::file(to), Right::write, Reach::exact}};
  }
};

// Removes one file, link or empty directory.
struct FsRemove {
  base::Path path;
  ALOS_FIELDS(path)

  struct Reply {
    ALOS_FIELDS()
  };
  static constexpr std::string_view kName = "fs.remove";
  static constexpr auto kClass = EffectClass::verifiable;
  static constexpr auto kLeaf = Leaf::keep;
  std::array<base::Path*, 1> paths() { return {&path}; }
  Needs needs(const Caller&) const { return {{Resource::file(path), Right::write, Reach::exact}}; }
};

using FsCalls = CallList<FsRead, FsWrite, FsList, FsStat, FsSearch, FsMkdir, FsMove, FsRemove>;

}  // namespace alos::abi
