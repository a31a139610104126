// Whether a block is finite, for one instruction set. Included once for each by finite.cpp.
#if defined(SPLOT_FINITE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_FINITE_INL_H
#undef SPLOT_FINITE_INL_H
#else
#define SPLOT_FINITE_INL_H
#endif

#include <cmath>

#include <hwy/highway.h>

#include "splot/core/index.h"

HWY_BEFORE_NAMESPACE();
namespace splot {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// 0 x is 0 for every finite x and NaN for the others, and a sum with a NaN in it stays one: one multiply-add
// for each vector, and nothing to decide before the end.
template <typename T>
bool finite_block(const T* x, Index n) {
  const hn::ScalableTag<T> tag;
  const auto lanes = static_cast<Index>(hn::Lanes(tag));
  const auto zero = hn::Zero(tag);
  auto a = zero;
  auto b = zero;
  auto c = zero;
  auto d = zero;
  Index i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a = hn::MulAdd(hn::LoadU(tag, x + i), zero, a);
    b = hn::MulAdd(hn::LoadU(tag, x + i + lanes), zero, b);
    c = hn::MulAdd(hn::LoadU(tag, x + i + 2 * lanes), zero, c);
    d = hn::MulAdd(hn::LoadU(tag, x + i + 3 * lanes), zero, d);
  }
  bool finite = hn::AllFalse(tag, hn::IsNaN(hn::Add(hn::Add(a, b), hn::Add(c, d))));
  for (; i < n; ++i) finite = finite && std::isfinite(x[i]);
  return finite;
}

}  // namespace HWY_NAMESPACE
}  // namespace splot
HWY_AFTER_NAMESPACE();

#endif
