#include "surface/launch.h"

#include <fmt/format.h>

#include <climits>
#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "surface/manifest.h"
#include "surface/preset.h"
#include "surface/yaml.h"

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;

namespace {

constexpr std::string_view kModels =
    "--model openai/gpt-5         OpenAI, or any server that speaks the same (OPENAI_API_KEY, "
    "OPENAI_BASE_URL)\n"
    "--model ollama/llama3        an Ollama on this machine\n"
    "--model script:./turns.jsonl replies from a file, without any model";

bool is_manifest_name(std::string_view word) {
  return word.ends_with(".yaml") || word.ends_with(".yml");
}

std::pair<std::string, std::string> split(const std::string& text) {
  const std::size_t at = text.find('=');
  return at == std::string::npos ? std::pair{text, std::string()}
                                 : std::pair{text.substr(0, at), text.substr(at + 1)};
}

Result<Manifest> read_manifest(const std::string& word, const std::string& dir, base::Time now) {
  const std::string path = absolute_path(word, dir);
  const auto text = read_whole_file(path, kYamlBytesMax);
  if (!text)
    return fail(text.error().code, text.error().what,
                "a goal that ends in .yaml is taken for a manifest; put other words around it");
  return Manifest::parse(*text, word, path.substr(0, path.rfind('/')), now);
}

Result<void> put_options(const Arguments& arguments, const std::string& dir, base::Time now,
                         Manifest& manifest) {
  if (const auto image = arguments.one("image")) {
    manifest.image = image->find('/') != std::string::npos || *image == "."
                         ? absolute_path(*image, dir)
                         : *image;
    manifest.prompt.reset(), manifest.tools.reset();
  }
  if (const auto model = arguments.one("model")) manifest.model = absolute_model(*model, dir);
  if (const auto policy = arguments.one("policy")) manifest.policy = policy;
  if (const auto cwd = arguments.one("cwd")) manifest.cwd = cwd;
  if (const auto name = arguments.one("name")) manifest.name = name;
  if (const auto base_grants = arguments.one("base-grants")) {
    if (*base_grants != "none")
      return fail(Code::invalid, fmt::format("--base-grants {}: only `none` can be said",
                                             base::printable(*base_grants)));
    manifest.base_grants = "none";
  }
  for (const std::string& text : arguments.all("root")) {
    const auto [name, path] = split(text);
    if (path.empty())
      return fail(Code::invalid,
                  fmt::format("--root {}: a root is NAME=DIR", base::printable(text)),
                  "for example: --root workspace=.");
    std::erase_if(manifest.roots, [&](const NamedDir& root) { return root.name == name; });
    manifest.roots.push_back({name, absolute_path(path, dir)});
  }
  for (const std::string& text : arguments.all("grant"))
    manifest.grants.push_back(TRY(abi::Grant::parse(text, now)));
  for (const std::string& text : arguments.all("budget")) {
    const auto [key, value] = split(text);
    TRY(manifest.budget.set(key, value));
  }
  return {};
}

Result<void> check_name(const std::string& name) {
  if (!name.empty() && name.size() <= 64 &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos)
    return {};
  return fail(Code::invalid,
              fmt::format("root `{}`: a root's name is made of a-z, 0-9, _ and -",
                          base::printable(base::shortened(name, 40))),
              "for example: workspace");
}

Result<void> choose_image(const Manifest& manifest, kernel::Launch& launch) {
  launch.image = manifest.image.value_or(launch.roots.empty() ? "base" : "coding");
  launch.needs = manifest.needs;
  if (launch.image.starts_with('/')) {
    abi::Image image = TRY(read_image(launch.image));
    launch.image = std::move(image.name);
    launch.prompt = std::move(image.prompt);
    launch.tools = std::move(image.tools);
    launch.needs.insert(launch.needs.end(), image.needs.begin(), image.needs.end());
  }
  if (manifest.prompt) launch.prompt = manifest.prompt;
  if (manifest.tools) launch.tools = manifest.tools;
  for (const std::string& need : launch.needs) TRY(abi::Grant::from_text(need));
  return {};
}

Result<void> check_prices(const Manifest& manifest) {
  const bool priced = manifest.usd_micro_per_mtok_in && manifest.usd_micro_per_mtok_out;
  if (!manifest.budget.usd_micro || priced || manifest.model->starts_with("script:")) return {};
  return fail(Code::invalid,
              fmt::format("a budget in usd cannot be kept: the price of {} is not known",
                          base::printable(*manifest.model)),
              "say it in the manifest, as in\n  prices: {input_usd_per_mtok: 1.25, "
              "output_usd_per_mtok: 10.00}\nor limit model_tokens instead");
}

Result<void> choose_roots(const Manifest& manifest, const std::string& store_dir,
                          kernel::Launch& launch) {
  for (const NamedDir& root : manifest.roots)
    launch.roots.push_back(TRY(resolve_root(root.name, root.dir, store_dir)));
  if (!launch.roots.empty()) launch.cwd = TRY(base::Path::parse("/" + launch.roots.front().name));
  if (manifest.cwd) launch.cwd = TRY(base::Path::parse(*manifest.cwd, launch.cwd));
  if (launch.cwd.is_top()) return {};
  for (const abi::Root& root : launch.roots)
    if (root.name == launch.cwd.root()) return {};
  return fail(Code::not_found,
              fmt::format("cwd {}: there is no root `{}`", base::printable(launch.cwd.text()),
                          base::printable(launch.cwd.root())),
              "a path begins with a root's name: --root workspace=. --cwd /workspace/src");
}

}  // namespace

