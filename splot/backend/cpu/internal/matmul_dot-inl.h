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

// The sums of the lanes of four vectors. Four at once take half the shuffles of four on their own.
template <class D, class V>
HWY_INLINE auto sums_of_four(D d, const V* sums) {
  const hn::Repartition<double, D> pairs;
  const auto s01 =
      hn::Add(hn::InterleaveLower(d, sums[0], sums[1]), hn::InterleaveUpper(d, sums[0], sums[1]));
  const auto s23 =
      hn::Add(hn::InterleaveLower(d, sums[2], sums[3]), hn::InterleaveUpper(d, sums[2], sums[3]));
  const auto p01 = hn::BitCast(pairs, s01);
  const auto p23 = hn::BitCast(pairs, s23);
  const auto all = hn::Add(hn::BitCast(d, hn::InterleaveLower(pairs, p01, p23)),
                           hn::BitCast(d, hn::InterleaveUpper(pairs, p01, p23)));
  return add_blocks(d, all);
}

// to[j] = sum of the lanes of sums[j].
template <class D, class V>
HWY_INLINE void sum_four(D d, const V* sums, float* to) {
  hn::StoreU(sums_of_four(d, sums), hn::Full128<float>(), to);
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

// The last step of the sums y of row i of a tile, whose place is c.
template <typename T, int kCols>
HWY_INLINE void finish_dots(const TileEpilogue<T>& epilogue, Index i, const T* y, T* c) {
  if (epilogue.descent != nullptr) {
    descend_row<T, kCols>(epilogue, i, c, y);
  } else if constexpr (kCols == 3) {
    for (int j = 0; j < kCols; ++j) {
      T v = y[j];
      if (epilogue.add) v += c[j];
      if (epilogue.bias != nullptr) v += epilogue.bias[j];
      c[j] = epilogue.relu && v <= T(0) ? T(0) : v;
    }
  } else {
    const hn::CappedTag<T, kCols> d;
#pragma GCC unroll 4
    for (int j = 0; j < kCols; j += static_cast<int>(hn::MaxLanes(d))) {
      auto v = hn::LoadU(d, y + j);
      if (epilogue.add) v = hn::Add(v, hn::LoadU(d, c + j));
      if (epilogue.bias != nullptr) v = hn::Add(v, hn::LoadU(d, epilogue.bias + j));
      if (epilogue.relu) v = relu(d, v);
      hn::StoreU(v, d, c + j);
    }
  }
}

// c[j] = sum of the lanes of sums[j], with the bias and relu of an epilogue that has nothing else.
template <class D, class V, typename T>
HWY_INLINE void store_four(D d, const V* sums, const TileEpilogue<T>& epilogue, T* c) {
  sum_four(d, sums, c);
  if (epilogue.any()) finish_dots<T, kDotCols>(epilogue, 0, c, c);
}

#if HWY_TARGET != HWY_SCALAR
template <class D, class V>
HWY_INLINE void store_four(D d, const V* sums, const TileEpilogue<float>& epilogue, float* c) {
  const hn::Full128<float> four;
  auto v = sums_of_four(d, sums);
  if (epilogue.bias != nullptr) v = hn::Add(v, hn::LoadU(four, epilogue.bias));
  if (epilogue.relu) v = relu(four, v);
  hn::StoreU(v, four, c);
}
#endif

// v, in a register: a compiler may load again what is used two or three times, and loads are as scarce here
// as multiplications.
template <class V>
HWY_INLINE V loaded_once(V v) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  asm("" : "+v"(v.raw));
#endif
  return v;
}

template <typename T, int kRows, int kCols>
HWY_NOINLINE void dot_tile(const DotTile<T>& tile) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));

  V sum[kRows][kCols];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kCols; ++j) sum[i][j] = hn::Zero(d);
  }

  // Rows in threes, because x86 addresses p, p + stride and p + 2 * stride from one register.
  constexpr int kGroups = (kRows + 2) / 3;
  const T* a[kGroups];
#pragma GCC unroll 4
  for (int g = 0; g < kGroups; ++g) a[g] = tile.a + 3 * g * tile.lda;
  const T* b = tile.b;
  const Index lda = tile.lda;
  const Index ldb = tile.ldb;
  const auto multiply = [&](const auto& load) HWY_ATTR {
    V of_b[kCols];
#pragma GCC unroll 4
    for (int j = 0; j < kCols; ++j) of_b[j] = load(b + j * ldb);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const V of_a = loaded_once(load(a[i / 3] + (i % 3) * lda));
#pragma GCC unroll 4
      for (int j = 0; j < kCols; ++j) sum[i][j] = hn::MulAdd(of_a, of_b[j], sum[i][j]);
    }
#pragma GCC unroll 4
    for (int g = 0; g < kGroups; ++g) a[g] += kLanes;
    b += kLanes;
  };
  const T* fetch = tile.fetch;
  Index vectors = tile.k / kLanes;
  const Index segment = tile.fetch_every > 0 ? tile.fetch_every : vectors;
  // A single branch for a turn of the inner loop.
  while (vectors > 0) {
    const Index now = std::min(segment, vectors);
#pragma GCC unroll 1
    for (Index v = now; v > 0; --v) multiply([&](const T* from) HWY_ATTR { return hn::LoadU(d, from); });
    vectors -= now;
    if (tile.fetch_every > 0) {
      // Into the second cache: what is on its way into the first would keep B waiting. Where fewer rows are
      // left than these, what lies behind them is fetched, which does no harm.
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) __builtin_prefetch(fetch + i * lda, 0, 2);
      fetch += kLanes;
    }
  }
  if (const Index left = tile.k % kLanes; left > 0) {
    const auto rest = hn::FirstN(d, static_cast<std::size_t>(left));
    multiply([&](const T* from) HWY_ATTR { return hn::MaskedLoad(rest, d, from); });
  }

  const TileEpilogue<T> epilogue = tile.epilogue;
  T* c = tile.c;
  if (kCols == kDotCols && !epilogue.add && epilogue.descent == nullptr) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) store_four(d, sum[i], epilogue, c + i * tile.ldc);
    return;
  }
  // Rows whose sums are formed together.
  constexpr int kTogether = kCols <= 2 ? 2 : 1;
#pragma GCC unroll 16
  for (int i = 0; i < kRows; i += kTogether) {
    V sums[kDotCols];
#pragma GCC unroll 4
    for (int s = 0; s < kDotCols; ++s) {
      const int row = i + s * kTogether / kDotCols;
      const int col = s % (kDotCols / kTogether);
      sums[s] = row < kRows && col < kCols ? sum[row][col] : hn::Zero(d);
    }
    HWY_ALIGN T y[kDotCols];
    sum_four(d, sums, y);
    const int rows = std::min(kTogether, kRows - i);
#pragma GCC unroll 2
    for (int r = 0; r < rows; ++r) {
      finish_dots<T, kCols>(epilogue, i + r, y + r * (kDotCols / kTogether), c);
      if (c != nullptr) c += tile.ldc;
    }
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
  // where they are known.
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
                       .epilogue = epilogue};
    const Index vectors = k / kLanes;
    const Index share = std::max<Index>(1, divide_up(vectors, tiles));
    const Index fetch_every = vectors / share;
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
        tile.fetch_every = any ? fetch_every : 0;
        if (any) tile.fetch = next_rows + fetched * kLanes;
        tile.b = b.at(begin, j);
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
