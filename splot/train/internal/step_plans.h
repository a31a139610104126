// A training step: from a batch to loss, derivatives and update, call by call or as plans.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "splot/compiler/compile.h"
#include "splot/core/messages.h"
#include "splot/nn/layer.h"
#include "splot/nn/parameters.h"
#include "splot/optim/optimizer.h"
#include "splot/train/trainer.h"

namespace splot::train_detail {

/// What a step is made of.
struct StepParts {
  Layer& model;
  const LossFunction& loss;
  Optimizer& optimizer;
  std::uint64_t seed = 1;
  double clip_norm = 0.0;
  double clip_value = 0.0;
};

/// A batch as the network gets it, and the number that its random draws follow.
struct StepBatch {
  const Tensor& inputs;
  const Tensor& targets;
  std::uint64_t counter = 0;
};

/// What a batch came to, without history.
struct StepOutcome {
  Tensor loss;
  Tensor output;
  /// Of whole steps that clip, the norm of the gradients before, 0-d float64; undefined where nothing clips:
  /// there a gradient that is not finite shows in the weights.
  Tensor norm = {};
};

/// The context that the network gets.
Context context_of(const StepParts& parts, std::uint64_t counter);

/// The network's answer and the loss of it, with history.
StepOutcome answer(const StepParts& parts, const StepBatch& batch);
/// The derivatives of loss times share, added to the gradients; of the loss where share is undefined.
void add_derivatives(const Tensor& loss, const Tensor& share);
/// clip_value, then clip_norm, as far as they are asked for.
void clip_gradients(const StepParts& parts, const NamedParameters& parameters);
/// The whole step, traceable.
StepOutcome whole_step(const StepParts& parts, const NamedParameters& parameters, const StepBatch& batch);

/// The same as plans: all of the step, or answer and derivatives alone, where somebody looks at gradients,
/// adds up those of several batches, or the update cannot be traced. What cannot be is found out once.
///
/// A step is traced twice before it is believed: one that comes out different, as for a layer that draws
/// numbers of its own, is a different function each time and not for a plan.
class StepPlans {
 public:
  explicit StepPlans(const StepParts& parts);
  StepPlans(const StepPlans&) = delete;
  StepPlans& operator=(const StepPlans&) = delete;

  /// Whether there is a plan for the batch, which step() or derive() then runs; made when there is none.
  /// False: why_not_step() says why.
  bool can_step(const StepBatch& batch);
  bool can_derive(const StepBatch& batch, bool shared);
  /// What the plan that can_step() has found takes.
  PlanMemory step_memory() const { return whole_.plan->memory(); }
  const std::string& why_not_step() const { return whole_.why_not; }
  const std::string& why_not_derive() const { return derivatives_.why_not; }

  /// Runs it: weights and state are changed. Throws what kernels throw, and then they may be anything.
  StepOutcome step(const StepBatch& batch);
  /// Runs it: derivatives are added to the gradients; `share` as in add_derivatives().
  StepOutcome derive(const StepBatch& batch, const Tensor& share);

  /// All that a step reads and writes beside the batch.
  std::vector<Slot>& slots() { return slots_; }
  /// Looks whether slots are still what they were: parameters may have been frozen, states loaded.
  bool is_fresh() const;
  /// Where they are not: plans are made anew.
  void renew();

  /// Plans take times from now on.
  void take_times() { takes_times_ = true; }
  /// What the plans have taken so far; the times then begin anew with plans made later.
  void collect(TrainingProfile& profile);

 private:
  struct Kind {
    Message what;
    TracedFunction function = {};
    std::unique_ptr<Compiled> compiled = {};
    Plan* plan = nullptr;  // that can() has found
    bool believed = false;
    std::string why_not = {};
  };
  struct Made {
    Plan* plan;
    std::string why;
  };

  void begin();
  void compile(Kind& kind, TensorList (StepPlans::*function)(std::span<const Tensor>, std::uint64_t));
  bool can(Kind& kind, std::span<const Tensor> arguments);
  TensorList traced_step(std::span<const Tensor> in, std::uint64_t counter);
  TensorList traced_derivatives(std::span<const Tensor> in, std::uint64_t counter);

  StepParts parts_;
  NamedParameters parameters_;
  std::vector<Slot> slots_;
  std::vector<bool> frozen_;
  std::uint64_t loads_ = 0;
  Kind whole_{Message::profile_steps}, derivatives_{Message::profile_derivatives};
  std::vector<Made> made_;  // in order; none once a plan may have had to make room
  bool takes_times_ = false;
  bool anew_ = false;                       // slots have changed since the first plan
  std::vector<std::size_t> with_gradient_;  // parameters that a derivative reaches, in order
};

}  // namespace splot::train_detail
