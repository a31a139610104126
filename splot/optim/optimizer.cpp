#include "splot/optim/optimizer.h"

#include <algorithm>
#include <cmath>

#include "splot/core/node.h"
#include "splot/core/recorder.h"
#include "splot/ops/create.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

void require_rate(double lr, const std::string& name) {
  require<ValueError>(std::isfinite(lr) && lr >= 0.0, name, "lr must be 0 or more, got ", lr);
}

}  // namespace

Optimizer::Optimizer(std::string name) : name_(std::move(name)) {}

void Optimizer::add_members(const NamedParameters& parameters, double lr) {
  require_rate(lr, name_);
  std::vector<Member> added;
  for (const NamedParameter& entry : parameters) {
    require<ValueError>(entry.parameter.defined(), name_, '"', entry.name, "\" is an undefined parameter");
    for (const std::vector<Member>* list : {&std::as_const(members_), &std::as_const(added)}) {
      for (const Member& member : *list) {
        require<ValueError>(!(member.parameter == entry.parameter) && member.name != entry.name, name_, '"',
                            entry.name, "\" is there twice");
      }
    }
    added.push_back({entry.name, entry.parameter, rates_.size()});
  }
  rates_.push_back(scalar(lr));
  std::move(added.begin(), added.end(), std::back_inserter(members_));
}

double Optimizer::step(const Closure& closure) {
  const double loss = closure();
  step();
  return loss;
}

std::vector<Tensor> Optimizer::gradients() const {
  std::vector<Tensor> out(members_.size());
  std::string missing;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Parameter& parameter = members_[i].parameter;
    if (parameter.frozen()) continue;
    out[i] = parameter.grad();
    if (!out[i].defined()) {
      if (!allow_missing_) missing += join(missing.empty() ? "" : ", ", members_[i].name);
      continue;
    }
    // Before anything is changed: an update that failed half way would leave the network between two steps.
    require<GradientError>(
        parameter.has_value() && out[i].shape() == parameter.shape() && out[i].dtype() == parameter.dtype(),
        name_, members_[i].name, " is ", parameter.dtype(), parameter.shape(), ", its gradient ",
        out[i].dtype(), out[i].shape());
    if (maximize_) out[i] = -out[i];
  }
  require<GradientError>(missing.empty(), name_, "no gradient has reached ", missing,
                         "; does the loss depend on it, and was backward() called after zero_grad()?");
  return out;
}

void Optimizer::zero_grad() {
  for (Member& member : members_) member.parameter.zero_grad();
}

double Optimizer::lr() const { return lr(0); }

double Optimizer::lr(std::size_t group) const {
  require<IndexError>(group < rates_.size(), name_, "there is no group ", group, " among ", rates_.size());
  return rates_[group].item<double>();
}

void Optimizer::set_lr(double lr) {
  for (std::size_t i = 0; i < rates_.size(); ++i) set_lr(i, lr);
}

void Optimizer::set_lr(std::size_t group, double lr) {
  require_rate(lr, name_);
  require<IndexError>(group < rates_.size(), name_, "there is no group ", group, " among ", rates_.size());
  rates_[group] = scalar(lr);
}

void Optimizer::visit_state(const std::function<void(const std::string& name, Tensor& state)>& visit) {
  for (std::size_t i = 0; i < rates_.size(); ++i) visit(join("lr.", i), rates_[i]);
}

// --- a state on its way in

Optimizer::Incoming::Incoming(const std::string& optimizer, std::span<const NamedTensor> state)
    : optimizer_(optimizer) {
  std::vector<std::string_view> names;
  for (const NamedTensor& entry : state) {
    require<ValueError>(entry.value.defined(), optimizer_, entry.name, " is an undefined tensor");
    names.push_back(entry.name);
    given_.emplace_back(entry.name, entry.value);
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) fail<ValueError>(optimizer_, *twice, " is there twice");
}

Tensor Optimizer::Incoming::take(const std::string& name, const Shape& shape, DType dtype) {
  const auto found =
      std::find_if(given_.begin(), given_.end(), [&](const auto& entry) { return entry.first == name; });
  if (found == given_.end()) return {};
  const Tensor value = found->second;
  require<ValueError>(value.shape() == shape && value.dtype() == dtype, optimizer_, name, " is ", dtype,
                      shape, ", the given value is ", value.dtype(), value.shape());
  given_.erase(found);
  return contiguous(value.detach());
}

std::vector<Tensor> Optimizer::Incoming::rates(std::size_t groups) {
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < groups; ++i) {
    out.push_back(take(join("lr.", i), {}, kFloat64));
    require<ValueError>(out.back().defined(), optimizer_, "missing: lr.", i);
  }
  return out;
}

void Optimizer::Incoming::finish() const {
  std::string unexpected;
  for (const auto& entry : given_) unexpected += join(unexpected.empty() ? "" : ", ", entry.first);
  require<ValueError>(unexpected.empty(), optimizer_, "unexpected: ", unexpected);
}

