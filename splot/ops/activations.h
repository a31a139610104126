// Activation functions; integers are converted to float32 first.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// max(x, 0). The derivative at 0 is 0, as in PyTorch; lecture tables often give 1.
SPLOT_API Tensor relu(const Tensor& x);
/// The gradient of relu: dy where the output y is positive, else 0.
SPLOT_API Tensor relu_grad(const Tensor& dy, const Tensor& y);

}  // namespace splot
