// Compact copies of blocks of A and B for the outer-product kernels.
// Included once per instruction set.
#if defined(SPLOT_MATMUL_PACK_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_MATMUL_PACK_INL_H
#undef SPLOT_MATMUL_PACK_INL_H
#else
#define SPLOT_MATMUL_PACK_INL_H
#endif

#include <algorithm>
#include <cstddef>
#include <cstring>

#include <hwy/highway.h>

#include "splot/backend/cpu/matmul.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A keeps its orientation: the kernels broadcast single elements, which need not be next to each other, only
// in few cache lines and pages. The padding keeps the rows of a block out of the same cache sets.
inline constexpr Index kPadding = 16;

inline Index packed_a_size(Index rows, Index k) {
  return std::max(rows * (k + kPadding), k * (rows + kPadding));
}

// Whole panels of tile_cols columns. What the last one has beyond `cols` is never looked at.
inline Index packed_b_size(Index cols, Index k, Index tile_cols) {
  return (cols + tile_cols - 1) / tile_cols * tile_cols * k;
}

template <typename T>
Matrix<T> pack_a(const Matrix<T>& a, Index rows, Index k, T* to) {
  if (a.row_stride == 1) {
    const Index stride = rows + kPadding;
    for (Index p = 0; p < k; ++p)
      std::memcpy(to + p * stride, a.at(0, p), static_cast<std::size_t>(rows) * sizeof(T));
    return {to, 1, stride};
  }
  const Index stride = k + kPadding;
  for (Index i = 0; i < rows; ++i) {
    T* row = to + i * stride;
    if (a.col_stride == 1) {
      std::memcpy(row, a.at(i, 0), static_cast<std::size_t>(k) * sizeof(T));
    } else {
      for (Index p = 0; p < k; ++p) row[p] = *a.at(i, p);
    }
  }
  return {to, stride, 1};
}

#if HWY_TARGET != HWY_SCALAR

// One vector of 128-bit blocks; block number i is read from column(first + i * step).
template <class D, class Column>
HWY_INLINE hn::Vec<D> load_blocks(D d, const Column& column, Index first, Index step) {
  constexpr Index kBlocks = static_cast<Index>(hn::MaxLanes(D()) * sizeof(hn::TFromD<D>) / 16);
  if constexpr (kBlocks <= 1) {
    return hn::LoadU(d, column(first));
  } else {
    const hn::Half<D> half;
    return hn::Combine(d, load_blocks(half, column, first + kBlocks / 2 * step, step),
                       load_blocks(half, column, first, step));
  }
}

// to[p][j] = column(j)[p] for as many p as a 128-bit block holds, and as many j as a vector does.
template <class D, class Column>
HWY_INLINE void transpose_strip(D d, const Column& column, float* to, Index to_stride) {
  const hn::Repartition<double, D> pairs;
  const auto r0 = load_blocks(d, column, 0, 4);
  const auto r1 = load_blocks(d, column, 1, 4);
  const auto r2 = load_blocks(d, column, 2, 4);
  const auto r3 = load_blocks(d, column, 3, 4);
  const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, r0, r1));
  const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, r0, r1));
  const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, r2, r3));
  const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, r2, r3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, to + to_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, to + 2 * to_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, to + 3 * to_stride);
}

template <class D, class Column>
HWY_INLINE void transpose_strip(D d, const Column& column, double* to, Index to_stride) {
  const auto r0 = load_blocks(d, column, 0, 2);
  const auto r1 = load_blocks(d, column, 1, 2);
  hn::StoreU(hn::InterleaveLower(d, r0, r1), d, to);
  hn::StoreU(hn::InterleaveUpper(d, r0, r1), d, to + to_stride);
}

// to[p][j] = from[j][p] for all j < kLanes and p < k. Columns from `cols` on are the last one again.
template <typename T>
void transpose_columns(const T* from, Index from_stride, Index k, Index cols, Index tile_cols, T* to) {
  const hn::ScalableTag<T> d;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  constexpr Index kStrip = 16 / static_cast<Index>(sizeof(T));
  Index offsets[kLanes];
  for (Index j = 0; j < kLanes; ++j) offsets[j] = std::min(j, cols - 1) * from_stride;
  if (k < kStrip) {
    for (Index p = 0; p < k; ++p) {
      for (Index j = 0; j < kLanes; ++j) to[p * tile_cols + j] = from[offsets[j] + p];
    }
    return;
  }
  for (Index strip = 0; strip < k; strip += kStrip) {
    // The last strip begins in the one before, whose end it writes again.
    const Index p = std::min(strip, k - kStrip);
    if (cols >= kLanes) {
      transpose_strip(
          d, [&](Index j) HWY_ATTR { return from + p + j * from_stride; }, to + p * tile_cols, tile_cols);
    } else {
      transpose_strip(
          d, [&](Index j) HWY_ATTR { return from + p + offsets[j]; }, to + p * tile_cols, tile_cols);
    }
  }
}

#endif

// to[p][j] = from[j][p], j < cols, p < k; rows of `to` are tile_cols apart.
template <typename T>
void pack_transposed(const T* from, Index from_stride, Index k, Index cols, Index tile_cols, T* to) {
#if HWY_TARGET != HWY_SCALAR
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  for (Index col = 0; col < cols; col += kLanes) {
    transpose_columns(from + col * from_stride, from_stride, k, cols - col, tile_cols, to + col);
  }
#else
  for (Index p = 0; p < k; ++p) {
    for (Index j = 0; j < cols; ++j) to[p * tile_cols + j] = from[j * from_stride + p];
  }
#endif
}

// to[p][j] = from[p][j] for whole rows, one after another, because memory is fastest read in order.
template <typename T>
void pack_rows(const T* from, Index from_stride, Index k, Index cols, Index tile_cols, T* to) {
  const hn::ScalableTag<T> d;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  const Index whole = cols / tile_cols * tile_cols;
  for (Index p = 0; p < k; ++p) {
    const T* row = from + p * from_stride;
    T* panel = to + p * tile_cols;
    for (Index col = 0; col < whole; col += tile_cols, panel += k * tile_cols) {
      for (Index j = 0; j < tile_cols; j += kLanes) hn::StoreU(hn::LoadU(d, row + col + j), d, panel + j);
    }
    for (Index j = whole; j < cols; ++j) panel[j - whole] = row[j];
  }
}

// Panels of tile_cols columns, each k x tile_cols and row-major.
template <typename T>
void pack_b(const Matrix<T>& b, Index k, Index cols, Index tile_cols, T* to) {
  if (b.col_stride == 1) {
    pack_rows(b.data, b.row_stride, k, cols, tile_cols, to);
  } else {
    for (Index col = 0; col < cols; col += tile_cols) {
      const Index width = std::min(tile_cols, cols - col);
      T* panel = to + col * k;
      if (b.row_stride == 1) {
        pack_transposed(b.at(0, col), b.col_stride, k, width, tile_cols, panel);
      } else {
        for (Index p = 0; p < k; ++p) {
          for (Index j = 0; j < width; ++j) panel[p * tile_cols + j] = *b.at(p, col + j);
        }
      }
    }
  }
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
