// What reduce-inl.h offers for one instruction set.
#pragma once

#include "splot/core/index.h"

namespace splot::cpu {

template <typename T>
struct ReduceKernels {
  /// out[r] = the reduction of x[r, 0 .. n-1]; the rows lie one behind the other.
  void (*rows)(const T* x, Index rows, Index n, const T* centre, T* out);
  /// out[c] = the reduction of x[0 .. rows-1, c], with rows `stride` elements apart.
  void (*columns)(const T* x, Index rows, Index columns, Index stride, const T* centre, T* out);
};

}  // namespace splot::cpu
