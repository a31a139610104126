// What the optimiser updates and their kernels say to each other.
#pragma once

#include "splot/core/index.h"

namespace splot::cpu {

/// The elements that a kernel updates: `rows` runs of `cols`, `stride` apart, the first one `first` elements
/// into weight and state. Their gradients lie elsewhere, from g on, in runs g_stride apart.
template <typename T>
struct UpdateBlock {
  const T* g = nullptr;
  Index g_stride = 0;
  Index first = 0;
  Index stride = 0;
  Index rows = 1;
  Index cols = 0;
};

}  // namespace splot::cpu
