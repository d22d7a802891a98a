#include "surface/yaml.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <yaml-cpp/yaml.h>

#include "base/text.h"

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;

namespace {

base::Unexpected bad(const std::string& name, std::size_t line, const std::string& what,
                     std::string details = {}) {
  return fail(Code::invalid, fmt::format("{}:{}: {}", base::printable(name), line, what),
              std::move(details));
}

std::size_t line_of(const YAML::Mark& mark) {
  return mark.line < 0 ? 1 : static_cast<std::size_t>(mark.line) + 1;
}

// Copies yaml-cpp's graph into a tree; aliases are copied too, so the count bounds what they blow
// up to.
class Copy {
 public:
  explicit Copy(const std::string& name) : name_(name) {}

  Result<Yaml> of(const YAML::Node& node, std::size_t depth) {
    Yaml out;
    out.line = line_of(node.Mark());
    if (++nodes_ > kYamlNodesMax)
      return bad(name_, out.line, fmt::format("it holds more than {} values", kYamlNodesMax));
    if (depth > kYamlDepthMax)
      return bad(name_, out.line, fmt::format("it is nested more than {} deep", kYamlDepthMax));
    if (node.IsScalar()) {
      out.kind = Yaml::Kind::text;
      out.text = node.Scalar();
      bytes_ += out.text.size();
      if (bytes_ > kYamlBytesMax) return bad(name_, out.line, "its aliases make it too large");
    } else if (node.IsSequence()) {
      out.kind = Yaml::Kind::list;
      for (const auto& item : node) out.items.push_back(TRY(of(item, depth + 1)));
    } else if (node.IsMap()) {
      out.kind = Yaml::Kind::map;
      for (const auto& member : node) TRY(add(out, member.first, member.second, depth));
    }
    return out;
  }

 private:
  Result<void> add(Yaml& out, const YAML::Node& key, const YAML::Node& value, std::size_t depth) {
    const std::size_t line = line_of(key.Mark());
    if (!key.IsScalar()) return bad(name_, line, "a key is text");
    if (out.find(key.Scalar()) != nullptr)
      return bad(name_, line,
                 fmt::format("key `{}` is there twice", base::printable(key.Scalar())));
    Yaml copied = TRY(of(value, depth + 1));
    if (copied.kind == Yaml::Kind::null) copied.line = line;
    out.members.push_back({key.Scalar(), std::move(copied)});
    return {};
  }

  const std::string& name_;
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
};

std::string_view kind_text(const Yaml& yaml) {
  switch (yaml.kind) {
    case Yaml::Kind::null: return "nothing";
    case Yaml::Kind::text: return "text";
    case Yaml::Kind::list: return "a list";
    case Yaml::Kind::map: return "a map";
  }
  return "?";
}

}  // namespace

const Yaml* Yaml::find(std::string_view key) const {
  for (const auto& [name, value] : members)
    if (name == key) return &value;
  return nullptr;
}

Result<Yaml> Yaml::parse(const std::string& text, const std::string& name) {
  if (text.size() > kYamlBytesMax)
    return fail(Code::invalid,
                fmt::format("{} is larger than {} bytes", base::printable(name), kYamlBytesMax));
  if (!base::is_utf8(text))
    return fail(Code::invalid, fmt::format("{} is not UTF-8", base::printable(name)));
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.empty()) return Yaml{};
    if (documents.size() > 1)
      return bad(name, line_of(documents[1].Mark()), "a second document; one file holds one");
    return Copy(name).of(documents.front(), 0);
  } catch (const YAML::Exception& error) {
    return bad(name, line_of(error.mark), "not YAML: " + base::printable(error.msg));
  } catch (const std::exception& error) {
    return bad(name, 1, "not YAML: " + base::printable(error.what()));
  }
}

