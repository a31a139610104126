// Matrix kernels for sums of few terms, such as the gradient of a weight over a small batch: what two vectors
// of columns have of B stays in registers while all rows of A go over it. Nothing is packed.
// Included once per instruction set.
#if defined(SPLOT_MATMUL_SHORT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_MATMUL_SHORT_INL_H
#undef SPLOT_MATMUL_SHORT_INL_H
#else
#define SPLOT_MATMUL_SHORT_INL_H
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "splot/backend/cpu/fetch_ahead.h"
#include "splot/backend/cpu/internal/matmul_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {

// Sums of so many terms: of fewer, storing C is all the work; of more, B leaves no registers for the sums.
inline constexpr int kLeastTerms = 5;
#if HWY_TARGET == HWY_AVX3
template <typename T>
inline constexpr int kMostTerms = std::is_same_v<T, float> ? 12 : 0;
#else
template <typename T>
inline constexpr int kMostTerms = 0;
#endif

// A panel's rows of C are as many places in memory, of which a processor follows about so many.
inline constexpr Index kShortRows = 32;

// Some rows of C and `panels` panels of kWidth vectors, one beside the other.
template <typename T>
struct ShortBlock {
  Index rows, panels;
  const T* a;
  Index a_row, a_col;  // strides of A
  const T* b;
  Index b_row;  // columns of B are contiguous
  T* c;
  Index ldc;
  Index cols;           // columns in the last vector; less than all of them only where kWidth is 1
  Index fetched_lines;  // of what the next step reads, by each panel
  TileEpilogue<T> epilogue;
};

// The same sums, in the same order, as those of outer_tile. A step of descent has no penalties.
template <typename T, int kTerms, int kWidth>
HWY_NOINLINE void short_block(const ShortBlock<T>& block) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  using Vector = splot::HWY_NAMESPACE::Simd<T>;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  const auto in_c = hn::FirstN(d, static_cast<std::size_t>(block.cols));
  // A masked load takes a turn of the multipliers.
  const auto load = [&](const T* from, int j) HWY_ATTR {
    return kWidth > 1 ? hn::LoadU(d, from + j * kLanes) : hn::MaskedLoad(in_c, d, from);
  };
  const auto store = [&](V v, T* to, int j) HWY_ATTR {
    if (kWidth > 1) {
      hn::StoreU(v, d, to + j * kLanes);
    } else {
      hn::BlendedStore(v, in_c, d, to);
    }
  };

  const TileEpilogue<T> epilogue = block.epilogue;
  const bool descends = epilogue.descent != nullptr;
  const Descent<T> step_of_weight = descends ? *epilogue.descent : Descent<T>();
  const splot::HWY_NAMESPACE::PlainDescent<T, false> step(step_of_weight);
  const Index rows = block.rows;
  const Index a_row = block.a_row;
  const Index a_col = block.a_col;
  const Index ldc = block.ldc;
  const Index row_size = epilogue.row_size;
  for (Index panel = 0; panel < block.panels; ++panel) {
    const Index col = panel * kWidth * kLanes;
    if (block.fetched_lines > 0) FetchAhead::fetch(block.fetched_lines);
    V b[kTerms][kWidth];
#pragma GCC unroll 16
    for (int p = 0; p < kTerms; ++p) {
#pragma GCC unroll 2
      for (int j = 0; j < kWidth; ++j) b[p][j] = load(block.b + p * block.b_row + col, j);
    }
    // Columns of A in threes, because x86 addresses p, p + stride and p + 2 * stride from one register.
    constexpr int kGroups = (kTerms + 2) / 3;
    const T* a[kGroups];
#pragma GCC unroll 16
    for (int g = 0; g < kGroups; ++g) a[g] = block.a + 3 * g * a_col;
    T* c = descends ? nullptr : block.c + col;
    const T* w = descends ? step_of_weight.w + epilogue.at + col : nullptr;
    T* out = descends ? step_of_weight.out + epilogue.at + col : nullptr;
#pragma GCC unroll 1
    for (Index i = rows; i > 0; --i) {
      V sum[kWidth];
#pragma GCC unroll 2
      for (int j = 0; j < kWidth; ++j) sum[j] = hn::Zero(d);
#pragma GCC unroll 16
      for (int p = 0; p < kTerms; ++p) {
        const V element = hn::Set(d, a[p / 3][(p % 3) * a_col]);
#pragma GCC unroll 2
        for (int j = 0; j < kWidth; ++j) sum[j] = hn::MulAdd(element, b[p][j], sum[j]);
      }
#pragma GCC unroll 16
      for (int g = 0; g < kGroups; ++g) a[g] += a_row;
      if (descends) {
#pragma GCC unroll 2
        for (int j = 0; j < kWidth; ++j) {
          store(step(Vector::of(load(w, j)), Vector::of(sum[j])).raw, out, j);
        }
        w += row_size;
        out += row_size;
        continue;
      }
#pragma GCC unroll 2
      for (int j = 0; j < kWidth; ++j) {
        V v = sum[j];
        if (epilogue.add) v = hn::Add(v, load(c, j));
        if (epilogue.bias != nullptr) v = hn::Add(v, load(epilogue.bias + col, j));
        if (epilogue.relu) v = relu(d, v);
        store(v, c, j);
      }
      c += ldc;
    }
  }
}

