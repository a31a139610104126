// Other libraries' float32 matrix products, for comparison.
#pragma once

#include "splot/core/index.h"

namespace splot::bench {

/// C[m,n] = op(A) op(B), row-major; a transposed operand is stored [k,m] or [n,k].
struct Rival {
  const char* name;
  void (*set_threads)(int threads);
  void (*sgemm)(bool a_transposed, bool b_transposed, Index m, Index n, Index k, const float* a, Index lda,
                const float* b, Index ldb, float* c, Index ldc);
};

/// Null when the program was built without it.
const Rival* dnnl();
const Rival* openblas();

}  // namespace splot::bench
