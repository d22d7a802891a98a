// Valve: what stands between the kernel and the hands that work on threads of their own, so that a
// runtime can end at any moment. Closed, it lets nothing through any more: tasks and completions
// are dropped, which leaves what they belonged to as a crash would, and recovery takes it up.
#pragma once

#include <atomic>
#include <memory>

#include "ports/hands.h"

namespace alos::runtime {

class Valve {
 public:
  // Runs `task` unless closed.
  template <typename Task>
  void pass(Task&& task) {
    ++inside_;
    if (!closed_) std::forward<Task>(task)();
    if (--inside_ == 0) inside_.notify_all();
  }
  // From then on nothing passes; waits for what is passing now.
  void close();

 private:
  std::atomic<bool> closed_ = false;
  std::atomic<unsigned> inside_ = 0;
};

class ValvedExecutor final : public ports::Executor {
 public:
  ValvedExecutor(std::unique_ptr<ports::Executor> pool, Valve& valve)
      : pool_(std::move(pool)), valve_(valve) {}

  void post(std::function<void()> task) override;
  void post_at(base::Time when, std::function<void()> task) override;
  ports::Threads threads() const override { return ports::Threads::many; }
  void stop() { pool_.reset(); }  // the valve is closed; ends the pool's threads

 private:
  std::unique_ptr<ports::Executor> pool_;
  Valve& valve_;
};

class ValvedModels final : public ports::Models {
 public:
  ValvedModels(std::unique_ptr<ports::Models> models, std::shared_ptr<Valve> valve)
      : models_(std::move(models)), valve_(std::move(valve)) {}

  base::Result<void> check(const std::string& model) override { return models_->check(model); }
  void start(const ports::Intent<abi::ModelGenerate>& intent,
             std::function<void(ports::Outcome<abi::ModelGenerate::Reply>)> done) override;
  void stop() { models_.reset(); }  // the valve is closed and no task runs any more

 private:
  std::unique_ptr<ports::Models> models_;
  std::shared_ptr<Valve> valve_;
};

}  // namespace alos::runtime
