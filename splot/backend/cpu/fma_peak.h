#pragma once

namespace splot::bench {

/// GFLOP/s of one thread in a loop of independent float32 multiply-adds that touches no memory: the limit of
/// any matrix product. Takes about `milliseconds`.
double fma_peak(double milliseconds);

}  // namespace splot::bench
