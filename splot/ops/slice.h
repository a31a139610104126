// Parts of tensors: reading them as views, writing them into new tensors.
#pragma once

#include <initializer_list>
#include <limits>
#include <span>

#include "splot/core/tensor.h"

namespace splot {

/// "To the end of the axis", whatever its size.
inline constexpr Index kEnd = std::numeric_limits<Index>::max();

/// The positions start, start + step, ... below stop on one axis. Negative positions count from the end and
/// positions beyond either end are clamped, as in NumPy; step is at least 1. The default is the whole axis.
struct Slice {
  Index start = 0;
  Index stop = kEnd;
  Index step = 1;
};

/// One for each axis, from the first; axes without one are taken whole.
using Slices = SmallVector<Slice, 4>;

/// Part of a tensor; nothing is copied. Throws ShapeError for more slices than axes, ValueError for a step
/// below 1.
///
///   slice(x, {{1, 3}, {0, kEnd, 2}})   x[4, 5] -> [2, 3]: rows 1 and 2, every other column
SPLOT_API Tensor slice(const Tensor& x, const Slices& slices);
/// The same on one axis: slice(x, -1, 0, 2) keeps the first two columns.
SPLOT_API Tensor slice(const Tensor& x, Index axis, Index start, Index stop, Index step = 1);

/// Number i along the axis, which the result lacks; negative i counts from the end. No copy.
/// Throws IndexError when there is no such position.
///
///   select(x, 0, 2)   x[4, 5] -> [5]: the third row
SPLOT_API Tensor select(const Tensor& x, Index axis, Index i);

/// x with one part replaced by v, which is converted to x's dtype and broadcast to the part; x itself stays
/// as it was. Passed as an rvalue that nobody else can see, x gives its memory to the result.
///
///   x = set(std::move(x), {{0, 1}}, 0.0f);   // the first row becomes zero, in place
SPLOT_API Tensor set(Tensor x, const Slices& slices, const Tensor& v);

/// Pieces of `size` along the axis, the last one smaller when it does not divide; views.
///
///   split(x, 2)   x[5, 3] -> [2, 3], [2, 3], [1, 3]
SPLOT_API TensorList split(const Tensor& x, Index size, Index axis = 0);
/// Pieces of the given sizes, which must add up to the axis (ShapeError); views.
SPLOT_API TensorList split(const Tensor& x, std::span<const Index> sizes, Index axis = 0);
inline TensorList split(const Tensor& x, std::initializer_list<Index> sizes, Index axis = 0) {
  return split(x, std::span<const Index>(sizes.begin(), sizes.size()), axis);
}

/// A vector becomes the diagonal of a square matrix of zeros; of a matrix the diagonal is taken. offset > 0
/// is above the main diagonal, offset < 0 below. Throws ShapeError for other ranks.
///
///   diag(x, 1)   x[3] -> [4, 4]        diag(x)   x[3, 5] -> [3]
SPLOT_API Tensor diag(const Tensor& x, Index offset = 0);

/// Ones on the main diagonal of zeros: [rows, columns], square when columns is left out.
SPLOT_API Tensor eye(Index rows, DType dtype = kFloat32);
SPLOT_API Tensor eye(Index rows, Index columns, DType dtype = kFloat32);

}  // namespace splot
