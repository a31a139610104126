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
#include "splot/backend/cpu/internal/target_table.h"
#include "splot/backend/cpu/thread_pool.h"

namespace splot::cpu {
namespace {

// Work of a thread: fixed, so that nothing depends on the number of threads.
constexpr Index kChunk = 16 * 1024;
// What one element takes at least; below kMinParallelMicroseconds in all, one thread does it.
constexpr double kMicrosecondsPerElement = 0.0005;

template <typename Update, typename T>
using UpdateKernel = void (*)(const Update&, const UpdateOperands<T>&, const UpdateBlock<T>&);

template <typename Update, typename T>
UpdateKernel<Update, T> update_kernel() {
  static constexpr UpdateKernel<Update, T> table[] = SPLOT_TARGET_TABLE(update_block<Update, T>);
  return table[static_cast<std::size_t>(instruction_set())];
}

}  // namespace

template <typename Update, typename T>
void update(const Update& update, const UpdateOperands<T>& operands, Index n) {
  const UpdateKernel<Update, T> kernel = update_kernel<Update, T>();
  parallel_for((n + kChunk - 1) / kChunk, static_cast<double>(n) * kMicrosecondsPerElement, [&](Index chunk) {
    // The moments of a weight whose gradient has become zero fade into that range.
    const FlushSubnormals flush;
    const Index first = chunk * kChunk;
    kernel(update, operands,
           {.g = operands.in[1] + first, .first = first, .cols = std::min(kChunk, n - first)});
  });
}

template <typename T>
void sgd_by_product(const SgdUpdate& update, const Product<T>& gradient, const T* w, T* out) {
  struct Context {
    UpdateKernel<SgdUpdate, T> kernel;
    const SgdUpdate& update;
    UpdateOperands<T> operands;
    Index row_size;
  };
  Context context{update_kernel<SgdUpdate, T>(), update, {}, gradient.n};
  context.operands.in[0] = w;
  context.operands.out[0] = out;
  context.operands.inputs = 2;
  Product<T> product = gradient;
  product.epilogue.passing = true;
  product.epilogue.context = &context;
  product.epilogue.finish = [](const void* erased, const typename Epilogue<T>::Block& piece) {
    const Context& c = *static_cast<const Context*>(erased);
    UpdateBlock<T> block = {.g = piece.c,
                            .g_stride = piece.ldc,
                            .first = piece.row * c.row_size + piece.col,
                            .stride = c.row_size,
                            .rows = piece.rows,
                            .cols = piece.cols};
    if (piece.cols == c.row_size && piece.ldc == c.row_size) {  // whole rows are one run
      block.cols *= block.rows;
      block.rows = 1;
    }
    const FlushSubnormals flush;  // the sums are made without
    c.kernel(c.update, c.operands, block);
  };
  matmul(product);
}

template void sgd_by_product(const SgdUpdate&, const Product<float>&, const float*, float*);
template void sgd_by_product(const SgdUpdate&, const Product<double>&, const double*, double*);

#define SPLOT_UPDATE(Update)                                                \
  template void update(const Update&, const UpdateOperands<float>&, Index); \
  template void update(const Update&, const UpdateOperands<double>&, Index);
SPLOT_UPDATE(SgdUpdate)
SPLOT_UPDATE(AdamUpdate)
SPLOT_UPDATE(RmspropUpdate)
SPLOT_UPDATE(AdagradUpdate)
#undef SPLOT_UPDATE

}  // namespace splot::cpu
