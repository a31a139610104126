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

template <typename Update, typename T>
using Block = void (*)(const Update&, const UpdateOperands<T>&, Index, Index);

template <typename Update, typename T>
constexpr Block<Update, T> kBlocks[] = {
    HWY_NAMESPACE::update_block<Update, T>,
#if HWY_ARCH_X86
    N_AVX2::update_block<Update, T>,
    N_AVX3::update_block<Update, T>,
#endif
};

}  // namespace

template <typename Update, typename T>
void update(const Update& update, const UpdateOperands<T>& operands, Index n) {
  const Block<Update, T> block = kBlocks<Update, T>[static_cast<std::size_t>(instruction_set())];
  parallel_for((n + kChunk - 1) / kChunk, static_cast<double>(n) * kMicrosecondsPerElement, [&](Index chunk) {
    // The moments of a weight whose gradient has become zero fade into that range.
    const FlushSubnormals flush;
    const Index first = chunk * kChunk;
    block(update, operands, first, std::min(kChunk, n - first));
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