// --- ElementwiseOptimizer

ElementwiseOptimizer::ElementwiseOptimizer(std::string name, const OpDef& op, bool counts_steps)
    : Optimizer(std::move(name)), op_(op), counts_steps_(counts_steps) {}

void ElementwiseOptimizer::add_group(const NamedParameters& parameters, double lr, Attrs attrs,
                                     std::vector<std::string> moments, double initial) {
  add_members(parameters, lr);
  groups_.push_back({std::move(attrs), std::move(moments), initial});
  states_.resize(members().size());
}

namespace {

// In a traced step the number is not known: it is counted by an op.
Tensor next_step(const Tensor& before) {
  if (!before.defined()) return scalar(1.0);
  return recorder() == nullptr ? scalar(before.item<double>() + 1.0) : before + scalar(1.0);
}

}  // namespace

void ElementwiseOptimizer::step() {
  const NoGrad off;
  const std::vector<Tensor> all = gradients();
  // Parameters that have had as many steps share the number of the step.
  Tensor before, now;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i].defined()) continue;
    if (counts_steps_ && (!now.defined() || states_[i].step.impl() != before.impl())) {
      before = states_[i].step;
      now = next_step(before);
    }
    update(i, all[i], now);
  }
}

void ElementwiseOptimizer::begin(State& state, std::size_t i) {
  const Group& group = groups_[members()[i].group];
  while (state.moments.size() < group.moments.size()) {
    state.moments.push_back(full(parameter(i).shape(), group.initial, parameter(i).dtype()));
  }
}

void ElementwiseOptimizer::visit_state(
    const std::function<void(const std::string& name, Tensor& state)>& visit) {
  Optimizer::visit_state(visit);
  const Tensor none = scalar(0.0);
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const Member& member = members()[i];
    if (member.parameter.frozen()) continue;
    begin(states_[i], i);
    if (counts_steps_) {
      if (!states_[i].step.defined()) states_[i].step = none;
      visit("step." + member.name, states_[i].step);
    }
    for (std::size_t k = 0; k < states_[i].moments.size(); ++k) {
      visit(groups_[member.group].moments[k] + '.' + member.name, states_[i].moments[k]);
    }
  }
}

void ElementwiseOptimizer::update(std::size_t i, const Tensor& gradient, const Tensor& step) {
  const Group& group = groups_[members()[i].group];
  State& state = states_[i];
  Parameter& weight = parameter(i);
  begin(state, i);
  TensorList inputs;
  inputs.reserve(state.moments.size() + 4);
  inputs.push_back(weight.take());
  inputs.push_back(gradient);
  for (Tensor& moment : state.moments) inputs.push_back(std::move(moment));
  inputs.push_back(rate(members()[i].group));
  if (counts_steps_) inputs.push_back(step);
  TensorList outputs = apply_consuming(op_, std::move(inputs), group.attrs);
  weight.assign(std::move(outputs[0]));
  for (std::size_t k = 0; k < state.moments.size(); ++k) state.moments[k] = std::move(outputs[k + 1]);
  if (counts_steps_) state.step = step;
}

NamedTensors ElementwiseOptimizer::state_dict() const {
  NamedTensors out;
  for (std::size_t i = 0; i < group_count(); ++i) out.push_back({join("lr.", i), rate(i)});
  for (std::size_t i = 0; i < members().size(); ++i) {
    const Member& member = members()[i];
    if (states_[i].step.defined()) out.push_back({"step." + member.name, states_[i].step});
    for (std::size_t k = 0; k < states_[i].moments.size(); ++k) {
      out.push_back({groups_[member.group].moments[k] + '.' + member.name, states_[i].moments[k]});
    }
  }
  return out;
}

void ElementwiseOptimizer::load_state_dict(std::span<const NamedTensor> state) {
  // All is looked at before anything is changed.
  Incoming incoming(name(), state);
  std::vector<Tensor> rates = incoming.rates(group_count());
  std::vector<State> states(members().size());
  for (std::size_t i = 0; i < states.size(); ++i) {
    const Member& member = members()[i];
    const std::vector<std::string>& names = groups_[member.group].moments;
    states[i].step = incoming.take("step." + member.name, {}, kFloat64);
    for (const std::string& moment : names) {
      Tensor value =
          incoming.take(moment + '.' + member.name, member.parameter.shape(), member.parameter.dtype());
      if (value.defined()) states[i].moments.push_back(std::move(value));
    }
    const bool begun = states[i].step.defined() || !states[i].moments.empty();
    const bool whole = states[i].moments.size() == names.size() && states[i].step.defined() == counts_steps_;
    require<ValueError>(!begun || whole, name(), "the state of ", member.name, " is not complete");
  }
  incoming.finish();
  set_rates(std::move(rates));
  states_ = std::move(states);
}

}  // namespace splot
