// Making views: tensors onto the same storage with other sizes and strides.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// A window of x's storage. `offset` is in elements from the beginning of the storage.
Tensor view_of(const Tensor& x, const Shape& shape, const Strides& strides, Index offset);

}  // namespace splot
