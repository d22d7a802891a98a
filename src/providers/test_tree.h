// For tests: a fresh host directory with a root in it and a secret beside the root.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "providers/files_pin.h"

namespace alos::providers {

class TestTree {
 public:
  TestTree() {
    std::string name = (std::filesystem::temp_directory_path() / "alos-files-XXXXXX").string();
    CHECK(::mkdtemp(name.data()) != nullptr);
    host_ = name;
    std::filesystem::create_directory(host_ / "root");
    put_at(host_ / "secret", "the secret");
    std::filesystem::create_directory(host_ / "outside");
    put_at(host_ / "outside/secret", "the secret");
  }
  TestTree(const TestTree&) = delete;
  TestTree& operator=(const TestTree&) = delete;
  ~TestTree() {
    std::error_code ignored;
    std::filesystem::remove_all(host_, ignored);
  }

  std::filesystem::path host(const std::string& below) const { return host_ / "root" / below; }
  std::filesystem::path beside(const std::string& name) const { return host_ / name; }
  abi::Roots roots() const { return {{"workspace", host("").parent_path().string()}}; }

  void put(const std::string& below, const std::string& content) const {
    std::filesystem::create_directories(host(below).parent_path());
    put_at(host(below), content);
  }
  void link(const std::string& below, const std::string& target) const {
    std::filesystem::create_directories(host(below).parent_path());
    std::filesystem::create_symlink(target, host(below));
  }
  static void put_at(const std::filesystem::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  }
  static std::string get_at(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string get(const std::string& below) const { return get_at(host(below)); }
  bool secrets_whole() const {
    return get_at(beside("secret")) == "the secret" &&
           get_at(beside("outside/secret")) == "the secret";
  }

  base::Result<PinnedPath> pin(const std::string& path,
                               ports::Missing missing = ports::Missing::refuse,
                               abi::Leaf leaf = abi::Leaf::follow) const {
    return pin_path({*base::Path::parse(path), leaf, missing}, roots());
  }
  // What is left behind by writes.
  std::size_t temps() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(host("")))
      count += entry.path().filename().string().starts_with(".alos-") ? 1 : 0;
    return count;
  }

 private:
  std::filesystem::path host_;
};

}  // namespace alos::providers
