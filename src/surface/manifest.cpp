#include "surface/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/text.h"
#include "surface/yaml.h"

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;

namespace {

constexpr std::array<std::string_view, 17> kKeys{
    "alos",   "image", "goal", "model",  "roots", "grants", "budget", "base_grants", "trapdoors",
    "prices", "cwd",   "name", "prompt", "tools", "needs",  "people", "policy"};
constexpr std::array<std::string_view, 2> kPrices{"input_usd_per_mtok", "output_usd_per_mtok"};
constexpr std::array<std::string_view, 5> kImageKeys{"name", "description", "prompt", "tools",
                                                     "needs"};

Result<void> read_version(const YamlMap& map, const Yaml& root, const std::string& path) {
  const Yaml* version = map.find("alos");
  if (version == nullptr)
    return fail(Code::invalid, fmt::format("{}:{}: a manifest begins with `alos: 1`",
                                           base::printable(path), root.line));
  if (version->kind != Yaml::Kind::text) return map.wrong(*version, "alos", "the number 1");
  if (version->text != "1")
    return map.at(version->line, "alos",
                  {Code::invalid,
                   fmt::format("version {} is not known here",
                               base::printable(base::shortened(version->text, 20))),
                   "this alos reads version 1"});
  return {};
}

Result<void> read_grants(const YamlMap& map, base::Time now, std::vector<abi::Grant>& out) {
  std::vector<std::string> texts;
  TRY(map.texts("grants", texts));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto grant = abi::Grant::parse(texts[i], now);
    if (!grant) return map.at(map.find("grants")->items[i].line, "grants", grant.error());
    out.push_back(std::move(*grant));
  }
  return {};
}

Result<void> read_budget(const YamlMap& map, abi::Budget& out) {
  const Yaml* budget = map.find("budget");
  if (budget == nullptr) return {};
  std::vector<std::pair<std::string, std::string>> pairs;
  TRY(map.pairs("budget", pairs));
  for (std::size_t i = 0; i < pairs.size(); ++i)
    if (const auto ok = out.set(pairs[i].first, pairs[i].second); !ok)
      return map.at(budget->members[i].value.line, "budget", ok.error());
  return {};
}

Result<void> read_prices(const YamlMap& map, const std::string& path, Manifest& out) {
  const Yaml* prices = map.find("prices");
  if (prices == nullptr) return {};
  TRY(YamlMap::of(*prices, path, "prices", kPrices));
  std::vector<std::pair<std::string, std::string>> pairs;
  TRY(map.pairs("prices", pairs));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto usd = abi::parse_usd_micro(pairs[i].second);
    if (!usd) return map.at(prices->members[i].value.line, pairs[i].first, usd.error());
    (pairs[i].first == kPrices[0] ? out.usd_micro_per_mtok_in : out.usd_micro_per_mtok_out) = *usd;
  }
  return {};
}

Result<void> read_roots(const YamlMap& map, const std::string& dir, std::vector<NamedDir>& out) {
  std::vector<std::pair<std::string, std::string>> pairs;
  TRY(map.pairs("roots", pairs));
  for (auto& [name, path] : pairs) out.push_back({name, absolute_path(path, dir)});
  return {};
}

// people: {ada: [reviewer], bo: [ops]}
Result<void> read_people(const YamlMap& map, std::vector<kernel::Person>& out) {
  const Yaml* people = map.find("people");
  if (people == nullptr) return {};
  if (people->kind != Yaml::Kind::map)
    return map.wrong(*people, "people", "a map of names to lists of roles");
  const auto is_word = [](const std::string& text) {
    return !text.empty() && text.size() <= 64 &&
           text.find_first_not_of(
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
               "_-.") == std::string::npos;
  };
  for (const auto& [name, roles] : people->members) {
    kernel::Person person{name, {}};
    if (roles.kind != Yaml::Kind::list && roles.kind != Yaml::Kind::null)
      return map.wrong(roles, "people: " + name, "a list of roles");
    for (const Yaml& role : roles.items) person.roles.push_back(role.text);
    if (!is_word(name) || !std::all_of(person.roles.begin(), person.roles.end(), is_word))
      return map.at(roles.line, "people",
                    {Code::invalid, "names and roles are made of letters, digits, _ - and .", ""});
    out.push_back(std::move(person));
  }
  return {};
}

