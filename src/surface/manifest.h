// Manifest: what a run is started with, as a person writes it (DESIGN section 12). YAML, read
// strictly.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernel/kernel.h"

namespace alos::surface {

struct NamedDir {
  std::string name;
  std::string dir;
};

// Relative paths are made absolute by the file's directory; nothing is looked at yet.
struct Manifest {
  std::optional<std::string> image;  // a name, or an absolute directory
  std::optional<std::string> goal, model, cwd, name, prompt;
  std::optional<std::string> policy;  // a set of grants by name (preset.h)
  std::optional<std::vector<std::string>> tools;
  std::vector<std::string> needs;
  std::vector<NamedDir> roots;
  std::vector<abi::Grant> grants;
  std::vector<kernel::Person> people;
  abi::Budget budget;
  std::optional<std::string> base_grants;
  std::vector<std::string> trapdoors;
  std::optional<std::uint64_t> usd_micro_per_mtok_in, usd_micro_per_mtok_out;

  // `path` names the file in errors; `dir` is its directory. Errors are `invalid` and begin with
  // PATH:LINE.
  static base::Result<Manifest> parse(const std::string& text, const std::string& path,
                                      const std::string& dir, base::Time now);
};

// An image kept in a directory: IMAGE.yaml with name, description, prompt (or the name of a file
// beside), tools, needs.
base::Result<abi::Image> read_image(const std::string& dir);

// `script:x.jsonl` with its path made absolute by `dir`; any other model as it is.
std::string absolute_model(std::string model, const std::string& dir);
std::string absolute_path(std::string path, const std::string& dir);

}  // namespace alos::surface
