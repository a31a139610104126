// Arithmetic of tensors, element by element.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// a + b, element by element. add(x[2, 3], b[3]) -> [2, 3]. bool + bool is "or".
SPLOT_API Tensor add(const Tensor& a, const Tensor& b);
SPLOT_API Tensor sub(const Tensor& a, const Tensor& b);
/// a b, element by element. bool * bool is "and".
SPLOT_API Tensor mul(const Tensor& a, const Tensor& b);
/// a / b; integers are converted to float32 first, so 1 / 2 is 0.5.
SPLOT_API Tensor div(const Tensor& a, const Tensor& b);
SPLOT_API Tensor neg(const Tensor& x);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator-(const Tensor& x) { return neg(x); }

}  // namespace splot
