// A whole runtime in a directory, with an instant model that says what a function tells it to.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "kernel/make.h"
#include "tools/tools.h"

namespace alos::bench {

// A reply of the model to turn `turn` of the process called `name`. Empty: the model never answers.
using Replies = std::function<std::optional<abi::ModelGenerate::Reply>(const std::string& name,
                                                                       std::uint32_t turn)>;

class InstantModels final : public ports::Models {
 public:
  explicit InstantModels(Replies replies) : replies_(std::move(replies)) {}
  base::Result<void> check(const std::string&) override { return {}; }
  void start(const ports::Intent<abi::ModelGenerate>& intent,
             std::function<void(ports::Outcome<abi::ModelGenerate::Reply>)> done) override;
  std::uint64_t asked() const { return asked_; }

 private:
  Replies replies_;
  std::atomic<std::uint64_t> asked_{0};
};

class World {
 public:
  // `dir` gets `store` and `ws`. `threads` of the pool.
  World(const std::string& dir, unsigned threads, Replies replies);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  kernel::Kernel& kernel() { return *kernel_; }
  InstantModels& models() { return models_; }
  kernel::Launch launch(
      const std::string& name) const;  // a coding agent with everything it needs under /workspace
  base::Pid start(const std::string& name);
  void wait(base::Pid pid);  // until it has exited; anything else ends the benchmark

 private:
  std::string dir_;
  std::shared_ptr<store::Store> store_;
  std::unique_ptr<ports::Files> files_;
  std::unique_ptr<ports::Clock> clock_;
  InstantModels models_;
  tools::ToolSet tools_;
  std::shared_ptr<abi::Program> agent_;
  std::unique_ptr<ports::Executor> executor_;
  std::shared_ptr<kernel::Kernel> kernel_;
};

// A fresh directory beside the program, removed at the end.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }
  void write(const std::string& name, const std::string& content) const;

 private:
  std::string path_;
};

abi::ModelGenerate::Reply say(const std::string& text);
// `count` calls of one tool; `arguments(i)` makes the JSON.
abi::ModelGenerate::Reply ask(const std::string& tool, std::size_t count,
                              const std::function<std::string(std::size_t)>& arguments);

std::string prose(std::size_t bytes, unsigned seed);  // words: what files of text are like
std::string noise(std::size_t bytes, unsigned seed);  // letters at random: what does not compress

[[noreturn]] void give_up(const std::string& why);

template <typename T>
T must(base::Result<T> result) {
  if (!result) give_up(result.error().what);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace alos::bench
