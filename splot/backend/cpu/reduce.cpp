// Reductions, fastest first; each must agree with the last.
//   reduce, reduce_made  vectors along rows or across columns, on the threads
//   reduce_reference     one element after the other, in double
#include "splot/backend/cpu/reduce.h"

// targets.h, foreach_target.h and the file it compiles for each target, in this order.
// clang-format off
#include "splot/backend/cpu/internal/targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "splot/backend/cpu/internal/reduce-inl.h"
#include <hwy/foreach_target.h>
#include "splot/backend/cpu/internal/reduce-inl.h"
// clang-format on

#include <algorithm>
#include <cmath>
#include <limits>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/internal/target_table.h"
#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/storage.h"

namespace splot::cpu {
namespace {

// The unit of work of a thread, in elements: fixed, so that results never depend on how many threads there
// are.
constexpr Index kChunk = 32 * 1024;
// Columns of a chunk, where there are enough of them to leave some to others.
constexpr Index kPanel = 256;

template <typename T>
ReduceKernels<T> kernels_for(Reduce reduction) {
  static constexpr ReduceKernels<T> (*table[kInstructionSets])(Reduce) =
      SPLOT_TARGET_TABLE(reduce_kernels<T>);
  return table[static_cast<int>(instruction_set())](reduction);
}

// Pieces of one reduction are combined as they are: squares and exponentials add up.
Reduce combining(Reduce reduction) {
  return reduction == Reduce::squares || reduction == Reduce::exps ? Reduce::sum : reduction;
}

template <typename T>
double identity_of(Reduce reduction) {
  switch (reduction) {
    case Reduce::prod:
      return 1.0;
    case Reduce::max:
      return -std::numeric_limits<double>::infinity();
    case Reduce::min:
      return std::numeric_limits<double>::infinity();
    default:
      return 0.0;
  }
}

// Where the loops below get a run of elements: from memory,
template <typename T>
struct InMemory {
  const T* data;

  const T* run(Index first, Index) const { return data + first; }
  double nanoseconds() const { return 0.0; }
};

// or made, at most kChunk at once, in memory of the thread that stays in the second-level cache.
template <typename T>
struct Made {
  const MadeElements<T>& elements;

