// Walking several strided tensors together: merged axes, copies, conversions.
#pragma once

#include <span>

#include "splot/core/dtype.h"
#include "splot/core/export.h"
#include "splot/core/shape.h"
#include "splot/core/small_vector.h"
#include "splot/core/tensor.h"

namespace splot {

/// The strides of x stretched to `shape` by broadcasting: 0 along stretched axes.
SPLOT_API Strides broadcast_strides(const Tensor& x, const Shape& shape);

/// Whether elements lie behind each other in row-major order; always where there are none.
SPLOT_API bool is_row_major(const Shape& shape, const Strides& strides);
/// The axes, the one with the largest stride first; axes of one element, whose strides mean nothing, come
/// first.
SPLOT_API Axes memory_order(const Shape& shape, const Strides& strides);
/// Whether elements fill their memory without gaps or repetition, whatever the order of the axes.
SPLOT_API bool is_dense(const Shape& shape, const Strides& strides);
/// `values`, one for each axis, in another order.
SPLOT_API Ints reordered(const Ints& values, const Axes& order);

/// Axes of several operands merged where all of them allow it; at least one axis is left, the last is the
/// inner one.
struct MergedAxes {
  SmallVector<Index, kMaxRank> sizes;
  SmallVector<Strides, 4> strides;  // one for each operand, as long as sizes
};
SPLOT_API MergedAxes merge_axes(const Shape& shape, std::span<const Strides> operands);

/// Copies n elements, starting at element `first` in row-major order over the merged axes, into dense memory.
SPLOT_API void gather_run(const void* base, std::size_t element_bytes, const MergedAxes& axes,
                          std::size_t operand, Index first, Index n, void* out);

/// Writes x, converted, to dense row-major memory with room for x.numel() elements of `dtype`.
SPLOT_API void copy_dense(const Tensor& x, DType dtype, void* out);

}  // namespace splot
