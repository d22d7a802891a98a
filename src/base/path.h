// Path: where a file is for an agent: /ROOT/dir/file. Absolute, canonical, and without a way up:
// a Path that holds `.`, `..`, an empty segment or a NUL cannot be made.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

namespace alos::base {

inline constexpr std::size_t kPathBytesMax = 4096;
inline constexpr std::size_t kPathSegmentBytesMax = 255;

class Path {
 public:
  Path() = default;  // "/": the place where the roots are

  // Parses `text`, taken from `cwd` unless it begins with '/'. `.` segments and repeated slashes
  // vanish;
  // `..` is an error: a path is named from its root. Errors are `invalid`.
  static Result<Path> parse(std::string_view text, const Path& cwd);
  static Result<Path> parse(std::string_view text) { return parse(text, Path()); }

  const std::string& text() const { return text_; }
  bool is_top() const { return text_.size() == 1; }
  std::string_view root() const;   // first segment: the name of the logical root; empty for "/"
  std::string_view below() const;  // the rest without a leading slash; empty for the root itself
  std::string_view name() const;   // last segment
  Path parent() const;             // of "/": "/"
  Result<Path> child(std::string_view segment) const;
  bool is_within(const Path& ancestor) const;  // equal or beneath, by segments

  auto operator<=>(const Path&) const = default;

 private:
  explicit Path(std::string text) : text_(std::move(text)) {}

  std::string text_ = "/";
};

}  // namespace alos::base
