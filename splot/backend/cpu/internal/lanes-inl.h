// Runs of any length in vectors, for one instruction set: short runs take shorter vectors.
#if defined(SPLOT_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_LANES_INL_H
#undef SPLOT_LANES_INL_H
#else
#define SPLOT_LANES_INL_H
#endif

#include <hwy/highway.h>

#include "splot/core/index.h"

HWY_BEFORE_NAMESPACE();
namespace splot {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// body(d, i) for vectors d from i on. The last one overlaps the one before: body must give an element the
// same value each time, whatever vector it is in.
template <class D, class Body>
HWY_INLINE void overlapping_vectors(D d, Index n, const Body& body) {
  const auto lanes = static_cast<Index>(hn::Lanes(d));
  Index i = 0;
  for (; i + lanes <= n; i += lanes) body(d, i);
  if (i < n) body(d, n - lanes);
}

template <typename T, class Body>
HWY_INLINE void in_vectors(Index n, const Body& body) {
  const auto lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
  if (n >= lanes) {
    overlapping_vectors(hn::ScalableTag<T>(), n, body);
  } else if (n >= 8) {
    overlapping_vectors(hn::CappedTag<T, 8>(), n, body);
  } else if (n >= 4) {
    overlapping_vectors(hn::CappedTag<T, 4>(), n, body);
  } else {
    overlapping_vectors(hn::CappedTag<T, 1>(), n, body);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace splot
HWY_AFTER_NAMESPACE();

#endif
