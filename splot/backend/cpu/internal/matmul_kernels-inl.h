// Chooses how a product is computed, and computes it. Included once per instruction set.
#if defined(SPLOT_MATMUL_KERNELS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_MATMUL_KERNELS_INL_H
#undef SPLOT_MATMUL_KERNELS_INL_H
#else
#define SPLOT_MATMUL_KERNELS_INL_H
#endif

#include <algorithm>

#include "splot/backend/cpu/internal/matmul_dot-inl.h"
#include "splot/backend/cpu/internal/matmul_outer-inl.h"
#include "splot/backend/cpu/internal/matmul_short-inl.h"
#include "splot/backend/cpu/thread_pool.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {

inline Index round_up(Index a, Index unit) { return divide_up(a, unit) * unit; }

// The smallest size of equal parts that needs no more parts than parts of size `most`.
inline Index even_part(Index whole, Index most) {
  return whole <= most ? whole : divide_up(whole, divide_up(whole, most));
}

// One core makes about this many vector multiply-adds in a microsecond; an estimate good to a factor of two.
inline constexpr double kWorkPerMicrosecond = 6000.0;
// What one core fetches from the last cache.
inline constexpr double kBytesPerMicrosecond = 60'000.0;
// A chunk takes about this long: enough that handing it out costs nothing, short enough to share evenly.
inline constexpr double kChunkMicroseconds = 25.0;

// Rows this far apart, in bytes, fall into the same few sets of the cache.
inline bool collides(Index stride, std::size_t size) {
  return (stride * static_cast<Index>(size)) % 4096 == 0;
}

// Cuts rows x cols into chunks of whole tiles.
inline void cut(Index rows, Index cols, double microseconds, Index most_cols, MatmulPlan& plan) {
  if (microseconds < kMinParallelMicroseconds && plan.pack_b == MatmulPlan::PackB::no) {
    // One chunk. Small products are over before the divisions below would be.
    plan.chunk_rows = rows;
    plan.chunk_cols = cols;
    return;
  }
  plan.chunk_rows = round_up(rows, plan.tile_rows);
  plan.chunk_cols = round_up(std::min(cols, most_cols), plan.tile_cols);
  // What is worth a second thread at all is worth two chunks.
  const double least = microseconds < kMinParallelMicroseconds ? 0.0 : 2.0;
  const auto wanted = static_cast<Index>(std::clamp(microseconds / kChunkMicroseconds, least, 64.0));
  while (divide_up(rows, plan.chunk_rows) * divide_up(cols, plan.chunk_cols) < wanted) {
    const bool whole_height = plan.pack_b == MatmulPlan::PackB::chunk;
    const Index tall = whole_height ? 1 : divide_up(plan.chunk_rows, plan.tile_rows);
    const Index wide = plan.pack_a ? 1 : divide_up(plan.chunk_cols, plan.tile_cols);
    if (tall <= 1 && wide <= 1) break;
    if (tall >= wide) {
      plan.chunk_rows = divide_up(tall, 2) * plan.tile_rows;
    } else {
      plan.chunk_cols = divide_up(wide, 2) * plan.tile_cols;
    }
  }
}

