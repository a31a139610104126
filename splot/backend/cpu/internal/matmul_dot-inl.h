// Matrix kernels for operands that are both contiguous along k: vectors of products run along k and are
// summed at the end. Nothing is packed. Included once per instruction set.
#if defined(SPLOT_MATMUL_DOT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_MATMUL_DOT_INL_H
#undef SPLOT_MATMUL_DOT_INL_H
#else
#define SPLOT_MATMUL_DOT_INL_H
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <hwy/cache_control.h>

#include "splot/backend/cpu/fetch_ahead.h"
#include "splot/backend/cpu/internal/matmul_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {

// Four columns, because the sums of four vectors are formed together and fill one 128-bit store of floats.
inline constexpr int kDotCols = 4;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
inline constexpr int kDotRows = 6;
#else
inline constexpr int kDotRows = 3;
#endif

template <typename T>
struct DotTile {
  Index k;
  const T* a;
  Index lda;
  const T* b;
  Index ldb;
  T* c;
  Index ldc;
  const T* fetch;     // where the next rows of A begin that are still to be fetched
  Index fetch_every;  // so many vectors of k fetch one of each of those rows; 0: there are none
  const T* next_b;    // the columns of B that come next, which are far away still; null: they are not
  TileEpilogue<T> epilogue;
};

#if HWY_TARGET == HWY_SCALAR

template <class D, class V>
HWY_INLINE void sum_four(D, const V* sums, hn::TFromD<D>* to) {
  for (int j = 0; j < 4; ++j) to[j] = hn::GetLane(sums[j]);
}

#else

// Adds up the 128-bit blocks of a vector.
template <class D, class V>
HWY_INLINE auto add_blocks(D d, V v) {
  if constexpr (hn::MaxLanes(D()) * sizeof(hn::TFromD<D>) <= 16) {
    return v;
  } else {
    const hn::Half<D> half;
    return add_blocks(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}

// to[j] = sum of the lanes of sums[j]. Four at once take half the shuffles of four on their own.
template <class D, class V>
HWY_INLINE void sum_four(D d, const V* sums, float* to) {
  const hn::Repartition<double, D> pairs;
  const auto s01 =
      hn::Add(hn::InterleaveLower(d, sums[0], sums[1]), hn::InterleaveUpper(d, sums[0], sums[1]));
  const auto s23 =
      hn::Add(hn::InterleaveLower(d, sums[2], sums[3]), hn::InterleaveUpper(d, sums[2], sums[3]));
  const auto p01 = hn::BitCast(pairs, s01);
  const auto p23 = hn::BitCast(pairs, s23);
  const auto all = hn::Add(hn::BitCast(d, hn::InterleaveLower(pairs, p01, p23)),
                           hn::BitCast(d, hn::InterleaveUpper(pairs, p01, p23)));
  hn::StoreU(add_blocks(d, all), hn::Full128<float>(), to);
}

template <class D, class V>
HWY_INLINE void sum_four(D d, const V* sums, double* to) {
  const hn::Full128<double> two;
  const auto s01 =
      hn::Add(hn::InterleaveLower(d, sums[0], sums[1]), hn::InterleaveUpper(d, sums[0], sums[1]));
  const auto s23 =
      hn::Add(hn::InterleaveLower(d, sums[2], sums[3]), hn::InterleaveUpper(d, sums[2], sums[3]));
  hn::StoreU(add_blocks(d, s01), two, to);
  hn::StoreU(add_blocks(d, s23), two, to + 2);
}

#endif

// The step of descent of row i of a tile. c: what was collected for the row before, if anything was.
template <typename T, int kCols>
HWY_NOINLINE void descend_row(const TileEpilogue<T>& epilogue, Index i, const T* c, const T* y) {
  using Vector = splot::HWY_NAMESPACE::Simd<T>;
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int>(hn::Lanes(d));
  const Index at = epilogue.at + i * epilogue.row_size;
  with_step(*epilogue.descent, [&](const auto& step) HWY_ATTR {
    for (int j = 0; j < kCols; j += lanes) {
      const auto in_row = hn::FirstN(d, static_cast<std::size_t>(std::min(lanes, kCols - j)));
      auto g = hn::MaskedLoad(in_row, d, y + j);
      if (epilogue.add) g = hn::Add(g, hn::MaskedLoad(in_row, d, c + j));
      const auto w = hn::MaskedLoad(in_row, d, epilogue.descent->w + at + j);
      hn::BlendedStore(step(Vector::of(w), Vector::of(g)).raw, in_row, d, epilogue.descent->out + at + j);
    }
  });
}

template <typename T, int kRows, int kCols>
HWY_NOINLINE void dot_tile(const DotTile<T>& tile) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));

  V sum[kRows][kDotCols];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < kDotCols; ++j) sum[i][j] = hn::Zero(d);
  }

  const T* a = tile.a;
  const T* b = tile.b;
  const Index lda = tile.lda;
  const Index ldb = tile.ldb;
  const T* fetch = tile.fetch;
  Index until_fetch = tile.fetch_every;
  const T* next_b = tile.next_b;
  Index p = 0;
