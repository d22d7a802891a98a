// SimModels and SimHost: a model that answers at once, late, or not this time; and a clock whose
// reading is a perform.
#pragma once

#include "sim/effects.h"
#include "sim/workload.h"

namespace alos::sim {

class SimModels final : public ports::Models {
 public:
  SimModels(World& world, Effects& effects) : world_(world), effects_(effects) {}

  void answer_through(ports::Executor* executor) { executor_ = executor; }  // of this life

  base::Result<void> check(const std::string&) override { return {}; }
  void start(const ports::Intent<abi::ModelGenerate>& intent,
             std::function<void(ports::Outcome<abi::ModelGenerate::Reply>)> done) override;

 private:
  World& world_;
  Effects& effects_;
  ports::Executor* executor_ = nullptr;
  std::map<std::pair<std::string, std::uint32_t>, unsigned> asked_;  // process and turn: how often
};

class SimHost final : public ports::Clock {
 public:
  SimHost(World& world, Effects& effects) : world_(world), effects_(effects) {}

  base::Time now() override { return world_.clock().now(); }
  ports::Outcome<abi::TimeNow::Reply> perform(const ports::Intent<abi::TimeNow>& intent) override;

 private:
  World& world_;
  Effects& effects_;
};

}  // namespace alos::sim
