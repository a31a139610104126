// Products of few rows with weights that were brought into order beforehand: what a linear layer takes when a
// network only answers.
#pragma once

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot::cpu {

/// Packed weights are w[out / 8][in / 16][8][16], filled up with zeros: eight outputs are summed at once, and
/// memory is read from one end to the other.
inline constexpr Index kPackedOuts = 8;
inline constexpr Index kPackedNumbers = 16;

template <typename T>
struct PackedLinear {
  Index rows = 0, in = 0, out = 0;
  const T* x = nullptr;     ///< [rows][in]
  const T* w = nullptr;     ///< packed
  const T* bias = nullptr;  ///< [out]
  bool relu = false;        ///< max(y, 0); a NaN stays a NaN
  T* y = nullptr;           ///< [rows][out]
};

/// y = x W^T + bias, then relu if asked for. Each element is a sum in an order that depends on `in` and the
/// instruction set alone: the same bits for any number of rows and threads.
template <typename T>
SPLOT_API void packed_linear(const PackedLinear<T>& product);

extern template SPLOT_API void packed_linear(const PackedLinear<float>&);
extern template SPLOT_API void packed_linear(const PackedLinear<double>&);

}  // namespace splot::cpu
