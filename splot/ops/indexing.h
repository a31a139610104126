// Picking elements by index, and ordering them. Indices are int64 or int32, count from 0 and must lie inside
// their axis: IndexError names the op, the index and the size. No gradient flows to an index.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// The slices of x along an axis that a vector of indices names, in its order; repeats are allowed.
///
///   index_select(table, 0, words)   table[1000, 64]  words[7] -> [7, 64]
SPLOT_API Tensor index_select(const Tensor& x, Index axis, const Tensor& index);
/// x with the slices of v added at the positions that `index` names, in order: the derivative of
/// index_select. v has the shape of x but for the axis, whose size is the length of index; its dtype is
/// converted to x's. Passed as an rvalue that nobody else can see, x gives its memory to the result.
SPLOT_API Tensor index_add(Tensor x, Index axis, const Tensor& index, const Tensor& v);

/// One element for each element of index, which has as many axes as x and no axis longer than x's, but for
/// `axis`: y[i, j] = x[index[i, j], j] for axis 0, x[i, index[i, j]] for axis 1.
///
///   gather(logits, 1, labels)   logits[8, 10]  labels[8, 1] -> [8, 1]
SPLOT_API Tensor gather(const Tensor& x, Index axis, const Tensor& index);
/// x with the elements of v added at the positions that gather() would read: y[index[i, j], j] += v[i, j] for
/// axis 0. Elements of v beyond the shape of index are left out; v's dtype is converted to x's. Sums are
/// taken in the order of the axis, so the bits are always the same. Passed as an rvalue that nobody else can
/// see, x gives its memory to the result.
SPLOT_API Tensor scatter_add(Tensor x, Index axis, const Tensor& index, const Tensor& v);

/// A new last axis of size `classes` with 1 at the index and 0 elsewhere.
///
///   one_hot(labels, 10)   labels[8] -> [8, 10]
SPLOT_API Tensor one_hot(const Tensor& index, Index classes, DType dtype = kInt64);

/// Values and where they stood on the axis (int64). Gradients flow through the values.
struct Ordered {
  Tensor values;
  Tensor indices;
};
/// Sorted along an axis; equal elements keep their order. NaN counts as larger than any number, as in
/// PyTorch: last in ascending, first in descending order. A 0-d tensor has one virtual axis.
///
///   auto [values, indices] = sort(x, -1, true);
SPLOT_API Ordered sort(const Tensor& x, Index axis = -1, bool descending = false);
/// The indices of sort().
SPLOT_API Tensor argsort(const Tensor& x, Index axis = -1, bool descending = false);
/// The first k of sort(x, axis, largest): the k largest, or smallest, in order.
/// Throws ValueError unless 0 <= k <= the size of the axis.
SPLOT_API Ordered topk(const Tensor& x, Index k, Index axis = -1, bool largest = true);

}  // namespace splot
