#include <dnnl.h>
#include <omp.h>  // oneDNN takes its threads from OpenMP

#include "bench/rivals/rivals.h"

namespace splot::bench {
namespace {

constexpr Rival kDnnl = {"oneDNN", [](int threads) { omp_set_num_threads(threads); },
                         [](bool ta, bool tb, Index m, Index n, Index k, const float* a, Index lda,
                            const float* b, Index ldb, float* c, Index ldc) {
                           dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, 1.0f, a, lda, b, ldb, 0.0f, c,
                                      ldc);
                         }};

}  // namespace

const Rival* dnnl() { return &kDnnl; }

}  // namespace splot::bench
