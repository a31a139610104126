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

// Whole panels of tile_cols columns, the last one padded with zeros.
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

// One vector of 128-bit blocks; block number i is read from from + i * step.
template <class D>
HWY_INLINE hn::Vec<D> load_blocks(D d, const hn::TFromD<D>* from, Index step) {
  constexpr Index kBlocks = static_cast<Index>(hn::MaxLanes(D()) * sizeof(hn::TFromD<D>) / 16);
  if constexpr (kBlocks <= 1) {
    return hn::LoadU(d, from);
  } else {
    const hn::Half<D> half;
    return hn::Combine(d, load_blocks(half, from + kBlocks / 2 * step, step), load_blocks(half, from, step));
  }
}

// to[p][j] = from[j][p] for as many p as a 128-bit block holds, and as many j as a vector does.
template <class D>
HWY_INLINE void transpose_strip(D d, const float* from, Index from_stride, float* to, Index to_stride) {
  const hn::Repartition<double, D> pairs;
  const auto r0 = load_blocks(d, from, 4 * from_stride);
  const auto r1 = load_blocks(d, from + from_stride, 4 * from_stride);
  const auto r2 = load_blocks(d, from + 2 * from_stride, 4 * from_stride);
  const auto r3 = load_blocks(d, from + 3 * from_stride, 4 * from_stride);
  const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, r0, r1));
  const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, r0, r1));
  const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, r2, r3));
  const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, r2, r3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, to + to_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, to + 2 * to_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, to + 3 * to_stride);
}

template <class D>
HWY_INLINE void transpose_strip(D d, const double* from, Index from_stride, double* to, Index to_stride) {
  const auto r0 = load_blocks(d, from, 2 * from_stride);
  const auto r1 = load_blocks(d, from + from_stride, 2 * from_stride);
  hn::StoreU(hn::InterleaveLower(d, r0, r1), d, to);
  hn::StoreU(hn::InterleaveUpper(d, r0, r1), d, to + to_stride);
}

#endif

// to[p][j] = from[j][p], j < cols, p < k; rows of `to` are tile_cols apart.
template <typename T>
void pack_transposed(const T* from, Index from_stride, Index k, Index cols, Index tile_cols, T* to) {
  Index done_cols = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<T> d;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  constexpr Index kStrip = 16 / static_cast<Index>(sizeof(T));
  for (; done_cols + kLanes <= cols; done_cols += kLanes) {
    const T* source = from + done_cols * from_stride;
    Index p = 0;
    for (; p + kStrip <= k; p += kStrip) {
      transpose_strip(d, source + p, from_stride, to + p * tile_cols + done_cols, tile_cols);
    }
    for (; p < k; ++p) {
      for (Index j = 0; j < kLanes; ++j) to[p * tile_cols + done_cols + j] = source[j * from_stride + p];
    }
  }
#endif
  for (; done_cols < cols; ++done_cols) {
    const T* source = from + done_cols * from_stride;
    for (Index p = 0; p < k; ++p) to[p * tile_cols + done_cols] = source[p];
  }
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

// Panels of tile_cols columns, each k x tile_cols and row-major, the last one filled up with zeros.
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
  if (const Index width = cols % tile_cols; width != 0) {
    T* panel = to + (cols - width) * k;
    for (Index p = 0; p < k; ++p) std::fill(panel + p * tile_cols + width, panel + (p + 1) * tile_cols, T(0));
  }
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
