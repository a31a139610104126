#include "splot/optim/optimizer.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <unordered_map>

#include "splot/core/node.h"
#include "splot/ops/create.h"
#include "splot/ops/op_records.h"

namespace splot {
namespace {

void require_rate(double lr, const std::string& name) {
  require<ValueError>(std::isfinite(lr) && lr >= 0.0, name, "lr must be 0 or more, got ", lr);
}

}  // namespace

Optimizer::Optimizer(std::string name, const OpDef& op, std::vector<std::string> moments, bool counts_steps)
    : name_(std::move(name)), op_(op), moments_(std::move(moments)), counts_steps_(counts_steps) {}

void Optimizer::add_group(const NamedParameters& parameters, double lr, Attrs attrs, bool has_moments) {
  require_rate(lr, name_);
  std::vector<Slot> added;
  for (const NamedParameter& entry : parameters) {
    require<ValueError>(entry.parameter.defined(), name_, '"', entry.name, "\" is an undefined parameter");
    for (const std::vector<Slot>* list : {&slots_, &added}) {
      for (const Slot& slot : *list) {
        require<ValueError>(!(slot.parameter == entry.parameter) && slot.name != entry.name, name_, '"',
                            entry.name, "\" is there twice");
      }
    }
    added.push_back({entry.name, entry.parameter, groups_.size(), {}, {}});
  }
  groups_.push_back({scalar(lr), std::move(attrs), has_moments});
  std::move(added.begin(), added.end(), std::back_inserter(slots_));
}

void Optimizer::step() {
  const NoGrad off;
  TensorList gradients(slots_.size());
  std::string missing;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Parameter& parameter = slots_[i].parameter;
    if (parameter.frozen()) continue;
    gradients[i] = parameter.grad();
    if (!gradients[i].defined()) {
      if (!allow_missing_) missing += join(missing.empty() ? "" : ", ", slots_[i].name);
      continue;
    }
    // Before anything is changed: an update that failed half way would leave the network between two steps.
    require<GradientError>(parameter.has_value() && gradients[i].shape() == parameter.shape() &&
                               gradients[i].dtype() == parameter.dtype(),
                           name_, slots_[i].name, " is ", parameter.dtype(), parameter.shape(),
                           ", its gradient ", gradients[i].dtype(), gradients[i].shape());
  }
  require<GradientError>(missing.empty(), name_, "no gradient has reached ", missing,
                         "; does the loss depend on it, and was backward() called after zero_grad()?");
  // Parameters that have had as many steps share the number of the step.
  Tensor before, now;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!gradients[i].defined()) continue;
    Slot& slot = slots_[i];
    if (counts_steps_ && (!now.defined() || slot.step.impl() != before.impl())) {
      before = slot.step;
      now = scalar(before.defined() ? before.item<double>() + 1.0 : 1.0);
    }
    update(slot, gradients[i], now);
  }
}

void Optimizer::update(Slot& slot, const Tensor& gradient, const Tensor& step) {
  const Group& group = groups_[slot.group];
  const std::size_t moments = group.has_moments ? moments_.size() : 0;
  while (slot.moments.size() < moments) {
    slot.moments.push_back(zeros(slot.parameter.shape(), slot.parameter.dtype()));
  }
  TensorList inputs;
  inputs.reserve(moments + 4);
  inputs.push_back(slot.parameter.take());
  inputs.push_back(gradient);
  for (Tensor& moment : slot.moments) inputs.push_back(std::move(moment));
  inputs.push_back(group.lr);
  if (counts_steps_) inputs.push_back(step);
  TensorList outputs = apply_consuming(op_, std::move(inputs), group.attrs);
  slot.parameter.assign(std::move(outputs[0]));
  for (std::size_t i = 0; i < moments; ++i) slot.moments[i] = std::move(outputs[i + 1]);
  if (counts_steps_) slot.step = step;
}

void Optimizer::zero_grad() {
  for (Slot& slot : slots_) slot.parameter.zero_grad();
}

double Optimizer::lr() const { return lr(0); }

double Optimizer::lr(std::size_t group) const {
  require<IndexError>(group < groups_.size(), name_, "there is no group ", group, " among ", groups_.size());
  return groups_[group].lr.item<double>();
}

void Optimizer::set_lr(double lr) {
  for (std::size_t i = 0; i < groups_.size(); ++i) set_lr(i, lr);
}

void Optimizer::set_lr(std::size_t group, double lr) {
  require_rate(lr, name_);
  require<IndexError>(group < groups_.size(), name_, "there is no group ", group, " among ", groups_.size());
  groups_[group].lr = scalar(lr);
}

NamedTensors Optimizer::state_dict() const {
  NamedTensors out;
  for (std::size_t i = 0; i < groups_.size(); ++i) out.push_back({join("lr.", i), groups_[i].lr});
  for (const Slot& slot : slots_) {
    if (slot.step.defined()) out.push_back({"step." + slot.name, slot.step});
    for (std::size_t i = 0; i < slot.moments.size(); ++i) {
      out.push_back({moments_[i] + '.' + slot.name, slot.moments[i]});
    }
  }
  return out;
}

