#include "sim/sim_models.h"

namespace alos::sim {

using base::Code;
using Reply = abi::ModelGenerate::Reply;

void SimModels::start(const ports::Intent<abi::ModelGenerate>& intent,
                      std::function<void(ports::Outcome<Reply>)> done) {
  effects_.performs(intent);
  if (world_.crashed()) return;
  const World::Fate fate = world_.next_perform();
  if (fate == World::Fate::crash_before) return world_.cut_power("before a perform (model)");
  const abi::ModelGenerate& call = intent.call();
  const unsigned times = ++asked_[{call.process, call.turn}];
  Random random(mix(mix(world_.plan().seed, call.process), fmt::format("{} {}", call.turn, times)));
  ports::Outcome<Reply> outcome = reply_of(world_.plan().seed, call.process, call.turn);
  if (fate == World::Fate::fails || (times < 4 && random.one_in(15))) {
    world_.mark("model failed");
    outcome = ports::Failed{
        {random.one_in(8) ? Code::invalid : Code::unavailable, "the model is away", ""}};
  }
  effects_.took_effect(intent.key());
  if (fate == World::Fate::crash_after) return world_.cut_power("after a perform (model)");
  if (random.one_in(2)) {
    world_.mark("model at once");
    return done(std::move(outcome));
  }
  world_.mark("model late");
  const auto when = world_.clock().now() + std::chrono::milliseconds(random.below(5000));
  executor_->post_at(when,
                     [done = std::move(done), outcome = std::move(outcome)] { done(outcome); });
}

ports::Outcome<abi::TimeNow::Reply> SimHost::perform(const ports::Intent<abi::TimeNow>& intent) {
  effects_.performs(intent);
  effects_.took_effect(intent.key());
  return abi::TimeNow::Reply{now()};
}

}  // namespace alos::sim
