// What both families of matrix kernels share: the last step of a register tile.
// Included once per instruction set; no include guard that would outlive a target.
#if defined(SPLOT_MATMUL_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_MATMUL_TILE_INL_H
#undef SPLOT_MATMUL_TILE_INL_H
#else
#define SPLOT_MATMUL_TILE_INL_H
#endif

#include <algorithm>

#include <hwy/highway.h>

#include "splot/backend/cpu/internal/descent-inl.h"
#include "splot/backend/cpu/internal/matmul_plan.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Main memory gives a line in the time of about twenty of them; as many again are left for what else is read.
inline constexpr Index kMultipliesPerLine = 80;

// The part of the epilogue that is done in registers. A sum over k in several parts is collected in C: all
// but the first part add to it, and only the last gets bias and activation.
template <typename T>
struct TileEpilogue {
  bool add = false;
  bool relu = false;
  const T* bias = nullptr;  // of the tile's first column
  const Descent<T>* descent = nullptr;
  Index at = 0;        // where in the weight the tile begins
  Index row_size = 0;  // of the weight

  // Apart from descent.
  bool any() const { return add || relu || bias != nullptr; }
};

template <typename T>
TileEpilogue<T> tile_epilogue(const Product<T>& p, bool first_part, bool last_part) {
  const Epilogue<T>& whole = p.epilogue;
  return {.add = whole.accumulate || !first_part,
          .relu = whole.relu && last_part,
          .bias = last_part ? whole.bias : nullptr,
          .descent = last_part ? whole.descent : nullptr,
          .row_size = p.n};
}

// Not Max(v, 0), which turns NaN into 0 on some processors.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V relu(D d, V v) {
  return hn::IfThenZeroElse(hn::Le(v, hn::Zero(d)), v);
}

// Calls body with a step of descent for vectors: body(step).
template <typename T, class Body>
HWY_INLINE void with_step(const Descent<T>& descent, const Body& body) {
  if (splot::HWY_NAMESPACE::has_penalties(descent)) {
    body(splot::HWY_NAMESPACE::PlainDescent<T, true>(descent));
  } else {
    body(splot::HWY_NAMESPACE::PlainDescent<T, false>(descent));
  }
}

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
