#include "splot/backend/cpu/softmax.h"

// targets.h, foreach_target.h and the file it compiles for each target, in this order.
// clang-format off
#include "splot/backend/cpu/internal/targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "splot/backend/cpu/internal/softmax-inl.h"
#include <hwy/foreach_target.h>
#include "splot/backend/cpu/internal/softmax-inl.h"
// clang-format on

#include <algorithm>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/internal/target_table.h"
#include "splot/backend/cpu/thread_pool.h"

namespace splot::cpu {
namespace {

// The unit of work of a thread, in elements.
constexpr Index kChunk = 8 * 1024;

// Calls body(first row, number of rows) for groups of rows whose size depends on n alone. An exponential and
// the passes around it take about a nanosecond for a float.
template <typename T, typename Body>
void for_rows(Index rows, Index n, Body&& body) {
  const Index group = std::max<Index>(1, kChunk / std::max<Index>(1, n));
  const double microseconds = static_cast<double>(rows * n) * sizeof(T) / 4.0 * 1e-3;
  parallel_for((rows + group - 1) / group, microseconds,
               [&](Index at) { body(at * group, std::min(group, rows - at * group)); });
}

}  // namespace

template <typename T>
void softmax_rows(const T* x, Index rows, Index n, bool logarithm, T* out) {
  if (n == 0) return;
  using Kernel = void (*)(const T*, Index, Index, T*);
  static constexpr Kernel plain[] = SPLOT_TARGET_TABLE(softmax_block<T>);
  static constexpr Kernel logs[] = SPLOT_TARGET_TABLE(log_softmax_block<T>);
  const Kernel kernel = (logarithm ? logs : plain)[static_cast<int>(instruction_set())];
  for_rows<T>(rows, n, [&](Index first, Index count) { kernel(x + first * n, count, n, out + first * n); });
}

template <typename T>
void cross_entropy_rows(const CrossEntropy<T>& args, T* loss) {
  using Kernel = void (*)(const CrossEntropy<T>&, Index, Index, T*);
  static constexpr Kernel table[] = SPLOT_TARGET_TABLE(cross_entropy_block<T>);
  const Kernel kernel = table[static_cast<int>(instruction_set())];
  for_rows<T>(args.rows, args.n, [&](Index first, Index count) { kernel(args, first, count, loss); });
}

template <typename T>
void cross_entropy_grad_rows(const CrossEntropy<T>& args, const T* dy, Index dy_stride, T scale, T* dx) {
  if (args.n == 0) return;
  using Kernel = void (*)(const CrossEntropy<T>&, const T*, Index, T, Index, Index, T*);
  static constexpr Kernel table[] = SPLOT_TARGET_TABLE(cross_entropy_grad_block<T>);
  const Kernel kernel = table[static_cast<int>(instruction_set())];
  for_rows<T>(args.rows, args.n,
              [&](Index first, Index count) { kernel(args, dy, dy_stride, scale, first, count, dx); });
}

#define SPLOT_SOFTMAX(T)                                        \
  template void softmax_rows(const T*, Index, Index, bool, T*); \
  template void cross_entropy_rows(const CrossEntropy<T>&, T*); \
  template void cross_entropy_grad_rows(const CrossEntropy<T>&, const T*, Index, T, T*);
SPLOT_SOFTMAX(float)
SPLOT_SOFTMAX(double)
#undef SPLOT_SOFTMAX

}  // namespace splot::cpu
