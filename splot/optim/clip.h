// Clipping: gradients held within bounds, between backward() and the optimiser's step.
#pragma once

#include "splot/core/export.h"
#include "splot/core/parameter.h"

namespace splot {

/// The root of the sum of the squares of all elements, added up in float64, where no finite float32 element
/// overflows. Throws DTypeError unless x is float32 or float64.
SPLOT_API double l2_norm(const Tensor& x);
/// Of the gradients of all parameters taken together; those without a gradient, frozen ones among them, count
/// as zeros.
SPLOT_API double grad_norm(const NamedParameters& parameters);

/// Where grad_norm() is above max_norm, multiplies all gradients by max_norm / (norm + 1e-6), so that they
/// keep their direction: Pascanu, Mikolov and Bengio 2013, step for step PyTorch's clip_grad_norm_.
/// Returns the norm before. A norm that is NaN or infinite is returned too, and nothing is changed: there is
/// no direction to keep. Throws ValueError unless max_norm is positive.
///
///   backward(loss);
///   clip_grad_norm(parameters, 1.0);
///   optimizer.step();
SPLOT_API double clip_grad_norm(const NamedParameters& parameters, double max_norm);
/// The same to the bit without looking at elements, so that it can be traced: the norm is 0-d float64.
SPLOT_API Tensor clip_grad_norm_traceable(const NamedParameters& parameters, double max_norm);
/// grad_norm() as 0-d float64, to the bit, which can be traced.
SPLOT_API Tensor grad_norm_traceable(const NamedParameters& parameters);

/// Holds every element of every gradient between -bound and bound; NaN stays NaN. Throws ValueError unless
/// the bound is positive.
SPLOT_API void clip_grad_value(const NamedParameters& parameters, double bound);

}  // namespace splot
