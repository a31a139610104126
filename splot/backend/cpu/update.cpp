// clang-format off
#include "splot/backend/cpu/internal/targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "splot/backend/cpu/internal/update-inl.h"
#include <hwy/foreach_target.h>
#include "splot/backend/cpu/internal/update-inl.h"
// clang-format on

#include "splot/backend/cpu/update.h"

#include <algorithm>
#include <optional>

#include "splot/backend/cpu/flush_subnormals.h"
#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/internal/target_table.h"
#include "splot/backend/cpu/thread_pool.h"

namespace splot::cpu {
namespace {

// Work of a thread: fixed, so that nothing depends on the number of threads.
constexpr Index kChunk = 16 * 1024;
// What one element takes at least; below kMinParallelMicroseconds in all, one thread does it.
constexpr double kMicrosecondsPerElement = 0.0005;

template <typename Update, typename T>
using UpdateKernel = void (*)(const Update&, const UpdateOperands<T>&, Index first, Index n);

template <typename Update, typename T>
UpdateKernel<Update, T> update_kernel() {
  static constexpr UpdateKernel<Update, T> table[] = SPLOT_TARGET_TABLE(update_elements<Update, T>);
  return table[static_cast<std::size_t>(instruction_set())];
}

}  // namespace

template <typename Update, typename T>
void update(const Update& update, const UpdateOperands<T>& operands, Index n) {
  const UpdateKernel<Update, T> kernel = update_kernel<Update, T>();
  parallel_for((n + kChunk - 1) / kChunk, static_cast<double>(n) * kMicrosecondsPerElement, [&](Index chunk) {
    // The moments of a weight whose gradient has become zero fade into that range.
    std::optional<FlushSubnormals> flush;
    if (operands.inputs > 2) flush.emplace();
    const Index first = chunk * kChunk;
    kernel(update, operands, first, std::min(kChunk, n - first));
  });
}

#define SPLOT_UPDATE(Update)                                                \
  template void update(const Update&, const UpdateOperands<float>&, Index); \
  template void update(const Update&, const UpdateOperands<double>&, Index);
SPLOT_UPDATE(SgdUpdate)
SPLOT_UPDATE(AdamUpdate)
SPLOT_UPDATE(RmspropUpdate)
SPLOT_UPDATE(AdagradUpdate)
#undef SPLOT_UPDATE

}  // namespace splot::cpu
