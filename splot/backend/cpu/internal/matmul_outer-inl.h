// Matrix kernels that broadcast elements of A against vectors along the rows of B.
// Included once per instruction set.
#if defined(SPLOT_MATMUL_OUTER_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_MATMUL_OUTER_INL_H
#undef SPLOT_MATMUL_OUTER_INL_H
#else
#define SPLOT_MATMUL_OUTER_INL_H
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <hwy/cache_control.h>

#include "splot/backend/cpu/fetch_ahead.h"
#include "splot/backend/cpu/internal/matmul_pack-inl.h"
#include "splot/backend/cpu/internal/matmul_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {

// Register tiles are kMaxRows(w) rows by w vectors: as many sums as leave registers for w vectors of B and
// one element of A. Two vectors by many rows is best in general, one serves narrow C, the wide ones serve C
// of few rows, where two vectors would give too few independent sums to keep the multipliers busy.
inline constexpr int kWidths[] = {1, 2, 4, 8};
constexpr int max_rows(int width) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
  return width <= 2 ? 14 : width == 4 ? 6 : 3;
#else
  return width <= 2 ? 6 : width == 4 ? 3 : 1;
#endif
}

// Rows of B are far apart, and no processor foresees the next one: narrow tiles, which come back to B least
// often, fetch it so many rows ahead.
inline constexpr Index kRowsAhead = 8;

template <typename T>
struct OuterTile {
  Index k;
  const T* a;
  Index a_row, a_col;  // strides of A
  const T* b;
  Index b_row;  // columns of B are contiguous
  T* c;
  Index ldc;
  Index cols;  // columns in the last vector
  TileEpilogue<T> epilogue;
};

template <typename T, int kRows, int kWidth>
HWY_NOINLINE void outer_tile(const OuterTile<T>& tile) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  const auto in_c = hn::FirstN(d, static_cast<std::size_t>(tile.cols));

  V sum[kRows][kWidth];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < kWidth; ++j) sum[i][j] = hn::Zero(d);
  }

  // Rows in threes, because x86 addresses p, p + stride and p + 2 * stride from one register.
  constexpr int kGroups = (kRows + 2) / 3;
  const T* a[kGroups];
