#include "tools/tools.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/builtin/builtin.h"

namespace alos::tools {
ToolSet::ToolSet(std::vector<Tool> tools) : tools_(std::move(tools)) {
  const auto name = [](const Tool& tool) -> const std::string& { return tool.spec.name; };
  std::ranges::sort(tools_, {}, name);
  CHECK(std::ranges::adjacent_find(tools_, {}, name) == tools_.end());
}

const Tool* ToolSet::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(
      tools_, name, {}, [](const Tool& tool) { return std::string_view(tool.spec.name); });
  return found != tools_.end() && found->spec.name == name ? &*found : nullptr;
}

ToolSet builtin_tools() {
  std::vector<Tool> all;
  for (auto* make : {file_tools, search_tools, object_tools, human_tools, process_tools,
                     family_tools, message_tools})
    for (Tool& tool : make()) all.push_back(std::move(tool));
  return ToolSet(std::move(all));
}

}  // namespace alos::tools
