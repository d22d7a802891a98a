#include "abi/tool_text.h"

#include <fmt/format.h>

#include "base/json.h"

namespace alos::abi {
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
  return json.starts_with('"') ||
         (json.starts_with('{') && (json.starts_with(R"({"error":)") ||
                                    json.find(R"("content":")") != std::string_view::npos));
}

}  // namespace

std::string text_of(const base::Error& error) {
  std::string out = fmt::format("error {}: {}", base::name_of(error.code), error.what);
  if (!error.details.empty()) out += fmt::format(" ({})", error.details);
  return out;
}

base::Text text_of(const base::Json& value) {
  if (!may_unwrap(value.data)) return value.data;
  const auto document = base::Document::parse(value.data, base::Source::outside);
  if (!document) return value.data;
  const base::Reader root = document->root();
  if (const auto failed = root.field("error"); failed && root.size() == 1) {
    base::Error error;
    if (base::decode(*failed, error)) return text_of(error);
  }
  if (const auto text = root.string()) return std::string(*text);
  const auto content = root.field("content");
  const auto text = content ? content->string() : std::nullopt;
  return text ? content_and_rest(*text, root) : value.data;
}

}  // namespace alos::abi