  const T* run(Index first, Index n) const {
    thread_local const Ref<Storage> memory = Storage::allocate(kChunk * sizeof(T));
    auto* to = static_cast<T*>(memory->data());
    elements.make(elements.context, first, n, to);
    return to;
  }
  double nanoseconds() const { return elements.nanoseconds; }
};

// A processor reads some 10 bytes in a nanosecond; an exponential takes about half a nanosecond.
template <typename T, typename Source>
double microseconds(Reduce reduction, const Source& x, Index elements) {
  const double each =
      sizeof(T) / 10.0 + (reduction == Reduce::exps ? sizeof(T) / 8.0 : 0.0) + x.nanoseconds();
  return static_cast<double>(elements) * each * 1e-3;
}

template <typename T>
T* memory_for(Ref<Storage>& storage, Index elements) {
  storage = Storage::allocate(static_cast<std::size_t>(elements) * sizeof(T));
  return static_cast<T*>(storage->data());
}

Index pieces_of(Index n, Index piece) { return (n + piece - 1) / piece; }

template <typename T, typename Source>
void reduce_long_rows(const ReduceKernels<T>& kernels, Reduce reduction, const Source& x, Index rows, Index n,
                      const T* centre, T* out) {
  const Index pieces = pieces_of(n, kChunk);
  Ref<Storage> storage;
  T* partial = memory_for<T>(storage, rows * pieces);
  parallel_for(rows * pieces, microseconds<T>(reduction, x, rows * n), [&](Index at) {
    const Index row = at / pieces, first = at % pieces * kChunk;
    const Index run = std::min(kChunk, n - first);
    kernels.rows(x.run(row * n + first, run), 1, run, centre == nullptr ? centre : centre + row,
                 partial + at);
  });
  reduce<T>(combining(reduction), partial, {rows, pieces, 1}, nullptr, out);
}

template <typename T, typename Source>
void reduce_all_rows(const ReduceKernels<T>& kernels, Reduce reduction, const Source& x, Index rows, Index n,
                     const T* centre, T* out) {
  if (n > kChunk) return reduce_long_rows(kernels, reduction, x, rows, n, centre, out);
  const Index group = std::max<Index>(1, kChunk / n);
  parallel_for(pieces_of(rows, group), microseconds<T>(reduction, x, rows * n), [&](Index at) {
    const Index first = at * group, count = std::min(group, rows - first);
    kernels.rows(x.run(first * n, count * n), count, n, centre == nullptr ? centre : centre + first,
                 out + first);
  });
}

// Matrices too large for one thread are cut into blocks of rows and, where they are wide, panels of columns.
bool is_wide(const ReduceSizes& s) { return s.inner >= 2 * kPanel; }

template <typename T, typename Source>
void reduce_large_columns(const ReduceKernels<T>& kernels, Reduce reduction, const Source& x,
                          const ReduceSizes& s, const T* centre, T* out) {
  const Index panel = is_wide(s) ? kPanel : s.inner;
  const Index block = std::max<Index>(64, kChunk / panel / 64 * 64);
  const Index panels = pieces_of(s.inner, panel);
  const Index blocks = pieces_of(s.length, block);
  Ref<Storage> storage;
  T* partial = blocks == 1 ? out : memory_for<T>(storage, s.outer * blocks * s.inner);
  parallel_for(s.outer * blocks * panels, microseconds<T>(reduction, x, s.outer * s.length * s.inner),
               [&](Index at) {
                 const Index column = at % panels * panel;
                 const Index b = at / panels % blocks, o = at / panels / blocks;
                 const Index rows = std::min(block, s.length - b * block);
                 const T* run = x.run((o * s.length + b * block) * s.inner, rows * s.inner);
                 kernels.columns(run + column, rows, std::min(panel, s.inner - column), s.inner,
                                 centre == nullptr ? centre : centre + o * s.inner + column,
                                 partial + (o * blocks + b) * s.inner + column);
               });
  if (blocks > 1) reduce<T>(combining(reduction), partial, {s.outer, blocks, s.inner}, nullptr, out);
}

template <typename T, typename Source>
void reduce_all_columns(const ReduceKernels<T>& kernels, Reduce reduction, const Source& x,
                        const ReduceSizes& s, const T* centre, T* out) {
  const Index matrix = s.length * s.inner;
  if (matrix > kChunk) return reduce_large_columns(kernels, reduction, x, s, centre, out);
  const Index group = std::max<Index>(1, kChunk / matrix);
  parallel_for(pieces_of(s.outer, group), microseconds<T>(reduction, x, s.outer * matrix), [&](Index at) {
    const Index first = at * group, count = std::min(group, s.outer - first);
    const T* run = x.run(first * matrix, count * matrix);
    for (Index o = first; o < first + count; ++o, run += matrix) {
      kernels.columns(run, s.length, s.inner, s.inner, centre == nullptr ? centre : centre + o * s.inner,
                      out + o * s.inner);
    }
  });
}

double map_of(Reduce reduction, double x, double c) {
  if (reduction == Reduce::squares) return (x - c) * (x - c);
  if (reduction == Reduce::exps) return std::exp(x - c);
  return x;
}

double combine_of(Reduce reduction, double a, double b) {
  switch (reduction) {
    case Reduce::prod:
      return a * b;
    case Reduce::max:
      return b > a || b != b ? b : a;
    case Reduce::min:
      return b < a || b != b ? b : a;
    default:
      return a + b;
  }
}

template <typename T, typename Source>
void reduce_from(Reduce reduction, const Source& x, const ReduceSizes& sizes, const T* centre, T* out) {
  const Index results = sizes.outer * sizes.inner;
  if (results == 0) return;
  if (sizes.length == 0) {
    std::fill_n(out, results, static_cast<T>(identity_of<T>(reduction)));
    return;
  }
  const ReduceKernels<T> kernels = kernels_for<T>(reduction);
  if (sizes.inner == 1) {
    reduce_all_rows(kernels, reduction, x, sizes.outer, sizes.length, centre, out);
  } else {
    reduce_all_columns(kernels, reduction, x, sizes, centre, out);
  }
}

}  // namespace

template <typename T>
void reduce(Reduce reduction, const T* x, const ReduceSizes& sizes, const T* centre, T* out) {
  reduce_from(reduction, InMemory<T>{x}, sizes, centre, out);
}

bool reduces_in_runs(const ReduceSizes& sizes) {
  return sizes.inner == 1 || sizes.length * sizes.inner <= kChunk || !is_wide(sizes);
}

template <typename T>
void reduce_made(Reduce reduction, const MadeElements<T>& x, const ReduceSizes& sizes, T* out) {
  reduce_from<T>(reduction, Made<T>{x}, sizes, nullptr, out);
}

template <typename T>
void reduce_reference(Reduce reduction, const T* x, const ReduceSizes& sizes, const T* centre, T* out) {
  for (Index o = 0; o < sizes.outer; ++o) {
    for (Index i = 0; i < sizes.inner; ++i) {
      const Index at = o * sizes.inner + i;
      const double c = centre == nullptr ? 0.0 : static_cast<double>(centre[at]);
      double total = identity_of<T>(reduction);
      for (Index l = 0; l < sizes.length; ++l) {
        const auto value = static_cast<double>(x[(o * sizes.length + l) * sizes.inner + i]);
        total = combine_of(reduction, total, map_of(reduction, value, c));
      }
      out[at] = static_cast<T>(total);
    }
  }
}

template void reduce(Reduce, const float*, const ReduceSizes&, const float*, float*);
template void reduce(Reduce, const double*, const ReduceSizes&, const double*, double*);
template void reduce_made(Reduce, const MadeElements<float>&, const ReduceSizes&, float*);
template void reduce_made(Reduce, const MadeElements<double>&, const ReduceSizes&, double*);
template void reduce_reference(Reduce, const float*, const ReduceSizes&, const float*, float*);
template void reduce_reference(Reduce, const double*, const ReduceSizes&, const double*, double*);

}  // namespace splot::cpu
