// Functions of one element; integers are converted to float32 first.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

SPLOT_API Tensor exp(const Tensor& x);
SPLOT_API Tensor log(const Tensor& x);

}  // namespace splot
