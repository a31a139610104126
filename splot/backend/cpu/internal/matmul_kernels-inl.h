// Chooses how a product is computed and runs one chunk of it. Included once per instruction set.
#if defined(SPLOT_MATMUL_KERNELS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_MATMUL_KERNELS_INL_H
#undef SPLOT_MATMUL_KERNELS_INL_H
#else
#define SPLOT_MATMUL_KERNELS_INL_H
#endif

#include <algorithm>

#include "splot/backend/cpu/internal/matmul_dot-inl.h"
#include "splot/backend/cpu/internal/matmul_outer-inl.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {

inline Index divide_up(Index a, Index b) { return (a + b - 1) / b; }

// The smallest size of equal parts that needs no more parts than parts of size `most`.
inline Index even_part(Index whole, Index most) { return divide_up(whole, divide_up(whole, most)); }

template <typename T>
struct Shape {
  Index m, n, k;
  bool a_rows, b_cols;  // contiguous along k
  bool b_rows;          // contiguous along n
};

// Work of one chunk, in multiply-adds per lane: about 20 us at the rate of one core.
inline constexpr Index kChunkWork = Index{1} << 17;

template <typename T>
void cut_into_chunks(const Product<T>& p, Index row_unit, Index col_unit, Index most_rows, Index most_cols,
                     MatmulPlan& plan) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  const Index work = divide_up(p.m * p.n, kLanes) * std::max<Index>(p.k, 1);
  // Up to 16 chunks for one product: enough to share among threads evenly, few enough to keep each one's
  // packing cheap.
  const Index wanted = std::clamp<Index>(work / kChunkWork, 1, 16);
  Index rows = std::min(p.m, most_rows);
  Index cols = std::min(p.n, most_cols);
  const auto count = [&] { return divide_up(p.m, rows) * divide_up(p.n, cols); };
  while (count() < wanted) {
    // Halve the side that is longer in units: squarer chunks read less.
    const bool split_rows = rows > row_unit && (rows / row_unit > cols / col_unit || cols <= col_unit);
    if (!split_rows && cols <= col_unit) break;
    Index& side = split_rows ? rows : cols;
    const Index unit = split_rows ? row_unit : col_unit;
    side = divide_up(divide_up(side, 2), unit) * unit;
  }
  const Index row_parts = divide_up(p.m, rows);
  const Index col_parts = divide_up(p.n, cols);
  plan.chunk_rows = divide_up(divide_up(p.m, row_parts), row_unit) * row_unit;
  plan.chunk_cols = divide_up(divide_up(p.n, col_parts), col_unit) * col_unit;
  plan.row_chunks = divide_up(p.m, plan.chunk_rows);
  plan.chunks = plan.row_chunks * divide_up(p.n, plan.chunk_cols);
  plan.microseconds = static_cast<double>(work) / (static_cast<double>(kChunkWork) / 20.0);
}

template <typename T>
MatmulPlan plan_product(const Product<T>& p) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  MatmulPlan plan;
  const bool along_k = p.a.col_stride == 1 && p.b.row_stride == 1;
  // Packing B costs the outer kernels about as much as 8 rows of C, summing vectors at the end costs the dot
  // kernels about as much as 96 elements of k, and a partly filled last vector is lost work of the outer
  // kernels alone.
  if (along_k && p.k >= kLanes) {
    const double filled = static_cast<double>(p.n) / static_cast<double>(divide_up(p.n, kLanes) * kLanes);
    const double outer = (1.0 + 8.0 / static_cast<double>(p.m)) / filled;
    const double dot = 1.0 + 6.0 * static_cast<double>(kLanes) / static_cast<double>(p.k);
    if (dot <= outer) {
      plan.kernel = MatmulPlan::Kernel::dot;
      plan.k_block = even_part(p.k, 2048);
      plan.tile_rows = even_part(p.m, kDotRows);
      plan.tile_cols = kDotCols;
      cut_into_chunks(p, plan.tile_rows, kDotCols * 4, Index{1} << 30, Index{1} << 30, plan);
      return plan;
    }
  }
  plan.k_block = p.k == 0 ? 1 : even_part(p.k, 256);
  plan.pack_b = p.b.col_stride != 1 || (p.m > 64 && p.n > 2 * kLanes);
  // Tall tiles of two vectors unless there are too few rows for them.
  if (p.m <= max_rows(8)) {
    plan.tile_cols = 8 * kLanes;
  } else if (p.m <= max_rows(4)) {
    plan.tile_cols = 4 * kLanes;
  } else {
    plan.tile_cols = p.n <= kLanes ? kLanes : 2 * kLanes;
  }
  plan.tile_rows = even_part(p.m, max_rows(static_cast<int>(plan.tile_cols / kLanes)));
  plan.pack_a = p.m > 64 && p.n > 128 && p.k > 64;
  cut_into_chunks(p, plan.tile_rows, plan.tile_cols, 256, 256, plan);
  return plan;
}

template <typename T>
void run_chunk(const Product<T>& p, const MatmulPlan& plan, Index batch, Index chunk) {
  const Index row = chunk % plan.row_chunks * plan.chunk_rows;
  const Index col = chunk / plan.row_chunks * plan.chunk_cols;
  const Index rows = std::min(plan.chunk_rows, p.m - row);
  const Index cols = std::min(plan.chunk_cols, p.n - col);
  const Matrix<T> a = {p.a.data + batch * p.a_batch_stride, p.a.row_stride, p.a.col_stride};
  const Matrix<T> b = {p.b.data + batch * p.b_batch_stride, p.b.row_stride, p.b.col_stride};
  T* c = p.c + batch * p.c_batch_stride;
  if (plan.kernel == MatmulPlan::Kernel::dot) {
    run_dot(p, plan, a, b, c, row, rows, col, cols);
  } else {
    run_outer(p, plan, a, b, c, row, rows, col, cols);
  }
  if (p.epilogue.finish != nullptr) {
    p.epilogue.finish(p.epilogue.context, {c + row * p.ldc + col, p.ldc, batch, row, col, rows, cols});
  }
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
