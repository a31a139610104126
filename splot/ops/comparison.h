// Comparing, and choosing between elements.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

SPLOT_API Tensor greater(const Tensor& a, const Tensor& b);
inline Tensor operator>(const Tensor& a, const Tensor& b) { return greater(a, b); }

}  // namespace splot