#pragma GCC unroll 1
  for (; p + kLanes <= tile.k; p += kLanes) {
    V of_b[kCols];
#pragma GCC unroll 8
    for (int j = 0; j < kCols; ++j) of_b[j] = hn::LoadU(d, b + j * ldb + p);
    if (--until_fetch == 0) {
      // Into the second cache: what is on its way into the first would keep B waiting. Where fewer rows are
      // left than these, what lies behind them is fetched, which does no harm.
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) __builtin_prefetch(fetch + i * lda, 0, 2);
      fetch += kLanes;
      until_fetch = tile.fetch_every;
    }
    if (next_b != nullptr) {
#pragma GCC unroll 4
      for (int j = 0; j < kDotCols; ++j) hwy::Prefetch(next_b + j * ldb + p);
    }
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const V of_a = hn::LoadU(d, a + i * lda + p);
#pragma GCC unroll 8
      for (int j = 0; j < kCols; ++j) sum[i][j] = hn::MulAdd(of_a, of_b[j], sum[i][j]);
    }
  }
  if (p < tile.k) {
    const auto rest = hn::FirstN(d, static_cast<std::size_t>(tile.k - p));
    V of_b[kCols];
#pragma GCC unroll 8
    for (int j = 0; j < kCols; ++j) of_b[j] = hn::MaskedLoad(rest, d, b + j * ldb + p);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const V of_a = hn::MaskedLoad(rest, d, a + i * lda + p);
#pragma GCC unroll 8
      for (int j = 0; j < kCols; ++j) sum[i][j] = hn::MulAdd(of_a, of_b[j], sum[i][j]);
    }
  }

  const TileEpilogue<T> epilogue = tile.epilogue;
  T* c = tile.c;
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    HWY_ALIGN T y[kDotCols];
    if (epilogue.descent != nullptr) {
      sum_four(d, sum[i], y);
      descend_row<T, kCols>(epilogue, i, c, y);
    } else if (kCols == kDotCols && !epilogue.any()) {
      sum_four(d, sum[i], c);
    } else if (kCols == kDotCols) {
      const hn::CappedTag<T, kDotCols> four;
      sum_four(d, sum[i], y);
#pragma GCC unroll 4
      for (int j = 0; j < kDotCols; j += static_cast<int>(hn::MaxLanes(four))) {
        auto v = hn::Load(four, y + j);
        if (epilogue.add) v = hn::Add(v, hn::LoadU(four, c + j));
        if (epilogue.bias != nullptr) v = hn::Add(v, hn::LoadU(four, epilogue.bias + j));
        if (epilogue.relu) v = relu(four, v);
        hn::StoreU(v, four, c + j);
      }
    } else {
      sum_four(d, sum[i], y);
      for (int j = 0; j < kCols; ++j) {
        T v = y[j];
        if (epilogue.add) v += c[j];
        if (epilogue.bias != nullptr) v += epilogue.bias[j];
        c[j] = epilogue.relu && v <= T(0) ? T(0) : v;
      }
    }
    if (c != nullptr) c += tile.ldc;
  }
}