template <typename T>
using ShortKernel = void (*)(const ShortBlock<T>&);

template <typename T, int kWidth, int... kIndex>
constexpr auto short_kernels(std::integer_sequence<int, kIndex...>) {
  return std::array<ShortKernel<T>, sizeof...(kIndex)>{&short_block<T, kLeastTerms + kIndex, kWidth>...};
}

// Indexed by terms - kLeastTerms.
template <typename T, int kWidth>
inline constexpr auto kShortKernels =
    short_kernels<T, kWidth>(std::make_integer_sequence<int, kMostTerms<T> - kLeastTerms + 1>());

// Whether short_chunk computes a product, with two vectors of columns and more.
template <typename T>
bool has_short_sums(const Product<T>& p) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  const Descent<T>* descent = p.epilogue.descent;
  return p.k >= kLeastTerms && p.k <= kMostTerms<T> && p.b.col_stride == 1 && p.n >= 2 * kLanes &&
         (descent == nullptr || !splot::HWY_NAMESPACE::has_penalties(*descent));
}

template <typename T>
void short_chunk(const Product<T>& p, const MatmulPlan& plan, const Matrix<T>& a, const Matrix<T>& b, T* c,
                 const ChunkOfC& chunk) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  const auto kernel = static_cast<std::size_t>(p.k - kLeastTerms);
  const TileEpilogue<T> epilogue = tile_epilogue(p, true, true);
  for (Index row = chunk.row; row < chunk.row + chunk.rows; row += plan.tile_rows) {
    ShortBlock<T> block = {.rows = std::min(plan.tile_rows, chunk.row + chunk.rows - row),
                           .panels = 0,
                           .a = a.at(row, 0),
                           .a_row = a.row_stride,
                           .a_col = a.col_stride,
                           .b = nullptr,
                           .b_row = b.row_stride,
                           .c = nullptr,
                           .ldc = p.ldc,
                           .cols = kLanes,
                           .fetched_lines = 0,
                           .epilogue = epilogue};
    if (FetchAhead::wanted()) block.fetched_lines = p.k * block.rows * 2 / kMultipliesPerLine;
    const auto place = [&](Index col) {
      block.b = b.at(0, col);
      if (c != nullptr) block.c = c + row * p.ldc + col;
      if (epilogue.bias != nullptr) block.epilogue.bias = epilogue.bias + col;
      block.epilogue.at = row * p.n + col;
    };
    Index col = chunk.col;
    Index left = chunk.cols;
    block.panels = left / (2 * kLanes);
    if (block.panels > 0) {
      place(col);
      kShortKernels<T, 2>[kernel](block);
      col += block.panels * 2 * kLanes;
      left -= block.panels * 2 * kLanes;
    }
    block.panels = 1;
    for (; left > 0; col += kLanes, left -= kLanes) {
      place(col);
      block.cols = std::min(left, kLanes);
      kShortKernels<T, 1>[kernel](block);
    }
  }
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
