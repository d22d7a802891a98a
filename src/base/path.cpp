#include "base/path.h"

#include <fmt/format.h>

#include "base/text.h"

namespace alos::base {
namespace {

Result<void> append_segment(std::string& out, std::string_view segment, std::string_view whole) {
  if (segment == "..")
    return fail(Code::invalid, fmt::format("path `{}` holds `..`", printable(whole)),
                "name the file from its root, for example /workspace/src/a.cc");
  if (segment.size() > kPathSegmentBytesMax)
    return fail(Code::invalid,
                fmt::format("path `{}` has a name of {} bytes", printable(whole.substr(0, 120)),
                            segment.size()),
                fmt::format("at most {} bytes a name", kPathSegmentBytesMax));
  if (out.back() != '/') out += '/';
  out += segment;
  return {};
}

}  // namespace

Result<Path> Path::parse(std::string_view text, const Path& cwd) {
  if (text.empty())
    return fail(Code::invalid, "the path is empty", "`.` names the working directory");
  if (text.size() > kPathBytesMax)
    return fail(Code::invalid, fmt::format("a path of {} bytes", text.size()),
                fmt::format("at most {} bytes", kPathBytesMax));
  if (text.find('\0') != std::string_view::npos || !is_utf8(text))
    return fail(Code::invalid, "the path holds a NUL or is not UTF-8",
                "rename the file, or name it in UTF-8");
  std::string out = text.front() == '/' ? std::string("/") : cwd.text_;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t slash = std::min(text.find('/', at), text.size());
    const std::string_view segment = text.substr(at, slash - at);
    if (!segment.empty() && segment != ".") TRY(append_segment(out, segment, text));
    at = slash + 1;
  }
  if (out.size() > kPathBytesMax)
    return fail(Code::invalid, fmt::format("a path of {} bytes", out.size()),
                fmt::format("at most {} bytes", kPathBytesMax));
  return Path(std::move(out));
}

std::string_view Path::root() const {
  const std::string_view rest = std::string_view(text_).substr(1);
  return rest.substr(0, rest.find('/'));
}

std::string_view Path::below() const {
  const std::size_t slash = text_.find('/', 1);
  return slash == std::string::npos ? std::string_view{}
                                    : std::string_view(text_).substr(slash + 1);
}

std::string_view Path::name() const { return std::string_view(text_).substr(text_.rfind('/') + 1); }

Path Path::parent() const {
  const std::size_t slash = text_.rfind('/');
  return slash == 0 ? Path() : Path(text_.substr(0, slash));
}

Result<Path> Path::child(std::string_view segment) const {
  if (segment.find('/') != std::string_view::npos)
    return fail(Code::invalid, fmt::format("`{}` is not one name", printable(segment)));
  return parse(segment, *this);
}

bool Path::is_within(const Path& ancestor) const {
  if (ancestor.is_top()) return true;
  return text_.starts_with(ancestor.text_) &&
         (text_.size() == ancestor.text_.size() || text_[ancestor.text_.size()] == '/');
}

}  // namespace alos::base