Result<YamlMap> YamlMap::of(const Yaml& yaml, std::string file, std::string what,
                            std::span<const std::string_view> known) {
  YamlMap map(yaml, std::move(file), std::move(what));
  if (yaml.kind != Yaml::Kind::map)
    return bad(map.file_, yaml.line,
               fmt::format("{} is a map of keys to values, not {}", map.what_, kind_text(yaml)));
  for (const auto& [key, value] : yaml.members) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string_view near = base::nearest(key, known);
    std::string all;
    for (const auto name : known) (all += all.empty() ? "keys: " : ", ") += name;
    return bad(
        map.file_, value.line,
        fmt::format("{} has no key `{}`{}", map.what_, base::printable(base::shortened(key, 60)),
                    near.empty() ? "" : fmt::format("; did you mean `{}`?", near)),
        all);
  }
  return map;
}

base::Unexpected YamlMap::wrong(const Yaml& yaml, std::string_view key,
                                std::string_view expected) const {
  return bad(file_, yaml.line, fmt::format("`{}` is {}, not {}", key, expected, kind_text(yaml)));
}

base::Unexpected YamlMap::at(std::size_t line, std::string_view key,
                             const base::Error& error) const {
  return fail(error.code,
              fmt::format("{}:{}: `{}`: {}", base::printable(file_), line, key, error.what),
              error.details);
}

Result<void> YamlMap::text(std::string_view key, std::optional<std::string>& out) const {
  const Yaml* value = find(key);
  if (value == nullptr) return {};
  if (value->kind != Yaml::Kind::text) return wrong(*value, key, "text");
  out = value->text;
  return {};
}

Result<void> YamlMap::texts(std::string_view key, std::vector<std::string>& out) const {
  const Yaml* value = find(key);
  if (value == nullptr) return {};
  if (value->kind != Yaml::Kind::list) return wrong(*value, key, "a list of texts");
  for (const Yaml& item : value->items) {
    if (item.kind != Yaml::Kind::text) return wrong(item, key, "a list of texts");
    out.push_back(item.text);
  }
  return {};
}

Result<void> YamlMap::pairs(std::string_view key,
                            std::vector<std::pair<std::string, std::string>>& out) const {
  const Yaml* value = find(key);
  if (value == nullptr) return {};
  if (value->kind != Yaml::Kind::map) return wrong(*value, key, "a map of names to texts");
  for (const auto& [name, item] : value->members) {
    if (item.kind != Yaml::Kind::text) return wrong(item, fmt::format("{}: {}", key, name), "text");
    out.emplace_back(name, item.text);
  }
  return {};
}

std::string yaml_quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    std::size_t size = 1;  // of one character
    while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80) ++size;
    const std::string_view one = text.substr(0, size);
    text.remove_prefix(size);
    const std::string shown = base::printable(one);  // \u{202E} of what is hidden
    if (shown == one) {
      if (one == "\"" || one == "\\") out += '\\';
      out += one;
    } else if (shown.starts_with("\\u{")) {
      const std::string hex = shown.substr(3, shown.size() - 4);
      out += hex.size() == 4 ? "\\u" + hex : fmt::format("\\U{:0>8}", hex);
    } else {
      out += shown;
    }
  }
  return out + '"';
}

Result<std::string> read_whole_file(const std::string& path, std::size_t bytes_max) {
  const std::string shown = base::printable(path);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return fail(errno == ENOENT ? Code::not_found : Code::unavailable,
                fmt::format("cannot read {}: {}", shown, std::strerror(errno)));
  struct stat found = {};
  std::string out;
  ssize_t bytes = 0;
  const bool regular = ::fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
  char buffer[16 * 1024];
  while (regular && out.size() <= bytes_max && (bytes = ::read(fd, buffer, sizeof(buffer))) > 0)
    out.append(buffer, static_cast<std::size_t>(bytes));
  ::close(fd);
  if (!regular) return fail(Code::invalid, fmt::format("{} is not a file", shown));
  if (bytes < 0) return fail(Code::unavailable, fmt::format("cannot read {}", shown));
  if (out.size() > bytes_max)
    return fail(Code::invalid, fmt::format("{} is larger than {} bytes", shown, bytes_max));
  return out;
}

}  // namespace alos::surface
