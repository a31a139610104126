// Matrix products on raw memory: C = A B, with what commonly follows it done while C is still in the
// registers.
#pragma once

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot::cpu {

/// A matrix somewhere in memory: element (i, j) is data[i * row_stride + j * col_stride]. Any strides will
/// do, so a transposed view is the same memory with the strides exchanged, and a stride of 0 repeats a row or
/// a column.
template <typename T>
struct Matrix {
  const T* data = nullptr;
  Index row_stride = 0;
  Index col_stride = 1;

  Matrix transposed() const { return {data, col_stride, row_stride}; }
  const T* at(Index row, Index col) const { return data + row * row_stride + col * col_stride; }
};

/// A step down the gradient C of a weight w: out = w - lr (C + weight_decay w + l1 sign(w)). Both have the
/// shape of C, rows without gaps; out may be w. The same bits as update() of a SgdUpdate without state.
template <typename T>
struct Descent {
  const T* w = nullptr;
  T* out = nullptr;
  double lr = 0.0;
  double weight_decay = 0.0;
  double l1 = 0.0;
};

/// What happens to C after the sums are complete: C = relu(A B + C + bias), each part if asked for, or a step
/// of descent.
template <typename T>
struct Epilogue {
  bool accumulate = false;  ///< Add to what C holds instead of replacing it.
  const T* bias = nullptr;  ///< bias[n], added to every row.
  bool relu = false;        ///< max(x, 0); a NaN stays a NaN.

  /// C goes into a weight instead, from the registers, and is kept nowhere: c and ldc are not looked at. Not
  /// with anything of the above, nor with a batch.
  const Descent<T>* descent = nullptr;
};

/// C[m,n] = A[m,k] B[k,n]. C has unit column stride, its rows are ldc apart, and it overlaps neither A nor B.
///
/// k == 0 gives zeros (then the epilogue); m == 0 or n == 0 does nothing. Each element of C is a sum in an
/// order that depends on the shape, the strides and the instruction set alone: the same bits for any number
/// of threads. No zero is skipped, so infinities and NaN come through.
///
///   matmul<float>({.m = 10, .n = 30, .k = 784,
///                  .a = {x, 784, 1},  // x[10,784]
///                  .b = {w, 1, 784},  // w[30,784], taken as its transpose
///                  .c = y, .ldc = 30,
///                  .epilogue = {.bias = bias, .relu = true}});
template <typename T>
struct Product {
  Index m = 0, n = 0, k = 0;
  Matrix<T> a;
  Matrix<T> b;
  T* c = nullptr;
  Index ldc = 0;
  Epilogue<T> epilogue = {};
  /// How many products, and how far apart their operands are. A stride of 0 for a or b shares it among all.
  Index batch = 1;
  Index a_batch_stride = 0, b_batch_stride = 0, c_batch_stride = 0;
};

template <typename T>
SPLOT_API void matmul(const Product<T>& product);

/// The definition, in three loops and one thread. Tests compare every kernel with it.
template <typename T>
SPLOT_API void matmul_reference(const Product<T>& product);

extern template SPLOT_API void matmul(const Product<float>&);
extern template SPLOT_API void matmul(const Product<double>&);
extern template SPLOT_API void matmul_reference(const Product<float>&);
extern template SPLOT_API void matmul_reference(const Product<double>&);

}  // namespace splot::cpu
