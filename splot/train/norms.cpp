#include "splot/train/norms.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "splot/core/error.h"
#include "splot/core/sum.h"
#include "splot/nn/parameters.h"
#include "splot/optim/clip.h"
#include "splot/train/internal/state.h"

namespace splot {
namespace {

// The norm of what a step has added to the weights.
double update_norm(const Tensor& now, const std::vector<std::byte>& before) {
  const Tensor dense = contiguous(now.detach());
  return visit_floats(now.dtype(), "NormRecorder", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* a = dense.data<T>();
    const T* b = reinterpret_cast<const T*>(before.data());
    return std::sqrt(sum_of(dense.numel(), [&](Index i) {
      const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
      return d * d;
    }));
  });
}

}  // namespace

NormRecorder::NormRecorder(const NormOptions& options) : options_(options) {
  require<ValueError>(options_.samples > 0, "NormRecorder", "samples must be positive, got ",
                      options_.samples);
}

bool NormRecorder::looks_at(const TrainingView& view) const {
  const Index stride = (view.steps + options_.samples - 1) / options_.samples;
  return (view.step - 1) % stride == 0;
}

void NormRecorder::on_train_begin(TrainingView& view) {
  parameters_ = named_parameters(view.model);
  before_.resize(parameters_.size());
  if (std::exchange(loaded_, false) && gradients_.size() == parameters_.size()) return;
  gradients_.assign(parameters_.size(), 0.0);
  updates_.assign(parameters_.size(), 0.0);
  looked_ = 0;
}

void NormRecorder::on_update_begin(TrainingView& view, const StepRecord&) {
  if (!looks_at(view)) return;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Parameter& p = parameters_[i].parameter;
    if (const Tensor g = p.grad(); g.defined() && !p.frozen()) gradients_[i] += l2_norm(g);
    // A copy, not another tensor onto the elements: that would make the optimiser copy all of them.
    const Tensor dense = contiguous(p.value().detach());
    before_[i].resize(static_cast<std::size_t>(dense.numel()) * dense.dtype().size());
    if (!before_[i].empty()) std::memcpy(before_[i].data(), dense.raw(), before_[i].size());
  }
}

void NormRecorder::on_step_end(TrainingView& view, const StepRecord&) {
  if (!looks_at(view)) return;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    updates_[i] += update_norm(parameters_[i].parameter.value(), before_[i]);
  }
  ++looked_;
}

void NormRecorder::on_epoch_end(TrainingView&, EpochRecord& record) {
  const double steps = looked_ > 0 ? static_cast<double>(looked_) : 1.0;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& [name, parameter] = parameters_[i];
    record.norms.push_back({name, l2_norm(parameter.value()), gradients_[i] / steps, updates_[i] / steps});
    gradients_[i] = updates_[i] = 0.0;
  }
  looked_ = 0;
}

NamedTensors NormRecorder::state_dict() const {
  return {{"looked", train_detail::state_of({static_cast<double>(looked_)})},
          {"gradients", train_detail::state_of(gradients_)},
          {"updates", train_detail::state_of(updates_)}};
}

void NormRecorder::load_state_dict(std::span<const NamedTensor> state) {
  const auto list = [&](const char* name) {
    return train_detail::state_list(state, name, "NormRecorder").to_vector<double>();
  };
  const std::vector<double> looked = list("looked");
  std::vector<double> gradients = list("gradients");
  std::vector<double> updates = list("updates");
  require<ValueError>(looked.size() == 1 && gradients.size() == updates.size(), "load_state_dict",
                      "this is not the state of a NormRecorder: the sizes do not fit");
  looked_ = static_cast<Index>(looked[0]);
  gradients_ = std::move(gradients);
  updates_ = std::move(updates);
  loaded_ = true;
}

}  // namespace splot
