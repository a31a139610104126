// Simd<T>: a SIMD vector with operators, and the loop that runs a formula over a block. Compiled once for
// each instruction set: Highway's foreach_target.h includes this file again with another HWY_TARGET.
#if defined(SPLOT_SIMD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SPLOT_SIMD_INL_H
#undef SPLOT_SIMD_INL_H
#else
#define SPLOT_SIMD_INL_H
#endif

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "splot/core/index.h"

HWY_BEFORE_NAMESPACE();
namespace splot {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
struct SimdMask {
  hn::Mask<hn::ScalableTag<T>> raw;
};

template <typename T>
struct Simd {
  using Element = T;
  using Tag = hn::ScalableTag<T>;
  using Raw = hn::Vec<Tag>;
  Raw raw;

  HWY_INLINE explicit Simd(double constant) : raw(hn::Set(Tag(), static_cast<T>(constant))) {}
  HWY_INLINE static Simd of(Raw raw) {
    Simd out;
    out.raw = raw;
    return out;
  }

  friend HWY_INLINE Simd operator+(Simd a, Simd b) { return of(hn::Add(a.raw, b.raw)); }
  friend HWY_INLINE Simd operator-(Simd a, Simd b) { return of(hn::Sub(a.raw, b.raw)); }
  friend HWY_INLINE Simd operator*(Simd a, Simd b) { return of(hn::Mul(a.raw, b.raw)); }
  friend HWY_INLINE Simd operator/(Simd a, Simd b) { return of(hn::Div(a.raw, b.raw)); }
  friend HWY_INLINE Simd operator-(Simd a) { return of(hn::Neg(a.raw)); }
  friend HWY_INLINE SimdMask<T> operator<(Simd a, Simd b) { return {hn::Lt(a.raw, b.raw)}; }
  friend HWY_INLINE SimdMask<T> operator>(Simd a, Simd b) { return {hn::Gt(a.raw, b.raw)}; }
  friend HWY_INLINE SimdMask<T> operator<=(Simd a, Simd b) { return {hn::Le(a.raw, b.raw)}; }
  friend HWY_INLINE SimdMask<T> operator>=(Simd a, Simd b) { return {hn::Ge(a.raw, b.raw)}; }
  friend HWY_INLINE SimdMask<T> operator==(Simd a, Simd b) { return {hn::Eq(a.raw, b.raw)}; }
  // Not hn::Ne, which on x86 calls NaN equal to everything.
  friend HWY_INLINE SimdMask<T> operator!=(Simd a, Simd b) { return {hn::Not(hn::Eq(a.raw, b.raw))}; }
  friend HWY_INLINE Simd select(SimdMask<T> c, Simd a, Simd b) {
    return of(hn::IfThenElse(c.raw, a.raw, b.raw));
  }
  friend HWY_INLINE Simd max(Simd a, Simd b) { return of(hn::Max(a.raw, b.raw)); }
  friend HWY_INLINE Simd min(Simd a, Simd b) { return of(hn::Min(a.raw, b.raw)); }
  friend HWY_INLINE Simd abs(Simd a) { return of(hn::Abs(a.raw)); }
  friend HWY_INLINE Simd sqrt(Simd a) { return of(hn::Sqrt(a.raw)); }
  friend HWY_INLINE Simd floor(Simd a) { return of(hn::Floor(a.raw)); }
  friend HWY_INLINE Simd fma(Simd a, Simd b, Simd c) { return of(hn::MulAdd(a.raw, b.raw, c.raw)); }

  // Highway's functions promise nothing for NaN and beyond the range of the result: those lanes are set here.
  friend HWY_INLINE Simd exp(Simd a) {
    constexpr double kOverflow = sizeof(T) == 4 ? 88.72283905206835 : 709.782712893384;
    const Simd inside = select(a > Simd(kOverflow), Simd(0.0), a);
    return or_nan(a, select(a > Simd(kOverflow), infinity(), of(hn::Exp(Tag(), inside.raw))));
  }
  friend HWY_INLINE Simd expm1(Simd a) {
    constexpr double kOverflow = sizeof(T) == 4 ? 88.72283905206835 : 709.782712893384;
    const Simd inside = max(Simd(-80.0), select(a > Simd(kOverflow), Simd(0.0), a));
    return or_nan(a, select(a > Simd(kOverflow), infinity(), of(hn::Expm1(Tag(), inside.raw))));
  }
  friend HWY_INLINE Simd log(Simd a) { return log_limits(a, of(hn::Log(Tag(), a.raw)), 0.0); }
  friend HWY_INLINE Simd log1p(Simd a) { return log_limits(a, of(hn::Log1p(Tag(), a.raw)), -1.0); }
  friend HWY_INLINE Simd tanh(Simd a) {
    const Simd inside = min(max(a, Simd(-30.0)), Simd(30.0));
    return or_nan(a, of(hn::Tanh(Tag(), inside.raw)));
  }
  friend HWY_INLINE Simd atan(Simd a) { return or_nan(a, of(hn::Atan(Tag(), a.raw))); }
  friend HWY_INLINE Simd sin(Simd a) {
    return each_lane(a, [](T x) { return std::sin(x); });
  }
  friend HWY_INLINE Simd cos(Simd a) {
    return each_lane(a, [](T x) { return std::cos(x); });
  }
  friend HWY_INLINE Simd erf(Simd a) {
    return each_lane(a, [](T x) { return std::erf(x); });
  }
  friend HWY_INLINE Simd pow(Simd a, Simd b) {
    HWY_ALIGN T x[hn::MaxLanes(Tag())];
    HWY_ALIGN T y[hn::MaxLanes(Tag())];
    hn::Store(a.raw, Tag(), x);
    hn::Store(b.raw, Tag(), y);
    for (std::size_t i = 0; i < hn::Lanes(Tag()); ++i) x[i] = std::pow(x[i], y[i]);
    return of(hn::Load(Tag(), x));
  }

