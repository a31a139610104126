// Sums of eight outputs of packed weights for one instruction set. Included once for each by
// packed_linear.cpp.
#if defined(SPLOT_PACKED_LINEAR_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_PACKED_LINEAR_INL_H
#undef SPLOT_PACKED_LINEAR_INL_H
#else
#define SPLOT_PACKED_LINEAR_INL_H
#endif

#include <algorithm>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "splot/backend/cpu/internal/matmul_dot-inl.h"
#include "splot/backend/cpu/packed_linear.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Rows that share what is read of the weights: as many as leave registers for it.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
inline constexpr Index kPackedRows = 3;
#else
inline constexpr Index kPackedRows = 1;
#endif

// Weights that do not stay in the second-level cache are asked for so many numbers ahead. Nearer ones come by
// themselves, and asking would take the place of reading.
template <typename T>
inline constexpr Index kFetchAhead = 8192 / static_cast<Index>(sizeof(T));
inline constexpr Index kBytesThatStay = Index{1} << 20;

// Adds the products of one vector of each row with those of eight outputs.
template <int kRows, class D, class V = hn::Vec<D>, typename T = hn::TFromD<D>>
HWY_INLINE void add_products(D d, const V (&x)[kRows], const T* w, V (&sum)[kRows][kPackedOuts]) {
#pragma GCC unroll 8
  for (int o = 0; o < kPackedOuts; ++o) {
    const V of_w = hn::LoadU(d, w + o * kPackedNumbers);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) sum[i][o] = hn::MulAdd(x[i], of_w, sum[i][o]);
  }
}

// Eight outputs, of which `outs` exist, of kRows rows.
template <typename T, int kRows, bool kFetch>
HWY_NOINLINE void packed_tile(const PackedLinear<T>& p, Index row, const T* w, Index first, Index outs) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  constexpr Index kGroup = kPackedOuts * kPackedNumbers;
  V sum[kRows][kPackedOuts];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (int o = 0; o < kPackedOuts; ++o) sum[i][o] = hn::Zero(d);
  }
  const T* x = p.x + row * p.in;
  V of_x[kRows];
  Index left = p.in;
#pragma GCC unroll 1
  for (; left >= kPackedNumbers; left -= kPackedNumbers, x += kPackedNumbers, w += kGroup) {
    if constexpr (kFetch) {
#pragma GCC unroll 16
      for (Index line = 0; line < kGroup; line += 64 / static_cast<Index>(sizeof(T))) {
        hwy::Prefetch(w + kFetchAhead<T> + line);
      }
    }
#pragma GCC unroll 16
    for (Index v = 0; v < kPackedNumbers; v += kLanes) {
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) of_x[i] = hn::LoadU(d, x + i * p.in + v);
      add_products<kRows>(d, of_x, w + v, sum);
    }
  }
  for (Index v = 0; v < left; v += kLanes) {
    const auto rest = hn::FirstN(d, static_cast<std::size_t>(std::min(kLanes, left - v)));
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) of_x[i] = hn::MaskedLoad(rest, d, x + i * p.in + v);
    add_products<kRows>(d, of_x, w + v, sum);
  }

  const hn::CappedTag<T, kPackedOuts> part;
  constexpr Index kStep = static_cast<Index>(hn::MaxLanes(part));
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    HWY_ALIGN T totals[kPackedOuts];
    sum_four(d, sum[i], totals);
    sum_four(d, sum[i] + 4, totals + 4);
    T* y = p.y + (row + i) * p.out + first;
    for (Index o = 0; o < outs; o += kStep) {
      const auto exist = hn::FirstN(part, static_cast<std::size_t>(std::min(kStep, outs - o)));
      auto total = hn::Add(hn::Load(part, totals + o), hn::MaskedLoad(exist, part, p.bias + first + o));
      if (p.relu) total = relu(part, total);
      hn::BlendedStore(total, exist, part, y + o);
    }
  }
}

template <typename T, bool kFetch>
void packed_rows(const PackedLinear<T>& p, const T* w, Index first, Index outs) {
  Index row = 0;
  if constexpr (kPackedRows == 3) {
    for (; row + 3 <= p.rows; row += 3) packed_tile<T, 3, kFetch>(p, row, w, first, outs);
    if (row + 2 == p.rows) return packed_tile<T, 2, kFetch>(p, row, w, first, outs);
  }
  for (; row < p.rows; ++row) packed_tile<T, 1, kFetch>(p, row, w, first, outs);
}

// Some blocks of eight outputs, all rows.
template <typename T>
void packed_blocks(const PackedLinear<T>& p, Index begin, Index end) {
  const Index size = (p.in + kPackedNumbers - 1) / kPackedNumbers * kPackedNumbers * kPackedOuts;
  const bool fetch = p.out * p.in * static_cast<Index>(sizeof(T)) > kBytesThatStay;
  for (Index block = begin; block < end; ++block) {
    const Index first = block * kPackedOuts, outs = std::min(kPackedOuts, p.out - first);
    const T* w = p.w + block * size;
    fetch ? packed_rows<T, true>(p, w, first, outs) : packed_rows<T, false>(p, w, first, outs);
  }
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
