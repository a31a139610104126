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

/// What happens to C after the sums are complete: C = relu(A B + C + bias), each part if asked for, then
/// `finish`.
template <typename T>
struct Epilogue {
  bool accumulate = false;  ///< Add to what C holds instead of replacing it.
  const T* bias = nullptr;  ///< bias[n], added to every row.
  bool relu = false;        ///< max(x, 0); a NaN stays a NaN.

  /// Anything else, elementwise: called once for each block of C as soon as it is complete and while it is in
  /// the cache, from the thread that computed it. c points at element (row, col) of product number `batch`;
  /// rows are ldc apart.
  struct Block {
    T* c;
    Index ldc, batch, row, col, rows, cols;
  };
  void (*finish)(const void* context, const Block& block) = nullptr;
  const void* context = nullptr;
  /// C is only passed to `finish`, in small blocks that are in the first cache, and kept nowhere: c is null,
  /// ldc is not looked at. Not with accumulate or relu or bias or a batch.
  bool passing = false;

  bool any() const { return accumulate || bias != nullptr || relu; }
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