Result<abi::Root> resolve_root(const std::string& name, const std::string& dir,
                               const std::string& store_dir) {
  namespace fs = std::filesystem;
  TRY(check_name(name));
  std::error_code error;
  const fs::path real = fs::canonical(dir, error);
  if (error)
    return fail(Code::not_found,
                fmt::format("root {}: there is no directory {}", name, base::printable(dir)),
                "make it, or name another: --root NAME=DIR");
  if (!fs::is_directory(real, error))
    return fail(Code::invalid,
                fmt::format("root {}: {} is not a directory", name, base::printable(real.string())),
                "a root is a directory; grants narrow it to files");
  const fs::path store = fs::weakly_canonical(store_dir, error);
  const auto inside = [](const fs::path& inner, const fs::path& outer) {
    return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first ==
           outer.end();
  };
  if (inside(store, real) || inside(real, store))
    return fail(Code::invalid,
                fmt::format("root {}: {} and the store {} lie one in the other", name,
                            base::printable(real.string()), base::printable(store.string())),
                "an agent must not reach its own journal: keep the store elsewhere with --store, "
                "or choose a narrower root");
  return abi::Root{name, real.string()};
}

Result<kernel::Launch> read_launch(const Arguments& arguments, const std::string& store_dir,
                                   const std::string& dir, base::Time now) {
  const std::string& word = arguments.words[0];
  Manifest manifest;
  if (is_manifest_name(word))
    manifest = TRY(read_manifest(word, dir, now));
  else
    manifest.goal = word;
  TRY(put_options(arguments, dir, now, manifest));
  if (!manifest.goal || manifest.goal->find_first_not_of(" \t\n") == std::string::npos)
    return fail(Code::invalid, "there is no goal",
                "give one: alos run \"GOAL\", or `goal:` in the manifest");
  if (!manifest.model) return fail(Code::invalid, "no model is named", std::string(kModels));
  TRY(check_prices(manifest));
  kernel::Launch launch;
  TRY(choose_roots(manifest, store_dir, launch));
  TRY(choose_image(manifest, launch));
  launch.name = manifest.name.value_or("root");
  launch.goal = *manifest.goal;
  launch.model = *manifest.model;
  launch.grants = manifest.grants;
  if (manifest.policy)
    for (abi::Grant& grant : TRY(preset_grants(
             *manifest.policy, launch.roots.empty() ? std::string() : launch.roots.front().name)))
      launch.grants.push_back(std::move(grant));
  launch.people = manifest.people;
  launch.base =
      manifest.base_grants == "none" ? kernel::Launch::Base::none : kernel::Launch::Base::grants;
  launch.budget = manifest.budget;
  launch.usd_micro_per_mtok_in = manifest.usd_micro_per_mtok_in.value_or(0);
  launch.usd_micro_per_mtok_out = manifest.usd_micro_per_mtok_out.value_or(0);
  launch.trapdoors = manifest.trapdoors;
  if (arguments.has("paused")) launch.start = kernel::Launch::Start::paused;
  return launch;
}

}  // namespace alos::surface