#pragma GCC unroll 16
  for (int g = 0; g < kGroups; ++g) a[g] = tile.a + 3 * g * tile.a_row;
  const T* b = tile.b;
  const Index a_row = tile.a_row;
  const Index a_col = tile.a_col;
  const Index b_row = tile.b_row;

  const auto multiply = [&](auto is_full) HWY_ATTR {
#pragma GCC unroll 1
    for (Index p = tile.k; p > 0; --p) {
      V row_of_b[kWidth];
#pragma GCC unroll 8
      for (int j = 0; j + 1 < kWidth; ++j) row_of_b[j] = hn::LoadU(d, b + j * kLanes);
      const T* last = b + (kWidth - 1) * kLanes;
      row_of_b[kWidth - 1] = is_full ? hn::LoadU(d, last) : hn::MaskedLoad(in_c, d, last);
      if (kWidth <= 2) {
#pragma GCC unroll 8
        for (int j = 0; j < kWidth; ++j) hwy::Prefetch(b + kRowsAhead * b_row + j * kLanes);
      }
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const V element = hn::Set(d, a[i / 3][(i % 3) * a_row]);
#pragma GCC unroll 8
        for (int j = 0; j < kWidth; ++j) sum[i][j] = hn::MulAdd(element, row_of_b[j], sum[i][j]);
      }
#pragma GCC unroll 16
      for (int g = 0; g < kGroups; ++g) a[g] += a_col;
      b += b_row;
    }
  };
  // A masked load takes a turn of the multipliers.
  if (tile.cols == kLanes) {
    multiply(std::true_type());
  } else {
    multiply(std::false_type());
  }

  T* c = tile.c;
  const TileEpilogue<T> epilogue = tile.epilogue;
  if (epilogue.any()) {
#pragma GCC unroll 8
    for (int j = 0; j < kWidth; ++j) {
      const auto mask = j + 1 < kWidth ? hn::FirstN(d, hn::Lanes(d)) : in_c;
      const V bias =
          epilogue.bias != nullptr ? hn::MaskedLoad(mask, d, epilogue.bias + j * kLanes) : hn::Zero(d);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        V v = sum[i][j];
        if (epilogue.add) v = hn::Add(v, hn::MaskedLoad(mask, d, c + i * tile.ldc + j * kLanes));
        if (epilogue.bias != nullptr) v = hn::Add(v, bias);
        if (epilogue.relu) v = relu(d, v);
        sum[i][j] = v;
      }
    }
  }
  if (epilogue.descent != nullptr) {
    using Vector = splot::HWY_NAMESPACE::Simd<T>;
    with_step(*epilogue.descent, [&](const auto& step) HWY_ATTR {
      const T* w = epilogue.descent->w + epilogue.at;
      T* out = epilogue.descent->out + epilogue.at;
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j + 1 < kWidth; ++j) {
          const auto before = Vector::of(hn::LoadU(d, w + j * kLanes));
          hn::StoreU(step(before, Vector::of(sum[i][j])).raw, d, out + j * kLanes);
        }
        constexpr int kLast = kWidth - 1;
        const auto before = Vector::of(hn::MaskedLoad(in_c, d, w + kLast * kLanes));
        hn::BlendedStore(step(before, Vector::of(sum[i][kLast])).raw, in_c, d, out + kLast * kLanes);
        w += epilogue.row_size;
        out += epilogue.row_size;
      }
    });
    return;
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j + 1 < kWidth; ++j) hn::StoreU(sum[i][j], d, c + j * kLanes);
    if (tile.cols == kLanes) {
      hn::StoreU(sum[i][kWidth - 1], d, c + (kWidth - 1) * kLanes);
    } else {
      hn::BlendedStore(sum[i][kWidth - 1], in_c, d, c + (kWidth - 1) * kLanes);
    }
    c += tile.ldc;
  }
}

template <typename T>
using OuterKernel = void (*)(const OuterTile<T>&);

template <typename T, int kWidth, int... kIndex>
constexpr std::array<OuterKernel<T>, 14> outer_kernels(std::integer_sequence<int, kIndex...>) {
  return {&outer_tile<T, kIndex + 1, kWidth>...};
}

// Indexed by log2(width) and by rows - 1.
template <typename T>
inline constexpr std::array<OuterKernel<T>, 14> kOuterKernels[] = {
    outer_kernels<T, 1>(std::make_integer_sequence<int, max_rows(1)>()),
    outer_kernels<T, 2>(std::make_integer_sequence<int, max_rows(2)>()),
    outer_kernels<T, 4>(std::make_integer_sequence<int, max_rows(4)>()),
    outer_kernels<T, 8>(std::make_integer_sequence<int, max_rows(8)>()),
};

// All tiles of `rows` x `cols` with one block of k: A and B as strided or packed blocks.
template <typename T>
struct OuterBlock {
  Index rows, cols, k;
  const T* a;
  Index a_row, a_col;
  const T* b;
  Index b_row;    // distance of B's rows; within a panel, if packed
  Index b_panel;  // distance of panels tile_cols wide
  T* c;
  Index ldc;
  Index tile_rows, tile_cols;
  int width_log2;  // vectors in tile_cols
  TileEpilogue<T> epilogue;
};

