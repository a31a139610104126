// Functions of one element; integers are converted to float32 first, unless said otherwise.
#pragma once

#include <optional>

#include "splot/core/tensor.h"

namespace splot {

SPLOT_API Tensor exp(const Tensor& x);
/// exp(x) - 1, accurate near 0.
SPLOT_API Tensor expm1(const Tensor& x);
/// The natural logarithm; NaN below 0, -infinity at 0.
SPLOT_API Tensor log(const Tensor& x);
/// log(1 + x), accurate near 0.
SPLOT_API Tensor log1p(const Tensor& x);
SPLOT_API Tensor sqrt(const Tensor& x);
/// 1 / sqrt(x).
SPLOT_API Tensor rsqrt(const Tensor& x);
SPLOT_API Tensor sin(const Tensor& x);
SPLOT_API Tensor cos(const Tensor& x);
/// Between -pi/2 and pi/2. The lecture's "arctan".
SPLOT_API Tensor atan(const Tensor& x);
/// The integral of 2 / sqrt(pi) exp(-t^2) from 0 to x.
SPLOT_API Tensor erf(const Tensor& x);

/// |x|; integers stay integers. The derivative at 0 is 0.
SPLOT_API Tensor abs(const Tensor& x);
/// -1, 0 or 1; integers stay integers. The derivative is 0 everywhere, also for the next three.
SPLOT_API Tensor sign(const Tensor& x);
/// Down, up, and to the nearest whole number (halves to the even one); integers stay as they are.
SPLOT_API Tensor floor(const Tensor& x);
SPLOT_API Tensor ceil(const Tensor& x);
SPLOT_API Tensor round(const Tensor& x);
/// x held between two bounds, either of which may be left out; when low > high the result is high. NaN stays
/// NaN. The gradient passes where low <= x <= high. Integers stay integers when the bounds are whole.
///
///   clamp(x, 0.0, 6.0)   clamp(x, {}, 1.0)
SPLOT_API Tensor clamp(const Tensor& x, std::optional<double> low, std::optional<double> high = {});

}  // namespace splot
