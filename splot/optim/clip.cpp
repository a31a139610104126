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

Tensor grad_norm_traceable(const NamedParameters& parameters) {
  const NoGrad off;
  Tensor total = scalar(0.0);
  for (const NamedParameter& entry : parameters) {
    const Tensor gradient = entry.parameter.grad();
    if (gradient.defined()) total = total + sum(square(cast(gradient, kFloat64)));
  }
  return sqrt(total);
}

double grad_norm(const NamedParameters& parameters) { return grad_norm_traceable(parameters).item<double>(); }

namespace {

// To the norm. Where it is 0 or too small for the scale to be below 1, gradients stay.
constexpr double kAboveZero = 1e-6;

void require_norm(double max_norm) {
  require<ValueError>(max_norm > 0.0, "clip_grad_norm", "max_norm must be positive, got ", max_norm);
}

}  // namespace

double clip_grad_norm(const NamedParameters& parameters, double max_norm) {
  require_norm(max_norm);
  const double norm = grad_norm(parameters);
  const double scale = max_norm / (norm + kAboveZero);
  if (!std::isfinite(norm) || scale >= 1.0) return norm;
  const NoGrad off;
  for (NamedParameter entry : parameters) {
    const Tensor gradient = entry.parameter.grad();
    if (gradient.defined()) entry.parameter.set_grad(gradient * scale);
  }
  return norm;
}

Tensor clip_grad_norm_traceable(const NamedParameters& parameters, double max_norm) {
  require_norm(max_norm);
  const NoGrad off;
  const Tensor norm = grad_norm_traceable(parameters);
  const Tensor scale = max_norm / (norm + kAboveZero);
  const Tensor factor = where(logical_and(isfinite(norm), scale < 1.0), scale, scalar(1.0));
  for (NamedParameter entry : parameters) {
    const Tensor gradient = entry.parameter.grad();
    if (gradient.defined()) entry.parameter.set_grad(gradient * cast(factor, gradient.dtype()));
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
