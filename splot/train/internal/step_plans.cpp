#include "splot/train/internal/step_plans.h"

#include <cstring>
#include <exception>
#include <utility>

#include "splot/autodiff/autodiff.h"
#include "splot/core/error.h"
#include "splot/core/node.h"
#include "splot/ops/ops.h"
#include "splot/optim/clip.h"
#include "splot/train/internal/profile_plan.h"
#include "splot/train/slots.h"

namespace splot::train_detail {
namespace {

bool same_elements(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  const Tensor x = contiguous(a), y = contiguous(b);
  const std::size_t bytes = static_cast<std::size_t>(x.numel()) * x.dtype().size();
  return bytes == 0 || std::memcmp(x.raw(), y.raw(), bytes) == 0;
}

// The same calls of the same values.
bool same_function(const Graph& a, const Graph& b) {
  if (a.to_string() != b.to_string()) return false;
  for (std::size_t i = 0; i < a.inputs.size(); ++i) {
    const bool constant = a.inputs[i].kind == GraphInput::Kind::constant;
    if (constant && !same_elements(a.inputs[i].constant, b.inputs[i].constant)) return false;
  }
  return true;
}

std::vector<bool> frozen_of(const NamedParameters& parameters) {
  std::vector<bool> out;
  for (const NamedParameter& entry : parameters) out.push_back(entry.parameter.frozen());
  return out;
}

}  // namespace

Context context_of(const StepParts& parts, std::uint64_t counter) {
  return {.training = true, .key = {.seed = parts.seed, .stream = 0, .counter = counter}};
}

StepOutcome answer(const StepParts& parts, const StepBatch& batch) {
  Context context = context_of(parts, batch.counter);
  const Tensor output = parts.model(batch.inputs, context);
  return {parts.loss(output, batch.targets), output};
}

void add_derivatives(const Tensor& loss, const Tensor& share) {
  backward(loss, {.cotangent = share.defined() ? cast(share, loss.dtype()) : Tensor()});
}

void clip_gradients(const StepParts& parts, const NamedParameters& parameters) {
  if (parts.clip_value > 0.0) clip_grad_value(parameters, parts.clip_value);
  if (parts.clip_norm > 0.0) clip_grad_norm(parameters, parts.clip_norm);
}

StepOutcome whole_step(const StepParts& parts, const NamedParameters& parameters, const StepBatch& batch) {
  parts.optimizer.zero_grad();
  const StepOutcome made = answer(parts, batch);
  add_derivatives(made.loss, {});
  StepOutcome out{made.loss.detach(), made.output.detach()};
  if (parts.clip_value > 0.0) {
    out.norm = grad_norm_traceable(parameters);
    clip_grad_value(parameters, parts.clip_value);
  }
  if (parts.clip_norm > 0.0) {
    const Tensor norm = clip_grad_norm_traceable(parameters, parts.clip_norm);
    if (!out.norm.defined()) out.norm = norm;
  }
  parts.optimizer.step();
  return out;
}

StepPlans::StepPlans(const StepParts& parts) : parts_(parts) { begin(); }

void StepPlans::begin() {
  parameters_ = named_parameters(parts_.model);
  slots_ = slots_of(parts_.model, parts_.optimizer);
  frozen_ = frozen_of(parameters_);
  loads_ = parts_.optimizer.loads();
  with_gradient_.clear();
  compile(whole_, &StepPlans::traced_step);
  compile(derivatives_, &StepPlans::traced_derivatives);
}

void StepPlans::compile(Kind& kind,
                        TensorList (StepPlans::*function)(std::span<const Tensor>, std::uint64_t)) {
  kind.function = [this, function](std::span<const Tensor> in, std::uint64_t counter) {
    return (this->*function)(in, counter);
  };
  kind.compiled = std::make_unique<Compiled>(kind.function, CompileOptions{.slots = slots_});
  kind.plan = nullptr;
  kind.believed = false;
  kind.why_not.clear();
}

bool StepPlans::is_fresh() const {
  if (loads_ != parts_.optimizer.loads()) return false;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (frozen_[i] != parameters_[i].parameter.frozen()) return false;
  }
  return true;
}

