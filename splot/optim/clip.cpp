#include "splot/optim/clip.h"

#include <cmath>

#include "splot/core/node.h"
#include "splot/core/sum.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

double sum_of_squares(const Tensor& x) {
  const Tensor dense = contiguous(x.detach());
  return visit_floats(x.dtype(), "l2_norm", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* values = dense.data<T>();
    return sum_of(dense.numel(), [&](Index i) {
      const auto value = static_cast<double>(values[i]);
      return value * value;
    });
  });
}

}  // namespace

double l2_norm(const Tensor& x) { return std::sqrt(sum_of_squares(x)); }

double grad_norm(const NamedParameters& parameters) {
  double total = 0.0;
  for (const NamedParameter& entry : parameters) {
    const Tensor gradient = entry.parameter.grad();
    if (gradient.defined()) total += sum_of_squares(gradient);
  }
  return std::sqrt(total);
}

double clip_grad_norm(const NamedParameters& parameters, double max_norm) {
  require<ValueError>(max_norm > 0.0, "clip_grad_norm", "max_norm must be positive, got ", max_norm);
  const double norm = grad_norm(parameters);
  const double scale = max_norm / (norm + 1e-6);
  if (!std::isfinite(norm) || scale >= 1.0) return norm;
  const NoGrad off;
  for (NamedParameter entry : parameters) {
    const Tensor gradient = entry.parameter.grad();
    if (gradient.defined()) entry.parameter.set_grad(gradient * scale);
  }
  return norm;
}

void clip_grad_value(const NamedParameters& parameters, double bound) {
  require<ValueError>(bound > 0.0, "clip_grad_value", "the bound must be positive, got ", bound);
  const NoGrad off;
  for (NamedParameter entry : parameters) {
    const Tensor gradient = entry.parameter.grad();
    if (gradient.defined()) entry.parameter.set_grad(clamp(gradient, -bound, bound));
  }
}

}  // namespace splot