  HWY_INLINE static Simd infinity() { return Simd(std::numeric_limits<double>::infinity()); }

 private:
  HWY_INLINE Simd() {}
  HWY_INLINE static Simd or_nan(Simd input, Simd result) { return select(input == input, result, input); }
  HWY_INLINE static Simd log_limits(Simd a, Simd inside, double pole) {
    const Simd at_pole = select(a == Simd(pole), -infinity(), inside);
    const Simd below = select(a < Simd(pole), Simd(std::numeric_limits<double>::quiet_NaN()), at_pole);
    return or_nan(a, select(a == infinity(), a, below));
  }
  template <typename Function>
  HWY_INLINE static Simd each_lane(Simd a, Function function) {
    HWY_ALIGN T x[hn::MaxLanes(Tag())];
    hn::Store(a.raw, Tag(), x);
    for (std::size_t i = 0; i < hn::Lanes(Tag()); ++i) x[i] = function(x[i]);
    return of(hn::Load(Tag(), x));
  }
};

template <typename V>
concept SimdVector = std::is_same_v<V, Simd<float>> || std::is_same_v<V, Simd<double>>;

template <typename T>
HWY_INLINE void store_result(Simd<T> value, T* out) {
  hn::StoreU(value.raw, hn::ScalableTag<T>(), out);
}
template <typename T>
HWY_INLINE void store_result(SimdMask<T> mask, bool* out) {
  const hn::ScalableTag<T> tag;
  HWY_ALIGN T lanes[hn::MaxLanes(tag)];
  hn::Store(hn::IfThenElseZero(mask.raw, hn::Set(tag, T(1))), tag, lanes);
  for (std::size_t i = 0; i < hn::Lanes(tag); ++i) out[i] = lanes[i] != T(0);
}

template <typename Formula, typename T, std::size_t... I>
HWY_INLINE auto formula_at(const Formula& formula, const T* const* in, std::size_t at,
                           std::index_sequence<I...>) {
  return formula(Simd<T>::of(hn::LoadU(hn::ScalableTag<T>(), in[I] + at))...);
}

// out[i] = formula(in[0][i], in[1][i], ...) for dense inputs. The last, partial vector goes through buffers,
// so that an element's bits do not depend on where in a block it stands.
template <typename Formula, typename T, typename Out, std::size_t kArity>
void run_block(const void* erased, const void* const* inputs, void* output, Index n) {
  const Formula& formula = *static_cast<const Formula*>(erased);
  const hn::ScalableTag<T> tag;
  const auto lanes = static_cast<Index>(hn::Lanes(tag));
  const T* in[kArity];
  for (std::size_t i = 0; i < kArity; ++i) in[i] = static_cast<const T*>(inputs[i]);
  Out* out = static_cast<Out*>(output);
  Index at = 0;
  for (; at + lanes <= n; at += lanes) {
    store_result(formula_at(formula, in, static_cast<std::size_t>(at), std::make_index_sequence<kArity>()),
                 out + at);
  }
  if (at == n) return;
  constexpr std::size_t kLanes = hn::MaxLanes(hn::ScalableTag<T>());
  HWY_ALIGN T tails[kArity][kLanes] = {};
  Out tail[kLanes];
  const auto left = std::min(static_cast<std::size_t>(n - at), kLanes);
  for (std::size_t i = 0; i < kArity; ++i) {
    std::memcpy(tails[i], in[i] + at, left * sizeof(T));
    in[i] = tails[i];
  }
  store_result(formula_at(formula, in, 0, std::make_index_sequence<kArity>()), tail);
  std::memcpy(out + at, tail, left * sizeof(Out));
}

}  // namespace HWY_NAMESPACE
}  // namespace splot
HWY_AFTER_NAMESPACE();

#endif
