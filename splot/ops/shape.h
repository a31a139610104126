// The same elements under another shape or order of axes; nothing is copied where strides can say it.
#pragma once

#include <cstdint>

#include "splot/core/tensor.h"

namespace splot {

/// The same elements in row-major order under another shape; one size may be -1 and is worked out.
///
///   reshape(x, {3, -1})   x[2, 6] -> [3, 4]
SPLOT_API Tensor reshape(const Tensor& x, const Ints& shape);
/// The axes first to last, both included, as one: flatten(x, 1) makes [8, 3, 32, 32] into [8, 3072]. A 0-d
/// tensor becomes [1].
SPLOT_API Tensor flatten(const Tensor& x, Index first = 0, Index last = -1);
/// Without the named axes, of which those of another size than 1 stay; without names, every axis of size 1
/// goes.
SPLOT_API Tensor squeeze(const Tensor& x, const Axes& axes = {});
/// With one more axis of size 1, at `axis` of the result: unsqueeze(x[3], 0) -> [1, 3], unsqueeze(x[3], -1)
/// -> [3, 1].
SPLOT_API Tensor unsqueeze(const Tensor& x, Index axis);
/// Axes in another order: permute(x[2, 3, 4], {2, 0, 1}) -> [4, 2, 3].
SPLOT_API Tensor permute(const Tensor& x, const Axes& order);
/// Two axes exchanged: transpose(x[2, 3, 4], 0, 2) -> [4, 3, 2].
SPLOT_API Tensor transpose(const Tensor& x, Index axis1, Index axis2);
/// The last two axes exchanged.
SPLOT_API Tensor matrix_transpose(const Tensor& x);
/// Stretched by broadcasting to `shape`; no element is copied.
SPLOT_API Tensor expand(const Tensor& x, const Shape& shape);
/// The named axes walked from their ends; every axis when none is named. No element is copied.
SPLOT_API Tensor flip(const Tensor& x, const Axes& axes = {});

/// The tensors one behind the other along an axis; the other sizes must agree, dtypes promote.
///
///   concat({a, b}, 1)   a[2, 3]  b[2, 5]  ->  [2, 8]
SPLOT_API Tensor concat(std::span<const Tensor> tensors, Index axis = 0);
SPLOT_API Tensor concat(std::initializer_list<Tensor> tensors, Index axis = 0);
/// The tensors, all of one shape, along a new axis: stack({a[3], b[3]}) -> [2, 3].
SPLOT_API Tensor stack(std::span<const Tensor> tensors, Index axis = 0);
SPLOT_API Tensor stack(std::initializer_list<Tensor> tensors, Index axis = 0);

/// before[i] and after[i] elements of `value` added at the ends of axis i; negative numbers cut elements off.
/// Throws ShapeError unless there is one number for each axis and no axis loses more than it has.
///
///   pad(x, {0, 1}, {0, 2})   x[2, 3] -> [2, 6]
SPLOT_API Tensor pad(const Tensor& x, const Ints& before, const Ints& after, double value = 0.0);

/// What stands beyond the ends of an axis a b c d.
enum class PadMode : std::uint8_t {
  constant,  ///< zeros: 0 0 a b c d 0 0
  reflect,   ///< mirrored at the last element: c b a b c d c b
  edge,      ///< the last element again: a a a b c d d d
};
/// The same in another way. Throws ShapeError when `reflect` needs more elements than there are beside the
/// last, or `edge` one where there is none.
///
///   pad(x, {0, 0, 2, 2}, {0, 0, 2, 2}, PadMode::reflect)   x[N, C, 28, 28] -> [N, C, 32, 32]
SPLOT_API Tensor pad(const Tensor& x, const Ints& before, const Ints& after, PadMode mode);

/// The matrices over the last two axes with what is above (tril) or below (triu) a diagonal set to zero;
/// diagonal > 0 is above the main one.
SPLOT_API Tensor tril(const Tensor& x, Index diagonal = 0);
SPLOT_API Tensor triu(const Tensor& x, Index diagonal = 0);

}  // namespace splot
