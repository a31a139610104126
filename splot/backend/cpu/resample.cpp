#include "splot/backend/cpu/resample.h"

// targets.h, foreach_target.h and the file it compiles for each target, in this order.
// clang-format off
#include "splot/backend/cpu/internal/targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "splot/backend/cpu/internal/resample-inl.h"
#include <hwy/foreach_target.h>
#include "splot/backend/cpu/internal/resample-inl.h"
// clang-format on

#include <algorithm>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/internal/target_table.h"
#include "splot/backend/cpu/thread_pool.h"

namespace splot::cpu {
namespace {

// The unit of work of a thread, in elements read.
constexpr Index kResampleChunk = 32 * 1024;

template <typename T>
std::vector<WeightedTap<T>> taps_of(const LinearAxis& axis) {
  std::vector<WeightedTap<T>> out;
  out.reserve(axis.taps.size());
  for (const LinearAxis::Tap& tap : axis.taps) out.push_back({tap.input, static_cast<T>(tap.weight)});
  return out;
}

}  // namespace

LinearAxis LinearAxis::transposed() const {
  LinearAxis out;
  out.inputs = outputs();
  out.first.assign(static_cast<std::size_t>(inputs) + 1, 0);
  for (const Tap& tap : taps) ++out.first[static_cast<std::size_t>(tap.input) + 1];
  for (std::size_t i = 1; i < out.first.size(); ++i) out.first[i] += out.first[i - 1];
  out.taps.resize(taps.size());
  std::vector<Index> next(out.first.begin(), out.first.end() - 1);
  for (std::size_t i = 0; i + 1 < first.size(); ++i) {
    for (Index t = first[i]; t < first[i + 1]; ++t) {
      const Tap& tap = taps[static_cast<std::size_t>(t)];
      Index& at = next[static_cast<std::size_t>(tap.input)];
      out.taps[static_cast<std::size_t>(at++)] = {static_cast<Index>(i), tap.weight};
    }
  }
  return out;
}

template <typename T>
void resample(Index planes, Index images, const LinearAxis& rows, const LinearAxis& columns, const T* x,
              T* y) {
  using Kernel = void (*)(const ResamplePlan<T>&, const T*, Index, Index, T*);
  static constexpr Kernel table[] = SPLOT_TARGET_TABLE(resample_rows<T>);
  const Kernel kernel = table[static_cast<int>(instruction_set())];
  const std::vector<WeightedTap<T>> row_taps = taps_of<T>(rows), column_taps = taps_of<T>(columns);
  const ResamplePlan<T> plan{
      .images = images,
      .rows = {rows.inputs, rows.outputs(), rows.first.data(), row_taps.data()},
      .columns = {columns.inputs, columns.outputs(), columns.first.data(), column_taps.data()}};
  const Index outputs = std::max<Index>(1, rows.outputs());
  const Index per_row = std::max<Index>(1, static_cast<Index>(row_taps.size()) / outputs);
  const Index reads = std::max<Index>(1, per_row * static_cast<Index>(column_taps.size()) * images);
  const Index all = planes * rows.outputs();
  const Index group = std::max<Index>(1, kResampleChunk / reads);
  const double microseconds = static_cast<double>(all * reads) * sizeof(T) / 4.0 * 2e-4;
  parallel_for((all + group - 1) / group, microseconds,
               [&](Index at) { kernel(plan, x, at * group, std::min(group, all - at * group), y); });
}

template void resample(Index, Index, const LinearAxis&, const LinearAxis&, const float*, float*);
template void resample(Index, Index, const LinearAxis&, const LinearAxis&, const double*, double*);

}  // namespace splot::cpu
