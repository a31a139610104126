// Arithmetic of tensors, element by element.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// a + b, element by element. add(x[2, 3], b[3]) -> [2, 3]. bool + bool is "or".
SPLOT_API Tensor add(const Tensor& a, const Tensor& b);
/// a - b, element by element. Throws DTypeError for two bools, as PyTorch does.
SPLOT_API Tensor sub(const Tensor& a, const Tensor& b);
/// a b, element by element. bool * bool is "and".
SPLOT_API Tensor mul(const Tensor& a, const Tensor& b);
/// a / b; integers are converted to float32 first, so 1 / 2 is 0.5.
SPLOT_API Tensor div(const Tensor& a, const Tensor& b);
/// -x. Throws DTypeError for bool.
SPLOT_API Tensor neg(const Tensor& x);
/// a to the power b, element by element. The derivative by a is 0 where b is 0, that by b is 0 where a is 0
/// and b is not negative, as in PyTorch. Integers stay integers and wrap around; among them 2^-1 is 0, and a
/// negative C++ number as exponent of integers throws ValueError. Throws DTypeError for two bools.
///
///   pow(x, 2.0)   pow(2.0, x)   pow(x[2, 3], n[3])
SPLOT_API Tensor pow(const Tensor& a, const Tensor& b);
/// The larger of both, element by element; NaN when either is. Where they are equal each gets half the
/// gradient.
SPLOT_API Tensor maximum(const Tensor& a, const Tensor& b);
/// The smaller of both, with the same rules.
SPLOT_API Tensor minimum(const Tensor& a, const Tensor& b);
/// x x.
SPLOT_API Tensor square(const Tensor& x);
/// 1 / x; integers are converted to float32 first.
SPLOT_API Tensor reciprocal(const Tensor& x);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator-(const Tensor& x) { return neg(x); }

}  // namespace splot
