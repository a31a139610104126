// The largest of each 2 x 2 results of a convolution. Included once for each instruction set.
#if defined(SPLOT_CONV_POOL_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_CONV_POOL_INL_H
#undef SPLOT_CONV_POOL_INL_H
#else
#define SPLOT_CONV_POOL_INL_H
#endif

#include <algorithm>

#include <hwy/highway.h>

#include "splot/core/index.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// As max_pool() goes over a window: of equals the earlier stays, of NaNs the later.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V larger(D, V best, V next) {
  return hn::IfThenElse(hn::Or(hn::Gt(next, best), hn::IsNaN(next)), next, best);
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V largest_of_four(D d, V upper_left, V upper_right, V lower_left, V lower_right) {
  return larger(d, larger(d, larger(d, upper_left, upper_right), lower_left), lower_right);
}

// The same, and in lanes of `which` the number of the element that it is.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V largest_of_four(D d, V upper_left, V upper_right, V lower_left, V lower_right, V& which) {
  V best = upper_left;
  which = hn::Zero(d);
  const auto look_at = [&](V next, hn::TFromD<D> number) HWY_ATTR {
    const auto wins = hn::Or(hn::Gt(next, best), hn::IsNaN(next));
    best = hn::IfThenElse(wins, next, best);
    which = hn::IfThenElse(wins, hn::Set(d, number), which);
  };
  look_at(upper_right, 1);
  look_at(lower_left, 2);
  look_at(lower_right, 3);
  return best;
}

// Rows of single numbers, in vectors of d; the last may overlap the one before it. Rows that are shorter than
// a vector take narrower ones.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE void pool_row(D d, const T* upper, const T* lower, Index count, T* to) {
  using V = hn::Vec<D>;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(D()));
  if constexpr (kLanes > 1) {
    if (count < kLanes) return pool_row(hn::CappedTag<T, kLanes / 2>(), upper, lower, count, to);
    for (Index i = 0; i < count; i += kLanes) {
      const Index at = std::min(i, count - kLanes);
      V a, b, e, f;
      hn::LoadInterleaved2(d, upper + 2 * at, a, b);
      hn::LoadInterleaved2(d, lower + 2 * at, e, f);
      hn::StoreU(largest_of_four(d, a, b, e, f), d, to + at);
    }
  } else {
    for (Index i = 0; i < count; ++i) {
      const auto at = [&](const T* row) { return hn::LoadU(d, row + 2 * i); };
      hn::StoreU(largest_of_four(d, at(upper), at(upper + 1), at(lower), at(lower + 1)), d, to + i);
    }
  }
}

// Two rows of 2 `count` pixels to one of `count`; a pixel is a run of `images` numbers.
template <typename T>
void pool_rows(const T* upper, const T* lower, Index count, Index images, T* to) {
  const hn::ScalableTag<T> d;
  constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(d));
  if (images == 1) return pool_row(d, upper, lower, count, to);
  for (Index i = 0; i < count; ++i, upper += 2 * images, lower += 2 * images, to += images) {
    const auto take = [&](auto tag, Index n) HWY_ATTR {
      hn::StoreU(largest_of_four(tag, hn::LoadU(tag, upper + n), hn::LoadU(tag, upper + images + n),
                                 hn::LoadU(tag, lower + n), hn::LoadU(tag, lower + images + n)),
                 tag, to + n);
    };
    Index n = 0;
    for (; n + kLanes <= images; n += kLanes) take(d, n);
    for (; n < images; ++n) take(hn::CappedTag<T, 1>(), n);
  }
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
