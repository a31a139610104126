#include "splot/backend/cpu/pooling.h"

// targets.h, foreach_target.h and the file it compiles for each target, in this order.
// clang-format off
#include "splot/backend/cpu/internal/targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "splot/backend/cpu/internal/pooling-inl.h"
#include <hwy/foreach_target.h>
#include "splot/backend/cpu/internal/pooling-inl.h"
// clang-format on

#include <algorithm>
#include <vector>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/internal/target_table.h"
#include "splot/backend/cpu/thread_pool.h"

namespace splot::cpu {
namespace {

// The unit of work of a thread, in elements read.
constexpr Index kPoolChunk = 32 * 1024;

// Calls body(first row, number of rows) for groups of rows, each of which reads `reads` elements.
template <typename T, typename Body>
void for_pooled_rows(Index rows, Index reads, Body&& body) {
  const Index group = std::max<Index>(1, kPoolChunk / std::max<Index>(1, reads));
  const double microseconds = static_cast<double>(rows * reads) * sizeof(T) / 4.0 * 2e-4;
  parallel_for((rows + group - 1) / group, microseconds,
               [&](Index at) { body(at * group, std::min(group, rows - at * group)); });
}

// Windows side by side that begin at the first element: no element is in two of them.
bool are_tiles(const PoolAxis& axis) {
  return axis.kernel == axis.stride && axis.dilation == 1 && axis.padding == 0;
}

Index reads_of_row(const Pool2d& p) { return p.w.windows * p.images * p.h.kernel * p.w.kernel; }

struct Covering {
  explicit Covering(const PoolAxis& axis) : first(static_cast<std::size_t>(axis.size) + 1) {
    for (Index i = 0; i < axis.size; ++i) {
      first[static_cast<std::size_t>(i)] = static_cast<Index>(entries.size());
      // The element with the highest number belongs to the window that comes first.
      for (Index k = axis.kernel - 1; k >= 0; --k) {
        const Index start = i + axis.padding - k * axis.dilation;
        if (start < 0 || start % axis.stride != 0 || start / axis.stride >= axis.windows) continue;
        entries.push_back({start / axis.stride, k});
      }
    }
    first[static_cast<std::size_t>(axis.size)] = static_cast<Index>(entries.size());
  }
  CoveringWindows view() const { return {first.data(), entries.data()}; }

  std::vector<Index> first;
  std::vector<CoveringWindows::Entry> entries;
};

}  // namespace

template <typename T, typename Which>
void max_pool(const Pool2d& pool, const T* x, T* y, Which* which) {
  using Kernel = void (*)(const Pool2d&, const T*, Index, Index, T*, Which*);
  static constexpr Kernel table[] = SPLOT_TARGET_TABLE(max_pool_rows<T, Which>);
  const Kernel kernel = table[static_cast<int>(instruction_set())];
  for_pooled_rows<T>(pool.planes * pool.h.windows, reads_of_row(pool),
                     [&](Index first, Index rows) { kernel(pool, x, first, rows, y, which); });
}

template <typename T, typename Which>
void max_pool_pick(const Pool2d& pool, const T* x, const Which* which, T* y) {
  using Kernel = void (*)(const Pool2d&, const T*, Index, Index, T*, const Which*);
  static constexpr Kernel table[] = SPLOT_TARGET_TABLE(max_pool_pick_rows<T, Which>);
  const Kernel kernel = table[static_cast<int>(instruction_set())];
  for_pooled_rows<T>(pool.planes * pool.h.windows, reads_of_row(pool),
                     [&](Index first, Index rows) { kernel(pool, x, first, rows, y, which); });
}

template <typename T, typename Which>
void max_pool_grad(const Pool2d& pool, const T* dy, const Which* which, T* dx) {
  if (are_tiles(pool.h) && are_tiles(pool.w)) {
    using Tiles = void (*)(const Pool2d&, const T*, const Which*, Index, Index, T*);
    static constexpr Tiles tiles[] = SPLOT_TARGET_TABLE(max_pool_grad_tiles<T, Which>);
    const Tiles spread = tiles[static_cast<int>(instruction_set())];
    for_pooled_rows<T>(pool.planes * pool.h.windows, reads_of_row(pool),
                       [&](Index first, Index rows) { spread(pool, dy, which, first, rows, dx); });
    return;
  }
  using Kernel = void (*)(const Pool2d&, const CoveringWindows&, const CoveringWindows&, const T*,
                          const Which*, Index, Index, T*);
  static constexpr Kernel table[] = SPLOT_TARGET_TABLE(max_pool_grad_rows<T, Which>);
  const Kernel kernel = table[static_cast<int>(instruction_set())];
  const Covering rows_of(pool.h), columns_of(pool.w);
  const Index per_row = std::max<Index>(1, static_cast<Index>(rows_of.entries.size()) / pool.h.size);
  const Index reads = per_row * static_cast<Index>(columns_of.entries.size()) * pool.images;
  for_pooled_rows<T>(pool.planes * pool.h.size, reads, [&](Index first, Index rows) {
    kernel(pool, rows_of.view(), columns_of.view(), dy, which, first, rows, dx);
  });
}

#define SPLOT_POOLING(T, Which)                                           \
  template void max_pool(const Pool2d&, const T*, T*, Which*);            \
  template void max_pool_pick(const Pool2d&, const T*, const Which*, T*); \
  template void max_pool_grad(const Pool2d&, const T*, const Which*, T*);
SPLOT_POOLING(float, unsigned char)
SPLOT_POOLING(float, int)
SPLOT_POOLING(double, unsigned char)
SPLOT_POOLING(double, int)
#undef SPLOT_POOLING

}  // namespace splot::cpu
