#include "tools/tools.h"

#include <algorithm>

#include <fmt/format.h>

#include "tools/builtin/builtin.h"

namespace alos::tools {
namespace {

std::string content_and_rest(std::string_view content, base::Reader object) {
  std::string out(content);
  if (object.size() == 1) return out;
  if (!out.empty() && out.back() != '\n') out += '\n';
  const char* before = "{";
  for (std::size_t i = 0; i < object.size(); ++i) {
    const auto [name, value] = object.member(i);
    if (name == "content") continue;
    out += before;
    base::append_json_string(out, name);
    (out += ':') += value.canonical();
    before = ",";
  }
  return out += '}';
}

// Cheap and never wrong with no: only documents that may have something to unwrap are parsed.
bool may_unwrap(std::string_view json) {
  return json.starts_with('"') || (json.starts_with('{') && json.find(R"("content":")") != std::string_view::npos);
}

}  // namespace

ToolSet::ToolSet(std::vector<Tool> tools) : tools_(std::move(tools)) {
  const auto name = [](const Tool& tool) -> const std::string& { return tool.spec.name; };
  std::ranges::sort(tools_, {}, name);
  CHECK(std::ranges::adjacent_find(tools_, {}, name) == tools_.end());
}

const Tool* ToolSet::find(std::string_view name) const {
  const auto found =
      std::ranges::lower_bound(tools_, name, {}, [](const Tool& tool) { return std::string_view(tool.spec.name); });
  return found != tools_.end() && found->spec.name == name ? &*found : nullptr;
}

ToolSet builtin_tools() {
  std::vector<Tool> all;
  for (auto* make : {file_tools, search_tools, object_tools, human_tools, process_tools})
    for (Tool& tool : make()) all.push_back(std::move(tool));
  return ToolSet(std::move(all));
}

base::Text text_of(const base::Json& value) {
  if (!may_unwrap(value.data)) return value.data;
  const auto document = base::Document::parse(value.data, base::Source::outside);
  if (!document) return value.data;
  const base::Reader root = document->root();
  if (const auto text = root.string()) return std::string(*text);
  const auto content = root.field("content");
  const auto text = content ? content->string() : std::nullopt;
  return text ? content_and_rest(*text, root) : value.data;
}

std::string text_of(const base::Error& error) {
  std::string out = fmt::format("error {}: {}", base::name_of(error.code), error.what);
  if (!error.details.empty()) out += fmt::format(" ({})", error.details);
  return out;
}

}  // namespace alos::tools
