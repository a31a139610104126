// Derivatives of any order, from the history that tensors carry.
#pragma once

#include <functional>
#include <span>

#include "splot/core/node.h"
#include "splot/core/tensor.h"

namespace splot {

struct BackwardOptions {
  Tensor cotangent = {};      ///< dL/dy; one where undefined, y must then have one element
  bool retain_graph = false;  ///< keep what the derivatives need, to differentiate the same graph once more
};

/// Adds dy/dp to the grad() of every variable and parameter y was computed from (zero_grad() starts afresh).
/// Throws GradientError when y has no history, ShapeError when it has more than one element and no cotangent.
///
///   backward(loss);
SPLOT_API void backward(const Tensor& y, const BackwardOptions& options = {});

struct GradOptions {
  Tensor cotangent = {};
  bool create_graph = false;  ///< record the derivative itself, so that it can be differentiated again
  bool retain_graph = false;  ///< implied by create_graph
  bool allow_unused = false;  ///< zeros, not an error, for an x that y does not depend on
};

/// dy/dx for each x, same shape and dtype as x. Accumulates nowhere.
/// Throws GradientError for an x that is a constant or that y does not depend on, unless allowed.
///
///   Tensor x = tensor({2.0}).variable();
///   Tensor d = grad(sum(x * x * x), std::array{x}, {.create_graph = true})[0];   // 3 x^2 = 12
///   Tensor d2 = grad(sum(d), std::array{x})[0];                                  // 6 x   = 12
SPLOT_API TensorList grad(const Tensor& y, std::span<const Tensor> xs, const GradOptions& options = {});
SPLOT_API TensorList grad(const Tensor& y, std::initializer_list<Tensor> xs, const GradOptions& options = {});

/// A function of tensors, as the functional derivatives take it.
using Function = std::function<TensorList(std::span<const Tensor>)>;

// In vjp, jvp and hvp an integer or bool input is a constant: its gradient is zeros, its tangent is not
// looked at.

/// Value and pullback: cotangents (one for each output) to gradients (one for each input).
///
///   auto [ys, pullback] = vjp(f, {x});  TensorList dx = pullback({dy});
struct Vjp {
  TensorList values;
  std::function<TensorList(std::span<const Tensor> cotangents)> pullback;
};
SPLOT_API Vjp vjp(const Function& f, std::span<const Tensor> inputs);

/// Values of f and their directional derivatives along the tangents (one for each input).
struct Jvp {
  TensorList values;
  TensorList tangents;
};
SPLOT_API Jvp jvp(const Function& f, std::span<const Tensor> inputs, std::span<const Tensor> tangents);

/// The Hessian of a one-element f times v, without building the Hessian: d/dx (df/dx . v).
///
///   hvp([](auto in) { return TensorList{sum(in[0] * in[0] * in[0])}; }, {x}, {v});   // 6 x v
SPLOT_API TensorList hvp(const Function& f, std::span<const Tensor> inputs, std::span<const Tensor> v);

}  // namespace splot