// The tiles of some rows and of the columns from `col` on that `panel` holds of B. `tile` stands at the rows.
// Only what differs is written into it: a copy of all of it would wait for what the tile before has stored.
// fetch: what the next step will read is fetched on the way.
template <typename T>
void outer_panel(const OuterBlock<T>& block, Index row, Index rows, Index col, const T* panel,
                 OuterTile<T>& tile, bool fetch) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  Index left = std::min(block.tile_cols, block.cols - col);
  // A panel that is not full takes narrower tiles, so that at most one vector is partly used.
  int width_log2 = block.width_log2;
  tile.b = panel;
  for (;;) {
    const Index width = Index{1} << width_log2;
    if (left <= (width - 1) * kLanes) {
      --width_log2;
      continue;
    }
    const bool last = left <= width * kLanes;
    tile.cols = last ? left - (width - 1) * kLanes : kLanes;
    if (block.c != nullptr) tile.c = block.c + row * block.ldc + col;
    if (block.epilogue.bias != nullptr) tile.epilogue.bias = block.epilogue.bias + col;
    tile.epilogue.at = block.epilogue.at + row * block.epilogue.row_size + col;
    if (fetch) FetchAhead::fetch(block.k * rows * width / kMultipliesPerLine);
    kOuterKernels<T>[width_log2][static_cast<std::size_t>(rows - 1)](tile);
    if (last) return;
    tile.b += width * kLanes;
    col += width * kLanes;
    left -= width * kLanes;
  }
}

template <typename T>
void outer_block(const OuterBlock<T>& block) {
  OuterTile<T> tile = {.k = block.k,
                       .a = block.a,
                       .a_row = block.a_row,
                       .a_col = block.a_col,
                       .b = block.b,
                       .b_row = block.b_row,
                       .c = nullptr,
                       .ldc = block.ldc,
                       .cols = 0,
                       .epilogue = block.epilogue};
  const bool fetch = FetchAhead::wanted();
  for (Index row = 0; row < block.rows; row += block.tile_rows, tile.a += block.tile_rows * block.a_row) {
    const Index rows = std::min(block.tile_rows, block.rows - row);
    const T* panel = block.b;
    for (Index col = 0; col < block.cols; col += block.tile_cols, panel += block.b_panel) {
      outer_panel(block, row, rows, col, panel, tile, fetch);
    }
  }
}

// One chunk of C for one block of k. `packed` is the block's packed slab of B, or null where B is read as it
// is; the slab begins at column `slab`.
template <typename T>
void outer_chunk(const Product<T>& p, const MatmulPlan& plan, const Matrix<T>& a, const Matrix<T>& b,
                 const T* packed, Index slab, Index begin, T* c, const ChunkOfC& chunk) {
  const Index k = std::min(plan.k_block, p.k - begin);
  OuterBlock<T> block = {.rows = chunk.rows,
                         .cols = chunk.cols,
                         .k = k,
                         .a = a.at(chunk.row, begin),
                         .a_row = a.row_stride,
                         .a_col = a.col_stride,
                         .b = b.at(begin, chunk.col),
                         .b_row = b.row_stride,
                         .b_panel = plan.tile_cols,
                         .c = c == nullptr ? nullptr : c + chunk.row * p.ldc + chunk.col,
                         .ldc = p.ldc,
                         .tile_rows = plan.tile_rows,
                         .tile_cols = plan.tile_cols,
                         .width_log2 = plan.width_log2,
                         .epilogue = tile_epilogue(p, begin == 0, begin + k >= p.k)};
  if (block.epilogue.bias != nullptr) block.epilogue.bias += chunk.col;
  block.epilogue.at = chunk.row * p.n + chunk.col;
  if (plan.pack_a) {
    T* space = static_cast<T*>(
        pack_buffer(PackBuffer::a, packed_a_size(chunk.rows, k) * static_cast<Index>(sizeof(T))));
    const Matrix<T> compact = pack_a<T>({block.a, a.row_stride, a.col_stride}, chunk.rows, k, space);
    block.a = compact.data;
    block.a_row = compact.row_stride;
    block.a_col = compact.col_stride;
  }
  if (plan.pack_b == MatmulPlan::PackB::chunk) {
    T* space = static_cast<T*>(pack_buffer(
        PackBuffer::b, packed_b_size(chunk.cols, k, plan.tile_cols) * static_cast<Index>(sizeof(T))));
    pack_b<T>({block.b, b.row_stride, b.col_stride}, k, chunk.cols, plan.tile_cols, space);
    packed = space;
    slab = chunk.col;
  }
  if (packed != nullptr) {
    block.b = packed + (chunk.col - slab) * k;
    block.b_row = plan.tile_cols;
    block.b_panel = plan.tile_cols * k;
  }
  outer_block(block);
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