Result<void> read_base_grants(const YamlMap& map, Manifest& out) {
  TRY(map.text("base_grants", out.base_grants));
  if (!out.base_grants || *out.base_grants == "none" || *out.base_grants == "all") return {};
  return map.at(map.find("base_grants")->line, "base_grants",
                {Code::invalid,
                 fmt::format("`{}` is neither `all` nor `none`",
                             base::printable(base::shortened(*out.base_grants, 40))),
                 ""});
}

bool looks_like_a_directory(const std::string& image) {
  return image.find('/') != std::string::npos || image == "." || image == "..";
}

}  // namespace

std::string absolute_path(std::string path, const std::string& dir) {
  if (!path.starts_with('/')) path = dir + "/" + path;
  return std::filesystem::path(path).lexically_normal().string();
}

std::string absolute_model(std::string model, const std::string& dir) {
  constexpr std::string_view kScript = "script:";
  return model.starts_with(kScript)
             ? std::string(kScript) + absolute_path(model.substr(kScript.size()), dir)
             : model;
}

Result<Manifest> Manifest::parse(const std::string& text, const std::string& path,
                                 const std::string& dir, base::Time now) {
  const Yaml root = TRY(Yaml::parse(text, path));
  const YamlMap map = TRY(YamlMap::of(root, path, "a manifest", kKeys));
  TRY(read_version(map, root, path));
  Manifest out;
  for (const auto& [key, field] :
       {std::pair<std::string_view, std::optional<std::string>*>{"image", &out.image},
        {"goal", &out.goal},
        {"model", &out.model},
        {"cwd", &out.cwd},
        {"name", &out.name},
        {"prompt", &out.prompt},
        {"policy", &out.policy}})
    TRY(map.text(key, *field));
  if (map.find("tools") != nullptr) TRY(map.texts("tools", out.tools.emplace()));
  TRY(map.texts("needs", out.needs));
  TRY(map.texts("trapdoors", out.trapdoors));
  TRY(read_roots(map, dir, out.roots));
  TRY(read_grants(map, now, out.grants));
  TRY(read_people(map, out.people));
  TRY(read_budget(map, out.budget));
  TRY(read_prices(map, path, out));
  TRY(read_base_grants(map, out));
  if (out.image && looks_like_a_directory(*out.image)) out.image = absolute_path(*out.image, dir);
  if (out.model) out.model = absolute_model(*out.model, dir);
  return out;
}

Result<abi::Image> read_image(const std::string& dir) {
  const std::string path = dir + "/IMAGE.yaml";
  const std::string text = TRY(read_whole_file(path, kYamlBytesMax));
  const Yaml root = TRY(Yaml::parse(text, path));
  const YamlMap map = TRY(YamlMap::of(root, path, "an image", kImageKeys));
  std::optional<std::string> name, description, prompt;
  abi::Image image;
  TRY(map.text("name", name));
  TRY(map.text("description", description));
  TRY(map.text("prompt", prompt));
  TRY(map.texts("tools", image.tools));
  TRY(map.texts("needs", image.needs));
  if (!name || !prompt)
    return fail(Code::invalid, fmt::format("{}:{}: an image has a `name` and a `prompt`",
                                           base::printable(path), root.line));
  for (std::size_t i = 0; i < image.needs.size(); ++i)
    if (const auto need = abi::Grant::from_text(image.needs[i]); !need)
      return map.at(map.find("needs")->items[i].line, "needs", need.error());
  image.name = *name;
  image.description = description.value_or("");
  image.prompt = *prompt;
  // One word with a dot, and a file beside that has this name: the prompt is kept there.
  const bool file_name =
      prompt->find_first_of(" \n/") == std::string::npos && prompt->find('.') != std::string::npos;
  if (file_name) image.prompt = TRY(read_whole_file(dir + "/" + *prompt, kYamlBytesMax));
  return image;
}

}  // namespace alos::surface
