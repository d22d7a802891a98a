// Resources and patterns: what authority is about, in one syntax, `scheme:body`.
//
//   fs:/workspace/src/a.cc   object:7.1/notes   human:owner   clock:sleep   model:openai/gpt-5
//
// A Resource is made by a call, never by a caller. A Pattern covers resources by whole segments:
// `*` stands for one segment, a last `**` for the place itself and everything beneath. `src/**`
// does not cover `src2`.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/describe.h"
#include "base/id.h"
#include "base/path.h"
#include "base/result.h"
#include "base/time.h"

namespace alos::abi {

ALOS_ENUM(Right, read, write, list, execute)

class Rights {
 public:
  Rights() = default;
  Rights(std::initializer_list<Right> rights) {
    for (const Right right : rights) add(right);
  }

  void add(Right right) { bits_ |= bit(right); }
  bool has(Right right) const { return (bits_ & bit(right)) != 0; }
  bool has_all(Rights other) const { return (bits_ & other.bits_) == other.bits_; }
  bool intersects(Rights other) const { return (bits_ & other.bits_) != 0; }
  Rights common(Rights other) const {
    Rights out;
    out.bits_ = bits_ & other.bits_;
    return out;
  }
  bool empty() const { return bits_ == 0; }
  bool operator==(const Rights&) const = default;

  std::string to_text() const;  // "read,list"
  static base::Result<Rights> from_text(std::string_view text);

 private:
  static std::uint8_t bit(Right right) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(right));
  }
  std::uint8_t bits_ = 0;
};

class Resource {
 public:
  Resource() = default;
  static Resource file(const base::Path& path);
  static Resource object(std::string_view space, std::string_view name);  // space: "7.1"
  static Resource human(std::string_view name);
  static Resource clock(std::string_view what);
  static Resource model(std::string_view model);
  static Resource process(base::Pid pid);
  static Resource image(std::string_view name);

  const std::string& text() const { return text_; }
  std::string to_text() const { return text_; }
  static base::Result<Resource> from_text(
      std::string_view text);  // for records; checks only the form
  auto operator<=>(const Resource&) const = default;

 private:
  explicit Resource(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

class Pattern {
 public:
  Pattern() = default;

  // Errors are `invalid` and say what a pattern may be.
  static base::Result<Pattern> from_text(std::string_view text);
  static Pattern exactly(const Resource& resource);
  std::string to_text() const { return text_; }
  const std::string& text() const { return text_; }

  bool matches(const Resource& resource) const;
  bool covers(const Pattern& narrower) const;  // every resource of `narrower` is ours
  bool overlaps(const Pattern& other) const;   // some resource is in both
  std::optional<Pattern> intersection(const Pattern& other) const;  // what is in both
  bool has_wildcard() const { return wildcard_; }

  // Of two patterns that match one resource the one with the greater number is more specific:
  // segment by segment, a literal beats `*` beats `**`.
  std::uint64_t specificity() const { return specificity_; }

  // The text up to the first wildcard, without the slash before it: the key to find the pattern by.
  std::string_view literal_prefix() const {
    return std::string_view(text_).substr(0, prefix_bytes_);
  }

  bool operator==(const Pattern& other) const { return text_ == other.text_; }

 private:
  explicit Pattern(std::string text);

  std::string text_;
  std::uint64_t specificity_ = 0;
  std::uint32_t prefix_bytes_ = 0;
  bool wildcard_ = false;
  bool subtree_ = false;  // its only wildcard is a last `**`
};

// What a call says of itself besides its resources, for grants with conditions.
struct Facts {
  std::optional<std::uint64_t> bytes;            // that it would write or send
  std::optional<std::vector<std::string>> argv;  // of a command
  std::optional<std::string> method;             // of an HTTP request
};

// What one call must be allowed to do.
ALOS_ENUM(Reach, exact, subtree)
struct Need {
  Resource resource;
  Right right = Right::read;
  Reach reach = Reach::exact;  // subtree: denied and asked parts beneath are hidden from the call
  Facts facts;
};
using Needs = std::vector<Need>;

// `%XX` as the byte it stands for, two capital hex digits each. Errors: `invalid`.
base::Result<std::string> unescaped(std::string_view text);

}  // namespace alos::abi
