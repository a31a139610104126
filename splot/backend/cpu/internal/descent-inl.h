// A weight's step down its gradient, for one vector: of the optimiser updates, and of the matrix products
// that are a gradient. Compiled once for each instruction set.
#if defined(SPLOT_DESCENT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_DESCENT_INL_H
#undef SPLOT_DESCENT_INL_H
#else
#define SPLOT_DESCENT_INL_H
#endif

#include "splot/backend/cpu/internal/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace splot {
namespace HWY_NAMESPACE {

// The gradient with the penalties' gradients added: g + weight_decay w + l1 sign(w). Without an l1 its share
// is a zero with the sign of -w, which makes 0 of a sum that is -0.
template <typename T, bool kL1>
struct Penalized {
  Simd<T> decay, plus, minus;

  template <typename Update>
  HWY_INLINE explicit Penalized(const Update& u) : decay(u.weight_decay), plus(u.l1), minus(-u.l1) {}
  HWY_INLINE Simd<T> operator()(Simd<T> w, Simd<T> g) const {
    const Simd<T> zero(0.0);
    const Simd<T> below = select(w < zero, minus, zero);
    return fma(decay, w, g) + (kL1 ? select(w > zero, plus, below) : below);
  }
};

// w - lr (g + weight_decay w + l1 sign(w)); without the penalties, w - lr g, also where w is infinite.
template <typename T, bool kPenalties>
struct PlainDescent {
  Penalized<T, kPenalties> penalized;
  Simd<T> rate;

  template <typename Update>
  HWY_INLINE explicit PlainDescent(const Update& u) : penalized(u), rate(-u.lr) {}
  HWY_INLINE Simd<T> operator()(Simd<T> w, Simd<T> g) const {
    return fma(rate, kPenalties ? penalized(w, g) : g, w);
  }
};

// The same for a product that is a gradient and for an update, so that both give the same bits.
template <typename Update>
bool has_penalties(const Update& u) {
  return u.weight_decay != 0.0 || u.l1 != 0.0;
}

}  // namespace HWY_NAMESPACE
}  // namespace splot
HWY_AFTER_NAMESPACE();

#endif
