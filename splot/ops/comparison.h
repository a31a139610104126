// Comparing, logic on bools, and choosing between elements. Comparisons have no derivative: they give
// constants.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// bool, element by element; NaN is unequal to everything. The operators do the same.
///
///   Tensor mask = x > 0.0;
SPLOT_API Tensor greater(const Tensor& a, const Tensor& b);
SPLOT_API Tensor greater_equal(const Tensor& a, const Tensor& b);
SPLOT_API Tensor less(const Tensor& a, const Tensor& b);
SPLOT_API Tensor less_equal(const Tensor& a, const Tensor& b);
SPLOT_API Tensor equal(const Tensor& a, const Tensor& b);
SPLOT_API Tensor not_equal(const Tensor& a, const Tensor& b);

inline Tensor operator>(const Tensor& a, const Tensor& b) { return greater(a, b); }
inline Tensor operator>=(const Tensor& a, const Tensor& b) { return greater_equal(a, b); }
inline Tensor operator<(const Tensor& a, const Tensor& b) { return less(a, b); }
inline Tensor operator<=(const Tensor& a, const Tensor& b) { return less_equal(a, b); }
inline Tensor operator==(const Tensor& a, const Tensor& b) { return equal(a, b); }
inline Tensor operator!=(const Tensor& a, const Tensor& b) { return not_equal(a, b); }

/// bool from truths; of other dtypes everything but zero (NaN too) counts as true.
SPLOT_API Tensor logical_and(const Tensor& a, const Tensor& b);
SPLOT_API Tensor logical_or(const Tensor& a, const Tensor& b);
SPLOT_API Tensor logical_not(const Tensor& x);

/// bool: whether the element is NaN; whether it is neither NaN nor infinite.
SPLOT_API Tensor isnan(const Tensor& x);
SPLOT_API Tensor isfinite(const Tensor& x);

/// a where the condition holds, else b; all three broadcast together. The gradient goes to the operand that
/// was chosen. Throws DTypeError unless the condition is bool.
///
///   where(x > 0.0, x, 0.1 * x)
SPLOT_API Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);

}  // namespace splot
