// Recognising after a crash what an earlier attempt did. What is found done is made durable before
// it is said: the crash may have come between the change and its flush.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "providers/files_ops.h"

namespace alos::providers {

using base::printable;
using base::Result;
using ports::Preimage;
using ports::Sight;

namespace {

Result<Preimage> present(const PinnedPath& place) {
  std::string content;
  return preimage_of(place, 0, content);  // the digest is enough
}

std::string in_words(const PinnedPath& place, const Preimage& image) {
  const std::string name = printable(place.path.text());
  if (!image.existed) return fmt::format("there is no `{}`", name);
  if (!image.digest)
    return fmt::format("`{}` is {}", name,
                       place.status.kind == PlaceKind::link ? "a link" : "a directory");
  return fmt::format("`{}` is a file with other content (SHA-256 {}…)", name,
                     base::short_hex(*image.digest));
}

Result<void> sync_file(const PinnedPath& place) {
  Status status;
  const Fd file = TRY(open_file(place, status));
  if (::fsync(file.number()) != 0) return io_error(errno, "make durable", place.path);
  return sync_directory(place.parent, place.path);
}

}  // namespace

Result<Seen<abi::FsWrite>> look_at_write(const PinnedPath& place, const abi::FsWrite& call,
                                         const Before& before, const std::string& temp) {
  Seen<abi::FsWrite> seen;
  if (place.parent && place.missing.size() <= 1) ::unlinkat(place.parent.number(), temp.c_str(), 0);
  const Preimage now = TRY(present(place));
  if (now.digest == call.content.digest()) {
    TRY(sync_file(place));
    seen.sight = Sight::done;
    seen.reply = {call.content.size_bytes(), before && !before->existed};
  } else if (before ? now == *before : !now.existed) {
    seen.sight = Sight::not_done;
  } else {
    seen.what = in_words(place, now);
  }
  return seen;
}

Result<Seen<abi::FsMkdir>> look_at_mkdir(const PinnedPath& place, const Before& before) {
  Seen<abi::FsMkdir> seen;
  if (place.status.kind == PlaceKind::missing || (before && before->existed)) {
    seen.sight =
        Sight::not_done;  // where it was before, doing it again changes nothing and says what is so
  } else if (place.status.kind == PlaceKind::directory) {
    if (place.parent) TRY(sync_directory(place.parent, place.path));
    seen.sight = Sight::done;
    seen.reply = {true};
  } else {
    seen.what = in_words(place, TRY(present(place)));
  }
  return seen;
}

Result<Seen<abi::FsMove>> look_at_move(const PinnedPath& from, const PinnedPath& to,
                                       const Before& before) {
  Seen<abi::FsMove> seen;
  const Preimage source = TRY(present(from));
  const Preimage target = TRY(present(to));
  if (!source.existed && before && target == *before && target.digest) {
    TRY(sync_directory(to.parent, to.path));
    if (from.parent) TRY(sync_directory(from.parent, from.path));
    seen.sight = Sight::done;
  } else if (!target.existed && (!before || source == *before)) {
    seen.sight = Sight::not_done;
  } else {
    seen.what = in_words(from, source) + ", and " + in_words(to, target);
  }
  return seen;
}

Result<Seen<abi::FsRemove>> look_at_remove(const PinnedPath& place, const Before& before) {
  Seen<abi::FsRemove> seen;
  const Preimage now = TRY(present(place));
  if (!now.existed) {
    if (place.parent) TRY(sync_directory(place.parent, place.path));
    seen.sight = Sight::done;
  } else if (!before || now == *before) {
    seen.sight = Sight::not_done;
  } else {
    seen.what = in_words(place, now);
  }
  return seen;
}

}  // namespace alos::providers
