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
  const T* fetch[2];  // twice k elements that are needed soon
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
  const T* fetch = tile.fetch[0];
  const T* fetch_too = tile.fetch[1];
  const T* next_b = tile.next_b;
  Index p = 0;
#pragma GCC unroll 1
  for (; p + kLanes <= tile.k; p += kLanes) {
    V of_b[kCols];
#pragma GCC unroll 8
    for (int j = 0; j < kCols; ++j) of_b[j] = hn::LoadU(d, b + j * ldb + p);
    // Into the second cache: what is on its way into the first would keep B waiting.
    __builtin_prefetch(fetch + p, 0, 2);
    __builtin_prefetch(fetch_too + p, 0, 2);
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
    if (kCols == kDotCols && !epilogue.any()) {
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
    c += tile.ldc;
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

// c is the chunk's first element.
template <typename T>
void dot_chunk(const Product<T>& p, const MatmulPlan& plan, const Matrix<T>& a, const Matrix<T>& b, T* c,
               Index ldc, const ChunkOfC& chunk) {
  const auto [row, rows, col, cols] = chunk;
  // While some rows of A go over the columns, the next ones are fetched, one or two by each tile: batches of
  // data come from far away, in rows too short for the processor to foresee. The first rows fetch the columns
  // for all of them.
  const Index each = cols >= kDotCols * plan.tile_rows ? 1 : 2;
  for (Index begin = 0; begin < p.k; begin += plan.k_block) {
    const Index k = std::min(plan.k_block, p.k - begin);
    const TileEpilogue<T> epilogue = tile_epilogue(p.epilogue, begin == 0, begin + k >= p.k);
    DotTile<T> tile = {.k = k,
                       .a = nullptr,
                       .lda = a.row_stride,
                       .b = nullptr,
                       .ldb = b.col_stride,
                       .c = nullptr,
                       .ldc = ldc,
                       .fetch = {},
                       .next_b = nullptr,
                       .epilogue = epilogue};
    for (Index i = row; i < row + rows; i += plan.tile_rows) {
      const Index tile_rows = std::min(plan.tile_rows, row + rows - i);
      tile.a = a.at(i, begin);
      for (Index j = col; j < col + cols; j += kDotCols) {
        const Index tile_cols = std::min<Index>(kDotCols, col + cols - j);
        const Index next = i + plan.tile_rows + (j - col) / kDotCols * each;
        for (Index f = 0; f < 2; ++f) {
          const bool any = f < each && next + f < std::min(i + 2 * plan.tile_rows, row + rows);
          tile.fetch[f] = any ? a.at(next + f, begin) : tile.a;
        }
        tile.b = b.at(begin, j);
        tile.next_b = i == row && j + 2 * kDotCols <= col + cols ? b.at(begin, j + kDotCols) : nullptr;
        tile.c = c + (i - row) * ldc + (j - col);
        if (epilogue.bias != nullptr) tile.epilogue.bias = epilogue.bias + j;
        kDotKernels<T>[tile_cols - 1][static_cast<std::size_t>(tile_rows - 1)](tile);
      }
    }
  }
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
