// Softmax over one axis.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// exp(x) / sum exp(x) over the axis, without overflow; integers are converted to float32.
///
///   softmax(logits)   logits[32, 10] -> [32, 10], rows add up to 1
///
/// Throws ShapeError when there is no such axis.
SPLOT_API Tensor softmax(const Tensor& x, Index axis = -1);
/// log(softmax(x)), exact also where the softmax rounds to 0.
SPLOT_API Tensor log_softmax(const Tensor& x, Index axis = -1);

}  // namespace splot
