// What this machine's processors multiply and add at most.
#pragma once

#include "splot/core/export.h"

namespace splot::cpu {

/// GFLOP/s of one thread in a loop of independent float32 multiply-adds that touches no memory: the limit of
/// any matrix product. Takes about `milliseconds`.
SPLOT_API double fma_peak(double milliseconds);

/// The same of so many threads at once.
SPLOT_API double fma_peak(int threads, double milliseconds);

}  // namespace splot::cpu
