#include "splot/backend/cpu/finite.h"

// targets.h, foreach_target.h and the file it compiles for each target, in this order.
// clang-format off
#include "splot/backend/cpu/internal/targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "splot/backend/cpu/internal/finite-inl.h"
#include <hwy/foreach_target.h>
#include "splot/backend/cpu/internal/finite-inl.h"
// clang-format on

#include <algorithm>
#include <atomic>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/internal/target_table.h"
#include "splot/backend/cpu/thread_pool.h"

namespace splot::cpu {

template <typename T>
bool all_finite(const T* x, Index n) {
  constexpr Index kChunk = 256 * 1024 / static_cast<Index>(sizeof(T));
  using Kernel = bool (*)(const T*, Index);
  static constexpr Kernel table[] = SPLOT_TARGET_TABLE(finite_block<T>);
  const Kernel kernel = table[static_cast<int>(instruction_set())];
  if (n <= kChunk) return kernel(x, n);
  std::atomic<bool> finite{true};
  const double microseconds = static_cast<double>(n) * sizeof(T) / 20e3;  // 20 bytes in a nanosecond
  parallel_for((n + kChunk - 1) / kChunk, microseconds, [&](Index chunk) {
    const Index first = chunk * kChunk;
    if (!kernel(x + first, std::min(kChunk, n - first))) finite.store(false, std::memory_order_relaxed);
  });
  return finite.load(std::memory_order_relaxed);
}

template bool all_finite(const float*, Index);
template bool all_finite(const double*, Index);

}  // namespace splot::cpu
