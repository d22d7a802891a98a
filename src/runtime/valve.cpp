#include "runtime/valve.h"

namespace alos::runtime {

void Valve::close() {
  closed_ = true;
  for (unsigned count = inside_; count != 0; count = inside_) inside_.wait(count);
}

void ValvedExecutor::post(std::function<void()> task) {
  valve_.pass([&] { pool_->post(std::move(task)); });
}

void ValvedExecutor::post_at(base::Time when, std::function<void()> task) {
  valve_.pass([&] { pool_->post_at(when, std::move(task)); });
}

void ValvedModels::start(const ports::Intent<abi::ModelGenerate>& intent,
                         std::function<void(ports::Outcome<abi::ModelGenerate::Reply>)> done) {
  models_->start(intent, [valve = valve_, done = std::move(done)](
                             ports::Outcome<abi::ModelGenerate::Reply> outcome) {
    valve->pass([&] { done(std::move(outcome)); });
  });
}

}  // namespace alos::runtime
