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
  Index a_stride;  // the one of A's strides that is not 1
  const T* b;
  Index b_row;  // columns of B are contiguous
  T* c;
  Index ldc;
  Index cols;           // columns in the last vector; less than all of them only where kWidth is 1
  Index second;         // where the second vector begins: kLanes behind the first, or less, and then twice
  Index fetched_lines;  // of what the next step reads, by each panel
  TileEpilogue<T> epilogue;
};

// What the sums become, and how A lies.
enum class ShortSums {
  descend,     // steps of descent without penalties; A's columns are contiguous
  of_columns,  // C; A's columns are contiguous
  of_rows,     // C; A's rows are
};

// p + bytes. Compilers turn an offset in elements that is added to a constant one into a register of its own.
template <typename T>
HWY_INLINE const T* behind(const T* p, Index bytes) {
  return reinterpret_cast<const T*>(reinterpret_cast<const char*>(p) + bytes);
}

// The same sums, in the same order, as those of outer_tile.
template <typename T, int kTerms, int kWidth, ShortSums kSums>
HWY_NOINLINE void short_block(const ShortBlock<T>& block) {
  constexpr bool kDescends = kSums == ShortSums::descend;
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  using Vector = splot::HWY_NAMESPACE::Simd<T>;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  const auto in_c = hn::FirstN(d, static_cast<std::size_t>(block.cols));
  const Index second = block.second;
  // A masked load takes a turn of the multipliers.
  const auto load = [&](const T* from, int j) HWY_ATTR {
    return kWidth > 1 ? hn::LoadU(d, from + j * second) : hn::MaskedLoad(in_c, d, from);
  };
  const auto store = [&](V v, T* to, int j) HWY_ATTR {
    if (kWidth > 1) {
      hn::StoreU(v, d, to + j * second);
    } else {
      hn::BlendedStore(v, in_c, d, to);
    }
  };

  const TileEpilogue<T> epilogue = block.epilogue;
  const splot::HWY_NAMESPACE::PlainDescent<T, false> step(kDescends ? *epilogue.descent : Descent<T>());
  const Index c_row = kDescends ? epilogue.row_size : block.ldc;
  const Index a_stride = block.a_stride;
  // Columns of A in threes, because x86 addresses p, p + stride and p + 2 * stride from one register; or two
  // rows.
  constexpr int kGroups = kSums == ShortSums::of_rows ? 2 : (kTerms + 2) / 3;
  constexpr int kInGroup = kSums == ShortSums::of_rows ? 1 : 3;
  const Index in_group[3] = {0, a_stride * static_cast<Index>(sizeof(T)),
                             2 * a_stride * static_cast<Index>(sizeof(T))};
  for (Index panel = 0; panel < block.panels; ++panel) {
    const Index col = panel * kWidth * kLanes;
    // What the next step reads is fetched evenly: many lines at once would keep C waiting.
    const char* fetch = reinterpret_cast<const char*>(block.b);
    Index fetch_step = 0;
    if (Index lines = block.fetched_lines; lines > 0) {
      fetch = FetchAhead::take(lines);
      fetch_step = lines * 64 / divide_up(block.rows, 2);
    }
    V b[kTerms][kWidth];
#pragma GCC unroll 16
    for (int p = 0; p < kTerms; ++p) {
#pragma GCC unroll 2
      for (int j = 0; j < kWidth; ++j) b[p][j] = load(block.b + p * block.b_row + col, j);
    }
    const T* a[kGroups];
#pragma GCC unroll 16
    for (int g = 0; g < kGroups; ++g) a[g] = block.a + g * kInGroup * a_stride;
    const T* from = kDescends ? epilogue.descent->w + epilogue.at + col : block.c + col;
    T* to = kDescends ? epilogue.descent->out + epilogue.at + col : block.c + col;

    // Two rows at once: the sums of one are too few for the multipliers, which would wait for each other's
    // results.
    const auto make_rows = [&](auto count) HWY_ATTR {
      constexpr int kRows = decltype(count)::value;
      V sum[kRows][kWidth];
#pragma GCC unroll 2
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
        for (int j = 0; j < kWidth; ++j) sum[r][j] = hn::Zero(d);
      }
#pragma GCC unroll 16
      for (int p = 0; p < kTerms; ++p) {
#pragma GCC unroll 2
        for (int r = 0; r < kRows; ++r) {
          const V element =
              hn::Set(d, kSums == ShortSums::of_rows ? a[r][p] : behind(a[p / 3], in_group[p % 3])[r]);
#pragma GCC unroll 2
          for (int j = 0; j < kWidth; ++j) sum[r][j] = hn::MulAdd(element, b[p][j], sum[r][j]);
        }
      }
#pragma GCC unroll 16
      for (int g = 0; g < kGroups; ++g) a[g] += kSums == ShortSums::of_rows ? kRows * a_stride : kRows;
#pragma GCC unroll 2
      for (int r = 0; r < kRows; ++r) {
        // All of a row is loaded before any of it is stored: the vectors may overlap.
#pragma GCC unroll 2
        for (int j = 0; j < kWidth; ++j) {
          V& v = sum[r][j];
          if constexpr (kDescends) {
            v = step(Vector::of(load(from, j)), Vector::of(v)).raw;
          } else {
            if (epilogue.add) v = hn::Add(v, load(from, j));
            if (epilogue.bias != nullptr) v = hn::Add(v, load(epilogue.bias + col, j));
            if (epilogue.relu) v = relu(d, v);
          }
        }
#pragma GCC unroll 2
        for (int j = 0; j < kWidth; ++j) store(sum[r][j], to, j);
        from += c_row;
        to += c_row;
      }
    };
    Index rows = block.rows;
#pragma GCC unroll 1
    for (; rows >= 2; rows -= 2) {
      make_rows(std::integral_constant<int, 2>());
      __builtin_prefetch(fetch, 0, 2);
      fetch += fetch_step;
    }
    if (rows > 0) make_rows(std::integral_constant<int, 1>());
  }
}

