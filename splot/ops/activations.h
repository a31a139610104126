// Activation functions; integers are converted to float32 first. At kinks the derivative is PyTorch's; the
// lecture's table sometimes gives another (ReLU'(0) = 1).
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// x itself.
SPLOT_API Tensor identity(const Tensor& x);
/// 1 where x >= 0, else 0. The derivative is 0 everywhere.
SPLOT_API Tensor binary_step(const Tensor& x);
/// The logistic function 1 / (1 + exp(-x)).
SPLOT_API Tensor sigmoid(const Tensor& x);
SPLOT_API Tensor tanh(const Tensor& x);
/// The lecture's name of atan.
SPLOT_API Tensor arctan(const Tensor& x);
/// max(x, 0). The derivative at 0 is 0, as in PyTorch; lecture tables often give 1.
SPLOT_API Tensor relu(const Tensor& x);
/// x where x > 0, else slope x; the derivative at 0 is the slope.
SPLOT_API Tensor leaky_relu(const Tensor& x, double slope = 0.01);
/// leaky_relu with a slope that is learned: one for all or one for each channel, which is axis 1.
/// Throws ShapeError when the slope is neither.
///
///   prelu(x, slope)   x[8, 16, 5, 5]  slope[16]  ->  [8, 16, 5, 5]
SPLOT_API Tensor prelu(const Tensor& x, const Tensor& slope);
/// x where x > 0, else alpha (exp(x) - 1); the derivative at 0 is alpha.
SPLOT_API Tensor elu(const Tensor& x, double alpha = 1.0);
/// log(1 + exp(x)), arranged so that nothing overflows.
SPLOT_API Tensor softplus(const Tensor& x);
/// x / (1 + |x|).
SPLOT_API Tensor softsign(const Tensor& x);
/// x sigmoid(x), also called swish.
SPLOT_API Tensor silu(const Tensor& x);

enum class Gelu { erf, tanh };
/// x times the normal distribution function of x: x (1 + erf(x / sqrt 2)) / 2, or its usual approximation by
/// tanh, x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
SPLOT_API Tensor gelu(const Tensor& x, Gelu form = Gelu::erf);

// The gradients in one pass: dy times the derivative, from the output y or the input x.

SPLOT_API Tensor relu_grad(const Tensor& dy, const Tensor& y);
SPLOT_API Tensor sigmoid_grad(const Tensor& dy, const Tensor& y);
SPLOT_API Tensor tanh_grad(const Tensor& dy, const Tensor& y);
SPLOT_API Tensor leaky_relu_grad(const Tensor& dy, const Tensor& x, double slope);
SPLOT_API Tensor elu_grad(const Tensor& dy, const Tensor& x, double alpha);
SPLOT_API Tensor softplus_grad(const Tensor& dy, const Tensor& x);
SPLOT_API Tensor silu_grad(const Tensor& dy, const Tensor& x);
SPLOT_API Tensor gelu_grad(const Tensor& dy, const Tensor& x, Gelu form);

}  // namespace splot
