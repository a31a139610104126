#include "splot/nn/internal/fused_layers.h"

#include <typeinfo>

#include "splot/nn/activation_layers.h"
#include "splot/nn/conv.h"
#include "splot/nn/normalization_layers.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

// Both are final, so there is nothing that would be passed over.
template <typename L>
L* as(Layer* layer) {
  return typeid(*layer) == typeid(L) ? static_cast<L*>(layer) : nullptr;
}

}  // namespace

std::size_t run_fused(std::span<Layer* const> layers, Tensor& x, Context& context) {
  if (layers.size() < 2 || context.observer) return 0;
  auto* conv = as<Conv2d>(layers[0]);
  if (conv == nullptr) return 0;
  auto* norm = as<BatchNorm2d>(layers[1]);
  if (norm != nullptr && (context.training || !norm->options().track_running_stats)) return 0;
  const std::size_t behind = norm == nullptr ? 1 : 2;
  const bool rectified = behind < layers.size() && as<ReLU>(layers[behind]) != nullptr;
  if (norm == nullptr && (!rectified || !conv->bias().defined())) return 0;
  x = conv->run_instead(x, context, [&] {
    if (norm == nullptr) return conv->fused(x, conv->bias(), Tensor(), rectified);
    ScaleShift s = norm->scale_shift(x.dtype());
    if (conv->bias().defined()) s.shift = s.shift + s.scale * conv->bias();
    return conv->fused(x, s.shift, s.scale, rectified);
  });
  return behind + (rectified ? 1 : 0);
}

}  // namespace splot
