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
  // Not Ne, which in Highway 1.0.3 calls NaN equal to everything on AVX-512.
  friend HWY_INLINE SimdMask<T> operator!=(Simd a, Simd b) { return {hn::Not(hn::Eq(a.raw, b.raw))}; }
  friend HWY_INLINE SimdMask<T> both(SimdMask<T> a, SimdMask<T> b) { return {hn::And(a.raw, b.raw)}; }
  friend HWY_INLINE SimdMask<T> either(SimdMask<T> a, SimdMask<T> b) { return {hn::Or(a.raw, b.raw)}; }
  friend HWY_INLINE Simd select(SimdMask<T> c, Simd a, Simd b) {
    return of(hn::IfThenElse(c.raw, a.raw, b.raw));
  }
  friend HWY_INLINE Simd max(Simd a, Simd b) { return of(hn::Max(a.raw, b.raw)); }
  friend HWY_INLINE Simd min(Simd a, Simd b) { return of(hn::Min(a.raw, b.raw)); }
  friend HWY_INLINE Simd abs(Simd a) { return of(hn::Abs(a.raw)); }
  friend HWY_INLINE Simd sqrt(Simd a) { return of(hn::Sqrt(a.raw)); }
  friend HWY_INLINE Simd floor(Simd a) { return of(hn::Floor(a.raw)); }
  friend HWY_INLINE Simd ceil(Simd a) { return of(hn::Ceil(a.raw)); }
  friend HWY_INLINE Simd round(Simd a) { return of(hn::Round(a.raw)); }  // halves to even
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
  // Highway's sine and cosine hold to 3 units of the last place up to 39000; larger angles go one by one.
  friend HWY_INLINE Simd sin(Simd a) {
    return by_angle(a, of(hn::Sin(Tag(), bounded(a))), [](T x) { return std::sin(x); });
  }
  friend HWY_INLINE Simd cos(Simd a) {
    return by_angle(a, of(hn::Cos(Tag(), bounded(a))), [](T x) { return std::cos(x); });
  }
  // Up to 1: x p(x^2). Beyond: 1 - exp(-x^2) g(t) with t = (x - 2) / (x + 2), from where erf is 1 to all
  // digits on with x held fast. Chebyshev fits of erf(x) / x and exp(x^2) erfc(x), made with mpmath's
  // chebyfit; their errors are 1.3e-9 and 3.1e-8 for float32, 1.3e-19 and 3.3e-17 for float64.
  friend HWY_INLINE Simd erf(Simd a) {
    constexpr double kOne = sizeof(T) == 4 ? 4.0 : 6.0;
    const Simd x = min(abs(select(a == a, a, Simd(0.0))), Simd(kOne));
    const Simd t = (x - Simd(2.0)) / (x + Simd(2.0));
    Simd near(0.0), far(0.0);
    if constexpr (sizeof(T) == 4) {
      near = polynomial(x * x, {7.875875063e-5, -0.0008016864287, 0.005189087423, -0.02685421201,
                                0.1128359472, -0.3761262667, 1.128379166});
      far = polynomial(t, {-0.001348475231, 0.006843287055, 0.003824996708, -0.07897178769, 0.2416539328,
                           -0.4271859338, 0.2553957055});
    } else {
      near = polynomial(
          x * x, {5.9571761477489114e-11, -1.13728488567916737e-9, 1.46597752740474358e-8,
                  -1.6350312701054695e-7, 1.6461000484121368e-6, -0.0000149255952668311816,
                  0.000120553311116427109, -0.000854832698083378991, 0.00522397762481801447,
                  -0.0268661706450767932, 0.112837916709548787, -0.376126389031837481, 1.12837916709551257});
      far = polynomial(
          t, {-2.22812957637235017e-7, 4.14630218326848772e-6, 1.85942738742940198e-6,
              -0.0000141663390691171082, -0.0000276407278219128536, 0.0000275603527566783132,
              0.000174364772572567369, 0.0000435526535981788277, -0.000981977111474071531,
              -0.000847143122941533342, 0.00699746173920057474, 0.00373289240165644815,
              -0.0789785810157126937, 0.241658194242487627, -0.427185847413958492, 0.255395676310505716});
    }
    const Simd beyond = Simd(1.0) - of(hn::Exp(Tag(), (-(x * x)).raw)) * far;
    const Simd size = select(x < Simd(1.0), x * near, beyond);
    return or_nan(a, of(hn::CopySign(size.raw, a.raw)));
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
  static constexpr double kLargestAngle = 39000.0;
  HWY_INLINE static Raw bounded(Simd a) { return select(abs(a) <= Simd(kLargestAngle), a, Simd(0.0)).raw; }
  template <typename Function>
  HWY_INLINE static Simd by_angle(Simd a, Simd inside, Function function) {
    const SimdMask<T> fits{hn::Le(abs(a).raw, Simd(kLargestAngle).raw)};
    if (HWY_LIKELY(hn::AllTrue(Tag(), fits.raw))) return inside;
    HWY_ALIGN T x[hn::MaxLanes(Tag())];
    hn::Store(a.raw, Tag(), x);
    for (std::size_t i = 0; i < hn::Lanes(Tag()); ++i) x[i] = function(x[i]);
    return select(fits, inside, of(hn::Load(Tag(), x)));
  }
  // Highest power first.
  template <std::size_t kCount>
  HWY_INLINE static Simd polynomial(Simd x, const double (&coefficients)[kCount]) {
    Simd sum(coefficients[0]);
    for (std::size_t i = 1; i < kCount; ++i) sum = fma(sum, x, Simd(coefficients[i]));
    return sum;
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

// The first `count` results alone.
template <typename T>
HWY_INLINE void store_part(Simd<T> value, T* out, std::size_t count) {
  const hn::ScalableTag<T> tag;
  hn::BlendedStore(value.raw, hn::FirstN(tag, count), tag, out);
}
template <typename T>
HWY_INLINE void store_part(SimdMask<T> mask, bool* out, std::size_t count) {
  constexpr std::size_t kLanes = hn::MaxLanes(hn::ScalableTag<T>());
  bool all[kLanes];
  store_result(mask, all);
  std::copy_n(all, std::min(count, kLanes), out);
}

// The formula of one vector of each input; load(in) gives that of an input.
template <typename Formula, typename T, class Load, std::size_t... I>
HWY_INLINE auto formula_of(const Formula& formula, const T* const* in, const Load& load,
                           std::index_sequence<I...>) {
  return formula(Simd<T>::of(load(in[I]))...);
}

// out[i] = formula(in[0][i], in[1][i], ...) for dense inputs. The last, partial vector is one like the
// others, so that an element's bits do not depend on where in a block it stands.
template <typename Formula, typename T, typename Out, std::size_t kArity>
void run_block(const void* erased, const void* const* inputs, void* output, Index n) {
  const Formula& formula = *static_cast<const Formula*>(erased);
  const hn::ScalableTag<T> tag;
  constexpr auto kInputs = std::make_index_sequence<kArity>();
  const auto lanes = static_cast<Index>(hn::Lanes(tag));
  const T* in[kArity];
  for (std::size_t i = 0; i < kArity; ++i) in[i] = static_cast<const T*>(inputs[i]);
  Out* out = static_cast<Out*>(output);
  Index at = 0;
  for (; at + lanes <= n; at += lanes) {
    const auto load = [&](const T* from) HWY_ATTR { return hn::LoadU(tag, from + at); };
    store_result(formula_of(formula, in, load, kInputs), out + at);
  }
  if (at == n) return;
  const auto left = static_cast<std::size_t>(n - at);
  const auto exist = hn::FirstN(tag, left);
  const auto load = [&](const T* from) HWY_ATTR { return hn::MaskedLoad(exist, tag, from + at); };
  store_part(formula_of(formula, in, load, kInputs), out + at, left);
}

}  // namespace HWY_NAMESPACE
}  // namespace splot
HWY_AFTER_NAMESPACE();

#endif
