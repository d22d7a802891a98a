#include "providers/files_ops.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"

namespace alos::providers {

using base::Code;
using base::fail;
using base::Path;
using base::printable;
using base::Result;
using base::Unexpected;

namespace {

constexpr std::size_t kChunkBytes = 256U << 10;

Unexpected is_directory(const PinnedPath& place) {
  return fail(Code::invalid, fmt::format("`{}` is a directory", printable(place.path.text())),
              "name a file");
}

Unexpected swapped(const PinnedPath& place) {
  return fail(Code::conflict,
              fmt::format("`{}` was replaced by something else after it was looked up",
                          printable(place.path.text())),
              "try again");
}

abi::FileKind kind_of(PlaceKind kind) {
  switch (kind) {
    case PlaceKind::file: return abi::FileKind::file;
    case PlaceKind::link: return abi::FileKind::symlink;
    case PlaceKind::missing: return abi::FileKind::other;
    case PlaceKind::top:
    case PlaceKind::directory: break;
  }
  return abi::FileKind::directory;
}

}  // namespace

// By name, in the pinned directory, never through a link. Another regular file by that name is as
// good: what was decided is this name in this directory, and every write replaces the file.
// O_NONBLOCK: a pipe put there does not make us wait.
Result<Fd> open_file(const PinnedPath& place, Status& status) {
  if (place.status.kind == PlaceKind::directory || place.status.kind == PlaceKind::top)
    return is_directory(place);
  Fd file(::openat(place.parent.number(), place.name.c_str(),
                   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) {
    if (errno == ELOOP || errno == ENXIO || errno == ENOENT) return swapped(place);
    return io_error(errno, "read", place.path);
  }
  struct stat host{};
  if (::fstat(file.number(), &host) != 0) return io_error(errno, "read", place.path);
  if (!S_ISREG(host.st_mode)) return swapped(place);
  status.kind = PlaceKind::file;
  status.identity = {host.st_dev, host.st_ino, static_cast<std::uint64_t>(host.st_size),
                     host.st_mtim.tv_sec * 1'000'000'000 + host.st_mtim.tv_nsec};
  status.mode = host.st_mode & 0777;
  status.links = host.st_nlink;
  return file;
}

Result<std::string> read_bytes(int file, std::uint64_t offset, std::uint64_t bytes_max,
                               const Path& path) {
  std::string bytes(bytes_max, '\0');
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got =
        ::pread(file, bytes.data() + have, bytes.size() - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error(errno, "read", path);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

Result<base::Digest> digest_of_file(int file, const Path& path) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(),
                                                                     &EVP_MD_CTX_free);
  CHECK(hash != nullptr && EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr) == 1);
  for (std::uint64_t offset = 0;;) {
    const std::string chunk = TRY(read_bytes(file, offset, kChunkBytes, path));
    CHECK(EVP_DigestUpdate(hash.get(), chunk.data(), chunk.size()) == 1);
    if (chunk.size() < kChunkBytes) break;
    offset += chunk.size();
  }
  base::Digest digest;
  CHECK(EVP_DigestFinal_ex(hash.get(), digest.bytes.data(), nullptr) == 1);
  return digest;
}

Result<void> sync_directory(const Fd& pinned, const Path& path) {
  const Fd directory(::openat(pinned.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.number()) != 0)
    return io_error(errno, "make durable the directory of", path);
  return {};
}

Result<abi::FsRead::Reply> read_file(const PinnedPath& place, const abi::FsRead& call) {
  Status status;
  const Fd file = TRY(open_file(place, status));
  abi::FsRead::Reply reply;
  reply.file_bytes = status.identity.bytes;
  const std::uint64_t offset = std::min(call.offset.value_or(0), reply.file_bytes);
  const std::uint64_t rest = reply.file_bytes - offset;
  if (!call.bytes_max && rest > abi::kFileBytesMax)
    return fail(Code::invalid,
                fmt::format("`{}` has {} bytes, more than the {} of one read",
                            printable(place.path.text()), reply.file_bytes, abi::kFileBytesMax),
                "read it in parts, with offset and bytes_max");
  const std::uint64_t wanted = std::min({rest, call.bytes_max.value_or(rest), abi::kFileBytesMax});
  reply.content = TRY(read_bytes(file.number(), offset, wanted, place.path));
  reply.digest = base::Digest::of(reply.content.data);
  return reply;
}

Result<abi::FsStat::Reply> stat_file(const PinnedPath& place) {
  Status now = place.status;
  if (place.parent) now = TRY(status_at(place.parent.number(), place.name, place.path));
  if (now.kind != place.status.kind) return swapped(place);
  abi::FsStat::Reply reply;
  reply.kind = kind_of(now.kind);
  reply.bytes = now.kind == PlaceKind::file ? now.identity.bytes : 0;
  reply.modified.unix_us = now.identity.modified_ns / 1000;
  reply.real = place.path;
  return reply;
}

Result<ports::Preimage> preimage_of(const PinnedPath& place, std::uint64_t bytes_max,
                                    std::string& content) {
  content.clear();
  ports::Preimage image;
  if (place.status.kind == PlaceKind::missing) return image;
  image.existed = true;
  if (place.status.kind != PlaceKind::file) return image;
  Status status;
  const Fd file = TRY(open_file(place, status));
  if (status.identity != place.status.identity) return swapped(place);
  if (status.identity.bytes > bytes_max) {
    image.digest = TRY(digest_of_file(file.number(), place.path));
    return image;
  }
  content = TRY(read_bytes(file.number(), 0, status.identity.bytes, place.path));
  image.digest = base::Digest::of(content);
  return image;
}

}  // namespace alos::providers