void StepPlans::renew() {
  anew_ = true;
  made_.clear();
  begin();
}

TensorList StepPlans::traced_step(std::span<const Tensor> in, std::uint64_t counter) {
  const StepOutcome made = whole_step(parts_, parameters_, {in[0], in[1], counter});
  TensorList out{made.loss, made.output};
  if (made.norm.defined()) out.push_back(made.norm);
  return out;
}

TensorList StepPlans::traced_derivatives(std::span<const Tensor> in, std::uint64_t counter) {
  for (NamedParameter& entry : parameters_) entry.parameter.zero_grad();
  const StepOutcome made = answer(parts_, {in[0], in[1], counter});
  add_derivatives(made.loss, in.size() > 2 ? in[2] : Tensor());
  TensorList out{made.loss.detach(), made.output.detach()};
  with_gradient_.clear();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Parameter& parameter = parameters_[i].parameter;
    if (parameter.frozen() || !parameter.grad().defined()) continue;
    with_gradient_.push_back(i);
    out.push_back(parameter.grad());
  }
  return out;
}

bool StepPlans::can(Kind& kind, std::span<const Tensor> arguments) {
  if (!kind.why_not.empty()) return false;
  try {
    if (!kind.believed) {
      const Graph once = trace(kind.function, arguments, {.slots = slots_});
      require<TraceError>(same_function(once, trace(kind.function, arguments, {.slots = slots_})), "trace",
                          "the same step traced twice makes other calls the second time");
      kind.believed = true;
    }
    const std::size_t before = kind.compiled->made();
    kind.plan = &kind.compiled->plan_for(arguments);
    if (kind.compiled->made() == before) return true;
  } catch (const std::exception& error) {
    kind.why_not = error.what();
    return false;
  }
  kind.plan->take_times(takes_times_);
  const std::string why = say(kind.what, arguments[0].shape()[0]);
  made_.push_back({kind.plan, anew_ ? say(Message::profile_anew, why) : why});
  if (kind.compiled->made() > CompileOptions().plans) made_.clear();
  return true;
}

bool StepPlans::can_step(const StepBatch& batch) {
  if (!parts_.optimizer.can_be_traced() && whole_.why_not.empty()) {
    whole_.why_not = "the optimiser does not say that its steps can be traced (Optimizer::can_be_traced())";
  }
  const Tensor arguments[] = {batch.inputs, batch.targets};
  return can(whole_, arguments);
}

bool StepPlans::can_derive(const StepBatch& batch, bool shared) {
  const Tensor arguments[] = {batch.inputs, batch.targets, scalar(1.0)};
  return can(derivatives_, std::span<const Tensor>(arguments, shared ? 3 : 2));
}

void StepPlans::collect(TrainingProfile& profile) {
  profile.state = 0;
  for (const Slot& slot : slots_) {
    const Tensor& x = slot.value();
    if (x.defined()) profile.state += static_cast<std::size_t>(x.numel()) * x.dtype().size();
  }
  for (const Made& made : made_) add_plan(profile, *made.plan, made.why);
  made_.clear();
}

StepOutcome StepPlans::step(const StepBatch& batch) {
  const TensorList made = whole_.plan->run({batch.inputs, batch.targets}, batch.counter);
  return {made[0], made[1], made.size() > 2 ? made[2] : Tensor()};
}

StepOutcome StepPlans::derive(const StepBatch& batch, const Tensor& share) {
  Plan& plan = *derivatives_.plan;
  const TensorList made = share.defined() ? plan.run({batch.inputs, batch.targets, share}, batch.counter)
                                          : plan.run({batch.inputs, batch.targets}, batch.counter);
  const NoGrad off;
  for (std::size_t k = 0; k < with_gradient_.size(); ++k) {
    Parameter parameter = parameters_[with_gradient_[k]].parameter;
    const Tensor before = parameter.grad();
    parameter.set_grad(before.defined() ? before + made[k + 2] : made[k + 2]);
  }
  return {made[0], made[1]};
}

}  // namespace splot::train_detail
