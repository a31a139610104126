#include "splot/optim/averaged_weights.h"

#include <algorithm>

#include "splot/core/node.h"
#include "splot/ops/ops.h"

namespace splot {

AveragedWeights::AveragedWeights(const NamedParameters& parameters, const AveragedWeightsOptions& options)
    : parameters_(parameters), options_(options) {
  require<ValueError>(options_.decay >= 0.0 && options_.decay < 1.0, "AveragedWeights",
                      "decay must be in [0, 1), got ", options_.decay);
}

void AveragedWeights::update() {
  const NoGrad off;
  ++count_;
  if (averages_.empty()) {
    for (const NamedParameter& entry : parameters_) averages_.push_back(entry.parameter.value().detach());
    return;
  }
  const double share =
      options_.averaging == Averaging::equal ? 1.0 / static_cast<double>(count_) : 1.0 - options_.decay;
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    averages_[i] = averages_[i] + share * (parameters_[i].parameter.value().detach() - averages_[i]);
  }
}

void AveragedWeights::swap() {
  require<ValueError>(!averages_.empty(), "AveragedWeights",
                      "nothing has been averaged yet: call update() first");
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    Tensor weights = parameters_[i].parameter.value().detach();
    parameters_[i].parameter.assign(averages_[i]);
    averages_[i] = std::move(weights);
  }
}

NamedTensors AveragedWeights::state_dict() const {
  NamedTensors out = {{"average.count", scalar(static_cast<std::int64_t>(count_))}};
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    out.push_back({"average." + parameters_[i].name, averages_[i]});
  }
  return out;
}

void AveragedWeights::load_state_dict(std::span<const NamedTensor> state) {
  const auto find = [&](const std::string& name) -> const Tensor& {
    const auto found = std::find_if(state.begin(), state.end(),
                                    [&](const NamedTensor& entry) { return entry.name == name; });
    require<ValueError>(found != state.end() && found->value.defined(), "AveragedWeights", "missing: ", name);
    return found->value;
  };
  const auto count = find("average.count").item<std::int64_t>();
  require<ValueError>(count >= 0, "AveragedWeights", "average.count is ", count);
  std::vector<Tensor> averages;
  for (const NamedParameter& entry : parameters_) {
    if (count == 0) break;
    const std::string name = "average." + entry.name;
    const Tensor& value = find(name);
    const Parameter& p = entry.parameter;
    require<ValueError>(value.shape() == p.shape() && value.dtype() == p.dtype(), "AveragedWeights", name,
                        " is ", p.dtype(), p.shape(), ", the given value is ", value.dtype(), value.shape());
    averages.push_back(contiguous(value.detach()));
  }
  require<ValueError>(state.size() == averages.size() + 1, "AveragedWeights", "the state has ", state.size(),
                      " tensors, ", averages.size() + 1, " belong to it");
  averages_ = std::move(averages);
  count_ = count;
}

}  // namespace splot
