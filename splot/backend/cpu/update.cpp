// clang-format off
#include "splot/backend/cpu/internal/targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "splot/backend/cpu/internal/update-inl.h"
#include <hwy/foreach_target.h>
#include "splot/backend/cpu/internal/update-inl.h"
// clang-format on

#include "splot/backend/cpu/update.h"

#include "splot/backend/cpu/flush_subnormals.h"
#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/thread_pool.h"

namespace splot::cpu {
namespace {

// Work of a thread: fixed, so that nothing depends on the number of threads.
constexpr Index kChunk = 16 * 1024;
// What one element takes at least; below kMinParallelMicroseconds in all, one thread does it.
constexpr double kMicrosecondsPerElement = 0.0005;

template <typename Block>
void in_chunks(Index n, Block&& block) {
  parallel_for((n + kChunk - 1) / kChunk, static_cast<double>(n) * kMicrosecondsPerElement, [&](Index chunk) {
    const Index first = chunk * kChunk;
    const FlushSubnormals
        flush;  // the moments of a weight whose gradient has become zero fade into that range
    block(first, std::min(kChunk, n - first));
  });
}

template <typename Pointer>
Pointer at(Pointer base, Index first) {
  return base == nullptr ? nullptr : base + first;
}

template <typename T>
using SgdBlock = void (*)(const SgdUpdate&, const T*, const T*, const T*, T*, T*, Index);
template <typename T>
using AdamBlock = void (*)(const AdamUpdate&, const T*, const T*, const T*, const T*, T*, T*, T*, Index);

#if HWY_ARCH_X86
#define SPLOT_EACH_TARGET(function) HWY_NAMESPACE::function, N_AVX2::function, N_AVX3::function
#else
#define SPLOT_EACH_TARGET(function) HWY_NAMESPACE::function
#endif

}  // namespace

template <typename T>
void sgd_update(const SgdUpdate& update, const T* w, const T* g, const T* v, T* w_out, T* v_out, Index n) {
  static constexpr SgdBlock<T> kBlocks[] = {SPLOT_EACH_TARGET(sgd_block<T>)};
  const SgdBlock<T> block = kBlocks[static_cast<std::size_t>(instruction_set())];
  in_chunks(n, [&](Index first, Index count) {
    block(update, w + first, g + first, at(v, first), w_out + first, at(v_out, first), count);
  });
}

template <typename T>
void adam_update(const AdamUpdate& update, const T* w, const T* g, const T* m, const T* v, T* w_out, T* m_out,
                 T* v_out, Index n) {
  static constexpr AdamBlock<T> kBlocks[] = {SPLOT_EACH_TARGET(adam_block<T>)};
  const AdamBlock<T> block = kBlocks[static_cast<std::size_t>(instruction_set())];
  in_chunks(n, [&](Index first, Index count) {
    block(update, w + first, g + first, m + first, v + first, w_out + first, m_out + first, v_out + first,
          count);
  });
}

template void sgd_update(const SgdUpdate&, const float*, const float*, const float*, float*, float*, Index);
template void sgd_update(const SgdUpdate&, const double*, const double*, const double*, double*, double*,
                         Index);
template void adam_update(const AdamUpdate&, const float*, const float*, const float*, const float*, float*,
                          float*, float*, Index);
template void adam_update(const AdamUpdate&, const double*, const double*, const double*, const double*,
                          double*, double*, double*, Index);

}  // namespace splot::cpu