template <typename T>
using ShortKernel = void (*)(const ShortBlock<T>&);

template <typename T, int kWidth, ShortSums kSums, int... kIndex>
constexpr auto short_kernels(std::integer_sequence<int, kIndex...>) {
  return std::array<ShortKernel<T>, sizeof...(kIndex)>{
      &short_block<T, kLeastTerms + kIndex, kWidth, kSums>...};
}

// Indexed by ShortSums, then terms - kLeastTerms.
template <typename T, int kWidth,
          typename Terms = std::make_integer_sequence<int, kMostTerms<T> - kLeastTerms + 1>>
inline constexpr std::array kShortKernels = {
    short_kernels<T, kWidth, ShortSums::descend>(Terms()),
    short_kernels<T, kWidth, ShortSums::of_columns>(Terms()),
    short_kernels<T, kWidth, ShortSums::of_rows>(Terms()),
};

// Whether short_chunk computes a product, with more than a vector of columns.
template <typename T>
bool has_short_sums(const Product<T>& p) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  const Descent<T>* descent = p.epilogue.descent;
  const bool fits = descent == nullptr
                        ? p.a.row_stride == 1 || p.a.col_stride == 1
                        : p.a.row_stride == 1 && !splot::HWY_NAMESPACE::has_penalties(*descent);
  return p.k >= kLeastTerms && p.k <= kMostTerms<T> && p.b.col_stride == 1 && p.n > kLanes && fits;
}

template <typename T>
void short_chunk(const Product<T>& p, const MatmulPlan& plan, const Matrix<T>& a, const Matrix<T>& b, T* c,
                 const ChunkOfC& chunk) {
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
  const ShortSums sums = p.epilogue.descent != nullptr ? ShortSums::descend
                         : a.row_stride == 1           ? ShortSums::of_columns
                                                       : ShortSums::of_rows;
  const auto kind = static_cast<std::size_t>(sums);
  const auto terms = static_cast<std::size_t>(p.k - kLeastTerms);
  const TileEpilogue<T> epilogue = tile_epilogue(p, true, true);
  for (Index row = chunk.row; row < chunk.row + chunk.rows; row += plan.tile_rows) {
    ShortBlock<T> block = {.rows = std::min(plan.tile_rows, chunk.row + chunk.rows - row),
                           .panels = 0,
                           .a = a.at(row, 0),
                           .a_stride = sums == ShortSums::of_rows ? a.row_stride : a.col_stride,
                           .b = nullptr,
                           .b_row = b.row_stride,
                           .c = nullptr,
                           .ldc = p.ldc,
                           .cols = kLanes,
                           .second = kLanes,
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
      kShortKernels<T, 2>[kind][terms](block);
      col += block.panels * 2 * kLanes;
      left -= block.panels * 2 * kLanes;
    }
    if (left == 0) continue;
    block.panels = 1;
    place(col);
    if (left > kLanes) {
      block.second = left - kLanes;
      kShortKernels<T, 2>[kind][terms](block);
    } else {
      block.cols = left;
      kShortKernels<T, 1>[kind][terms](block);
    }
  }
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
