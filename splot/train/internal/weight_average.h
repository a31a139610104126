// WeightAverage: the averages of the weights beside a training, when they are taken, and when the model has
// them.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "splot/nn/parameters.h"
#include "splot/optim/averaged_weights.h"
#include "splot/train/trainer.h"

namespace splot::train_detail {

class WeightAverage {
 public:
  WeightAverage(Layer& model, const TrainerOptions& options) : start_(options.average_start) {
    if (!options.average) return;
    equal_ = options.average->averaging == Averaging::equal;
    weights_.emplace(named_parameters(model), *options.average);
  }

  /// What a checkpoint has to agree with.
  static std::string describe(const TrainerOptions& options) {
    if (!options.average) return "none";
    const bool equal = options.average->averaging == Averaging::equal;
    return join(equal ? "mean" : join("ema ", options.average->decay), " from epoch ", options.average_start);
  }

  void after_step(Index epoch) {
    if (weights_ && !equal_ && epoch >= start_) weights_->update();
  }
  void after_epoch(Index epoch) {
    if (weights_ && equal_ && epoch >= start_) weights_->update();
  }

  /// While it lives the model has the averages, if there are any yet.
  class InModel {
   public:
    explicit InModel(WeightAverage& owner) : weights_(owner.has_any() ? &*owner.weights_ : nullptr) {
      if (weights_ != nullptr) weights_->swap();
    }
    ~InModel() {
      if (weights_ != nullptr) weights_->swap();
    }
    InModel(const InModel&) = delete;
    InModel& operator=(const InModel&) = delete;

   private:
    AveragedWeights* weights_;
  };
  /// For good.
  void leave_in_model() {
    if (has_any()) weights_->swap();
  }

  NamedTensors state_dict() const { return weights_ ? weights_->state_dict() : NamedTensors(); }
  void load_state_dict(std::span<const NamedTensor> state) {
    if (weights_) weights_->load_state_dict(state);
  }

 private:
  bool has_any() const { return weights_ && weights_->count() > 0; }

  Index start_;
  bool equal_ = false;
  std::optional<AveragedWeights> weights_;
};

}  // namespace splot::train_detail