void Optimizer::load_state_dict(std::span<const NamedTensor> state) {
  std::unordered_map<std::string_view, const Tensor*> given;
  for (const NamedTensor& entry : state) {
    require<ValueError>(entry.value.defined(), name_, entry.name, " is an undefined tensor");
    require<ValueError>(given.emplace(entry.name, &entry.value).second, name_, entry.name, " is there twice");
  }
  const auto take = [&](const std::string& name, const Shape& shape, DType dtype) {
    const auto found = given.find(name);
    if (found == given.end()) return Tensor();
    const Tensor value = *found->second;
    require<ValueError>(value.shape() == shape && value.dtype() == dtype, name_, name, " is ", dtype, shape,
                        ", the given value is ", value.dtype(), value.shape());
    given.erase(found);
    return contiguous(value.detach());
  };
  // All is looked at before anything is changed.
  std::vector<Tensor> rates;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    rates.push_back(take(join("lr.", i), {}, kFloat64));
    require<ValueError>(rates.back().defined(), name_, "missing: lr.", i);
  }
  std::vector<Tensor> steps;
  std::vector<TensorList> moments;
  for (const Slot& slot : slots_) {
    steps.push_back(take("step." + slot.name, {}, kFloat64));
    TensorList list;
    for (const std::string& moment : moments_) {
      const Tensor value = take(moment + '.' + slot.name, slot.parameter.shape(), slot.parameter.dtype());
      if (value.defined()) list.push_back(value);
    }
    const bool begun = steps.back().defined() || !list.empty();
    const bool whole = list.size() == (groups_[slot.group].has_moments ? moments_.size() : 0) &&
                       steps.back().defined() == counts_steps_;
    require<ValueError>(!begun || whole, name_, "the state of ", slot.name, " is not complete");
    moments.push_back(std::move(list));
  }
  std::string unexpected;
  for (const NamedTensor& entry : state) {
    if (given.count(entry.name) != 0) unexpected += join(unexpected.empty() ? "" : ", ", entry.name);
  }
  require<ValueError>(unexpected.empty(), name_, "unexpected: ", unexpected);
  for (std::size_t i = 0; i < groups_.size(); ++i) groups_[i].lr = rates[i];
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].step = steps[i];
    slots_[i].moments = std::move(moments[i]);
  }
}

// --- SGD

SGD::SGD(const NamedParameters& parameters, const SGDOptions& options)
    : Optimizer("sgd", sgd_step_op, {"momentum_buffer"}, /*counts_steps=*/false) {
  add(parameters, options);
}

void SGD::add(const NamedParameters& parameters, const SGDOptions& options) {
  require<ValueError>(options.momentum >= 0.0 && options.weight_decay >= 0.0, "sgd",
                      "momentum and weight_decay must be 0 or more, got ", options.momentum, " and ",
                      options.weight_decay);
  require<ValueError>(!options.nesterov || options.momentum > 0.0, "sgd", "nesterov needs a momentum");
  add_group(parameters, options.lr,
            Attrs(sgd_step_op.attrs, {options.momentum, options.weight_decay, options.nesterov}),
            options.momentum != 0.0);
}

// --- Adam and AdamW

namespace {

template <typename Options>
Attrs adam_attrs(const char* name, const Options& o, double weight_decay, double decoupled_decay) {
  require<ValueError>(o.beta1 >= 0.0 && o.beta1 < 1.0 && o.beta2 >= 0.0 && o.beta2 < 1.0, name,
                      "beta1 and beta2 must be in [0, 1), got ", o.beta1, " and ", o.beta2);
  require<ValueError>(o.eps >= 0.0 && o.weight_decay >= 0.0, name,
                      "eps and weight_decay must be 0 or more, got ", o.eps, " and ", o.weight_decay);
  return Attrs(adam_step_op.attrs, {o.beta1, o.beta2, o.eps, weight_decay, decoupled_decay});
}

}  // namespace

Adam::Adam(const NamedParameters& parameters, const AdamOptions& options)
    : Optimizer("adam", adam_step_op, {"exp_avg", "exp_avg_sq"}, /*counts_steps=*/true) {
  add(parameters, options);
}

void Adam::add(const NamedParameters& parameters, const AdamOptions& options) {
  add_group(parameters, options.lr, adam_attrs("adam", options, options.weight_decay, 0.0));
}

AdamW::AdamW(const NamedParameters& parameters, const AdamWOptions& options)
    : Optimizer("adamw", adam_step_op, {"exp_avg", "exp_avg_sq"}, /*counts_steps=*/true) {
  add(parameters, options);
}

void AdamW::add(const NamedParameters& parameters, const AdamWOptions& options) {
  add_group(parameters, options.lr, adam_attrs("adamw", options, 0.0, options.weight_decay));
}

}  // namespace splot
