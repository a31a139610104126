#include <cblas.h>

#include "bench/rivals/rivals.h"

// Not in every cblas.h.
extern "C" void openblas_set_num_threads(int);

namespace splot::bench {
namespace {

constexpr Rival kOpenblas = {
    "OpenBLAS", [](int threads) { openblas_set_num_threads(threads); },
    [](bool ta, bool tb, Index m, Index n, Index k, const float* a, Index lda, const float* b, Index ldb,
       float* c, Index ldc) {
      cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
                  static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), 1.0f, a,
                  static_cast<int>(lda), b, static_cast<int>(ldb), 0.0f, c, static_cast<int>(ldc));
    }};

}  // namespace

const Rival* openblas() { return &kOpenblas; }

}  // namespace splot::bench