template <typename T>
MatmulPlan plan_product(const Product<T>& p) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  MatmulPlan plan;
  // With few rows of A the time goes into fetching B.
  plan.microseconds =
      std::max(static_cast<double>(divide_up(p.n, kLanes) * p.m * (p.k + 2)) / kWorkPerMicrosecond,
               static_cast<double>(p.n * p.k) * sizeof(T) / kBytesPerMicrosecond);
  const bool along_k = p.a.col_stride == 1 && p.b.row_stride == 1;
  // Packing B costs the outer kernels about as much as 8 rows of C, summing vectors at the end costs the dot
  // kernels about as much as 6 vectors of k, and a partly filled last vector is lost work of the outer
  // kernels alone.
  if (along_k && p.k >= kLanes) {
    const double filled = static_cast<double>(p.n) / static_cast<double>(round_up(p.n, kLanes));
    const double outer = (1.0 + 8.0 / static_cast<double>(p.m)) / filled;
    const double dot = 1.0 + 6.0 * static_cast<double>(kLanes) / static_cast<double>(p.k);
    if (dot <= outer) {
      plan.kernel = MatmulPlan::Kernel::dot;
      plan.k_block = even_part(p.k, 2048);
      plan.slab_cols = p.n;
      plan.tile_rows = even_part(p.m, kDotRows);
      plan.tile_cols = kDotCols;
      cut(p.m, p.n, plan.microseconds, p.n, plan);
      return plan;
    }
  }
  const bool strided_b = p.b.col_stride != 1;
  if (has_short_sums(p) && p.m > max_rows(4)) {
    plan.kernel = MatmulPlan::Kernel::short_sums;
    plan.k_block = p.k;
    plan.slab_cols = p.n;
    plan.tile_rows = even_part(p.m, kShortRows);
    plan.tile_cols = 2 * kLanes;
    cut(p.m, p.n, plan.microseconds, p.n, plan);
    return plan;
  }
  // Tall tiles of two vectors, unless there are too few rows for them; where k is short, storing C is the
  // work, and wide tiles store more of a row at once.
  const bool short_k = p.k <= 32 && !strided_b && p.n >= 4 * kLanes;
  plan.width_log2 = p.m <= max_rows(8) ? 3 : p.m <= max_rows(4) || short_k ? 2 : p.n <= kLanes ? 0 : 1;
  plan.tile_cols = kLanes << plan.width_log2;
  plan.tile_rows = even_part(p.m, max_rows(1 << plan.width_log2));

  // B is read as it is where that costs no more than copying it: contiguous rows, used by few rows of A or at
  // distances the cache likes.
  const bool pack_b = strided_b || p.m > 256 || (p.m > 64 && collides(p.b.row_stride, sizeof(T)));
  plan.pack_b = !pack_b      ? MatmulPlan::PackB::no
                : p.m <= 256 ? MatmulPlan::PackB::chunk
                             : MatmulPlan::PackB::slab;
  if (pack_b) plan.microseconds *= 1.0 + 8.0 / static_cast<double>(p.m);
  const bool scattered_a = p.a.row_stride != 1 && p.a.col_stride != 1;
  const Index a_stride = p.a.col_stride == 1 ? p.a.row_stride : p.a.col_stride;
  plan.pack_a = p.n > 4 * plan.tile_cols && plan.pack_b != MatmulPlan::PackB::chunk &&
                (scattered_a || (p.m > 64 && p.k > 64 && collides(a_stride, sizeof(T))));

  // The block of B that a chunk goes over again and again is to stay in the second-level cache.
  constexpr Index kSize = static_cast<Index>(sizeof(T));
  plan.k_block = p.k == 0 ? 1 : even_part(p.k, (plan.pack_a ? 1024 : 2048) / kSize);
  Index most_cols = 1024 / kSize;
  if (plan.pack_a) most_cols = 2048 / kSize;
  if (plan.pack_b == MatmulPlan::PackB::chunk) most_cols = 512 / kSize;
  most_cols = round_up(most_cols, plan.tile_cols);
  // With packed rows of A a chunk is as wide as a slab, so that each row is packed once.
  plan.slab_cols = plan.pack_a ? most_cols : plan.pack_b == MatmulPlan::PackB::slab ? 2 * most_cols : p.n;
  plan.slab_cols = std::min(plan.slab_cols, p.n);
  const double share = plan.slab_cols == p.n && plan.k_block >= p.k
                           ? 1.0
                           : static_cast<double>(plan.slab_cols) * static_cast<double>(plan.k_block) /
                                 static_cast<double>(p.n * p.k);
  cut(p.m, plan.slab_cols, plan.microseconds * share, most_cols, plan);
  return plan;
}

