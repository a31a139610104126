#include "splot/train/outputs.h"

#include <algorithm>

#include "splot/core/error.h"
#include "splot/core/node.h"
#include "splot/nn/parameters.h"
#include "splot/ops/ops.h"

namespace splot {

void visit_outputs(Layer& model, const Dataset& data,
                   const std::function<void(const Tensor& output, const Tensor& target)>& visit,
                   Index batch_size) {
  require<ValueError>(data.size() > 0, "visit_outputs", data.name(), " has no examples");
  require<ValueError>(batch_size >= 0, "visit_outputs", "batch_size must not be negative, got ", batch_size);
  if (batch_size == 0) {
    constexpr Index kNumbers = 1000 * 28 * 28;
    batch_size = std::clamp<Index>(kNumbers / std::max<Index>(1, data.sample_shape().numel()), 1, 1000);
  }
  const NoGrad off;
  const NamedParameters parameters = named_parameters(model);
  const DType dtype = parameters.empty() ? kFloat32 : parameters.front().parameter.dtype();
  const auto converted = [dtype](const Tensor& x) {
    return x.dtype().is_floating() && x.dtype() != dtype ? cast(x, dtype) : x;
  };
  for (Index first = 0; first < data.size(); first += batch_size) {
    const Batch batch = data.batch(first, std::min(batch_size, data.size() - first));
    visit(model(converted(batch.inputs)), converted(batch.targets));
  }
}

Tensor confidences(const Tensor& output, std::string_view loss) {
  if (loss == "cross_entropy") return softmax(output, -1);
  if (loss == "binary_cross_entropy") return sigmoid(output);
  if (loss == "nll") return exp(output);
  if (loss == "categorical_cross_entropy") return output / sum(output, {-1}, true);
  if (loss == "categorical_cross_entropy_from_sigmoid") {
    // Softmax of log(p / (1 - p)); held away from 1 by the smallest step, as the loss does.
    const double step = output.dtype() == kFloat64 ? 0x1p-53 : 0x1p-24;
    const Tensor p = clamp(output, 0.0, 1.0 - step);
    const Tensor odds = p / (1.0 - p);
    return odds / sum(odds, {-1}, true);
  }
  return output;
}

}  // namespace splot