template <typename T>
using DotKernel = void (*)(const DotTile<T>&);

// Indexed by columns - 1, then rows - 1.
template <typename T, int kCols, int... kIndex>
constexpr std::array<DotKernel<T>, kDotRows> dot_kernels(std::integer_sequence<int, kIndex...>) {
  return {&dot_tile<T, kIndex + 1, kCols>...};
}

template <typename T>
inline constexpr std::array<DotKernel<T>, kDotRows> kDotKernels[] = {
    dot_kernels<T, 1>(std::make_integer_sequence<int, kDotRows>()),
    dot_kernels<T, 2>(std::make_integer_sequence<int, kDotRows>()),
    dot_kernels<T, 3>(std::make_integer_sequence<int, kDotRows>()),
    dot_kernels<T, 4>(std::make_integer_sequence<int, kDotRows>()),
};

template <typename T>
void dot_chunk(const Product<T>& p, const MatmulPlan& plan, const Matrix<T>& a, const Matrix<T>& b, T* c,
               const ChunkOfC& chunk) {
  const auto [row, rows, col, cols] = chunk;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  // While some rows of A go over the columns, the next ones are fetched, all of them together, each tile its
  // share of k: batches of data come from far away, in rows too short for the processor to foresee, and six
  // rows at once come a quarter faster than one or two. The last rows fetch the first ones of the next step,
  // where they are known. The first rows fetch the columns for all of them.
  const Index tiles = divide_up(cols, kDotCols);
  for (Index begin = 0; begin < p.k; begin += plan.k_block) {
    const Index k = std::min(plan.k_block, p.k - begin);
    const TileEpilogue<T> epilogue = tile_epilogue(p, begin == 0, begin + k >= p.k);
    DotTile<T> tile = {.k = k,
                       .a = nullptr,
                       .lda = a.row_stride,
                       .b = nullptr,
                       .ldb = b.col_stride,
                       .c = nullptr,
                       .ldc = p.ldc,
                       .fetch = nullptr,
                       .fetch_every = 0,
                       .next_b = nullptr,
                       .epilogue = epilogue};
    const Index vectors = k / kLanes;
    const Index share = divide_up(vectors, tiles);
    for (Index i = row; i < row + rows; i += plan.tile_rows) {
      const Index tile_rows = std::min(plan.tile_rows, row + rows - i);
      tile.a = a.at(i, begin);
      const T* next_rows = i + plan.tile_rows < row + rows
                               ? a.at(i + plan.tile_rows, begin)
                               : FetchAhead::place_of(a.at(0, begin), tile_rows * a.row_stride);
      for (Index j = col; j < col + cols; j += kDotCols) {
        const Index tile_cols = std::min<Index>(kDotCols, col + cols - j);
        const Index fetched = (j - col) / kDotCols * share;
        const bool any = next_rows != nullptr && fetched < vectors;
        tile.fetch_every = any ? vectors / share : 0;
        if (any) tile.fetch = next_rows + fetched * kLanes;
        tile.b = b.at(begin, j);
        tile.next_b = i == row && j + 2 * kDotCols <= col + cols ? b.at(begin, j + kDotCols) : nullptr;
        if (c != nullptr) tile.c = c + i * p.ldc + j;
        tile.epilogue.at = i * p.n + j;
        if (epilogue.bias != nullptr) tile.epilogue.bias = epilogue.bias + j;
        kDotKernels<T>[tile_cols - 1][static_cast<std::size_t>(tile_rows - 1)](tile);
      }
    }
  }
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
