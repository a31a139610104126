// Softmax and cross-entropy of dense rows.
#pragma once

#include <cstdint>

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot::cpu {

/// out[r, i] = exp(x[r, i]) / sum_j exp(x[r, j]), or its logarithm, without overflow. T is float or double.
template <typename T>
void softmax_rows(const T* x, Index rows, Index n, bool logarithm, T* out);

/// Cross-entropy of rows of logits x[rows, n] with one target each: a class number, or probabilities [rows,
/// n]. Exactly one of the two pointers is set; class numbers are in range.
template <typename T>
struct CrossEntropy {
  const T* x = nullptr;
  const std::int64_t* classes = nullptr;
  const T* probabilities = nullptr;
  Index rows = 0;
  Index n = 0;
};

/// loss[r] = log(sum_j exp x[r, j]) t - sum_j t_j x[r, j], where t is the sum of the target's probabilities.
template <typename T>
void cross_entropy_rows(const CrossEntropy<T>& args, T* loss);

/// dx[r, j] = (t softmax(x)[r, j] - t_j) dy[r], with dy[r * dy_stride].
template <typename T>
void cross_entropy_grad_rows(const CrossEntropy<T>& args, const T* dy, Index dy_stride, T scale, T* dx);

#define SPLOT_SOFTMAX(T)                                                         \
  extern template SPLOT_API void softmax_rows(const T*, Index, Index, bool, T*); \
  extern template SPLOT_API void cross_entropy_rows(const CrossEntropy<T>&, T*); \
  extern template SPLOT_API void cross_entropy_grad_rows(const CrossEntropy<T>&, const T*, Index, T, T*);
SPLOT_SOFTMAX(float)
SPLOT_SOFTMAX(double)
#undef SPLOT_SOFTMAX

}  // namespace splot::cpu