// Calls body for every chunk of the columns [col, col + cols).
template <typename Body>
void for_each_chunk(Index m, Index col, Index cols, double microseconds, const MatmulPlan& plan,
                    const Body& body) {
  if (m <= plan.chunk_rows && cols <= plan.chunk_cols) return body(ChunkOfC{0, m, col, cols});
  const Index down = divide_up(m, plan.chunk_rows);
  const Index across = divide_up(cols, plan.chunk_cols);
  // A thread's share is columns of C, so that it packs or reads few columns of B; where B is packed for all,
  // it is rows: the C of many rows are gradients of weights, which are updated and read by rows.
  const bool by_rows = plan.pack_b == MatmulPlan::PackB::slab;
  const auto run = [&](Index number) {
    const Index row = (by_rows ? number / across : number % down) * plan.chunk_rows;
    const Index offset = (by_rows ? number % across : number / down) * plan.chunk_cols;
    body(ChunkOfC{row, std::min(plan.chunk_rows, m - row), col + offset,
                  std::min(plan.chunk_cols, cols - offset)});
  };
  parallel_for(down * across, microseconds, run);
}

template <typename T>
void pack_slab(const Matrix<T>& b, Index k, Index cols, const MatmulPlan& plan, T* to) {
  // About 10 us each.
  const Index panels = std::max<Index>(1, 32768 / (k * plan.tile_cols));
  const Index part = panels * plan.tile_cols;
  parallel_for(divide_up(cols, part), static_cast<double>(k * cols) / 3000.0, [&](Index number) {
    const Index col = number * part;
    pack_b<T>({b.at(0, col), b.row_stride, b.col_stride}, k, std::min(part, cols - col), plan.tile_cols,
              to + col * k);
  });
}

template <typename T>
void run_product(const Product<T>& p, const MatmulPlan& plan, Index batch) {
  const Matrix<T> a = {p.a.data + batch * p.a_batch_stride, p.a.row_stride, p.a.col_stride};
  const Matrix<T> b = {p.b.data + batch * p.b_batch_stride, p.b.row_stride, p.b.col_stride};
  T* c = p.c + batch * p.c_batch_stride;
  if (plan.kernel == MatmulPlan::Kernel::dot) {
    for_each_chunk(p.m, 0, p.n, plan.microseconds, plan,
                   [&](const ChunkOfC& chunk) { dot_chunk(p, plan, a, b, c, chunk); });
    return;
  }
  if constexpr (kMostTerms<T> >= kLeastTerms) {
    if (plan.kernel == MatmulPlan::Kernel::short_sums) {
      for_each_chunk(p.m, 0, p.n, plan.microseconds, plan,
                     [&](const ChunkOfC& chunk) { short_chunk(p, plan, a, b, c, chunk); });
      return;
    }
  }
  Index begin = 0;
  do {
    const Index k = std::min(plan.k_block, p.k - begin);
    for (Index slab = 0; slab < p.n; slab += plan.slab_cols) {
      const Index cols = std::min(plan.slab_cols, p.n - slab);
      const T* packed = nullptr;
      if (plan.pack_b == MatmulPlan::PackB::slab) {
        T* space = static_cast<T*>(pack_buffer(
            PackBuffer::b, packed_b_size(cols, k, plan.tile_cols) * static_cast<Index>(sizeof(T))));
        if (k > 0) pack_slab<T>({b.at(begin, slab), b.row_stride, b.col_stride}, k, cols, plan, space);
        packed = space;
      }
      const double share = cols == p.n && k == p.k ? 1.0
                                                   : static_cast<double>(cols) * static_cast<double>(k) /
                                                         static_cast<double>(p.n * p.k);
      for_each_chunk(p.m, slab, cols, plan.microseconds * share, plan, [&](const ChunkOfC& chunk) {
        outer_chunk(p, plan, a, b, packed, slab, begin, c, chunk);
      });
    }
    begin += plan.k_block;
  } while (begin < p.k);
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
