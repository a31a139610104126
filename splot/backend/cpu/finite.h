// Whether numbers are numbers: the check that training makes of every gradient and weight, in every step.
#pragma once

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot::cpu {

/// False when one of x[0] ... x[n - 1] is NaN or infinite. As fast as memory is read. T is float or double.
template <typename T>
bool all_finite(const T* x, Index n);

extern template SPLOT_API bool all_finite(const float*, Index);
extern template SPLOT_API bool all_finite(const double*, Index);

}  // namespace splot::cpu
