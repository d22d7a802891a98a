// YAML as a plain value that knows its lines, read strictly: one document, no duplicate keys,
// bounded size.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace alos::surface {

inline constexpr std::size_t kYamlBytesMax = 1U << 20;
inline constexpr std::size_t kYamlNodesMax = 20'000;
inline constexpr std::size_t kYamlDepthMax = 16;

struct Yaml {
  struct Member;
  enum class Kind : std::uint8_t { null, text, list, map } kind = Kind::null;
  std::size_t line = 1;
  std::string text;
  std::vector<Yaml> items;      // list
  std::vector<Member> members;  // map, in order

  const Yaml* find(std::string_view key) const;

  // `name` is what errors call the file: `NAME:LINE: ...`. Errors are `invalid`.
  static base::Result<Yaml> parse(const std::string& text, const std::string& name);
};

struct Yaml::Member {
  std::string key;
  Yaml value;
};

// Reads a map's members into fields; every error names the file, the line and the key.
class YamlMap {
 public:
  // `what` names the map in errors: "a manifest", "budget".
  static base::Result<YamlMap> of(const Yaml& yaml, std::string file, std::string what,
                                  std::span<const std::string_view> known);

  base::Result<void> text(std::string_view key, std::optional<std::string>& out) const;
  base::Result<void> texts(std::string_view key,
                           std::vector<std::string>& out) const;  // a list of texts
  base::Result<void> pairs(
      std::string_view key,
      std::vector<std::pair<std::string, std::string>>& out) const;  // a map of texts
  const Yaml* find(std::string_view key) const { return yaml_->find(key); }
  base::Unexpected wrong(const Yaml& at, std::string_view key, std::string_view expected) const;
  base::Unexpected at(std::size_t line, std::string_view key, const base::Error& error) const;

 private:
  YamlMap(const Yaml& yaml, std::string file, std::string what)
      : yaml_(&yaml), file_(std::move(file)), what_(std::move(what)) {}
  const Yaml* yaml_;
  std::string file_;
  std::string what_;
};

// The text in double quotes as YAML reads it; what a reader would not see is written as an escape.
std::string yaml_quoted(std::string_view text);

// The whole of a regular file of at most `bytes_max` bytes. Errors: `not_found`, `invalid`,
// `unavailable`.
base::Result<std::string> read_whole_file(const std::string& path, std::size_t bytes_max);

}  // namespace alos::surface
