// The types an elementwise formula is instantiated for beside SIMD vectors: Plain<T>, one element, and Text,
// which prints C or CUDA. They are classes so that max, exp and the like in a formula are found by argument
// type.
#pragma once

#include <cmath>
#include <concepts>
#include <string>

#include "splot/core/attributes.h"
#include "splot/core/op.h"

namespace splot {

/// One element of a dtype: double for the reference, integers for the plain loops.
template <typename T>
struct Plain {
  using Element = T;
  T value;

  explicit Plain(double constant) : value(convert<T>(constant)) {}
  static Plain of(T value) {
    Plain out(0.0);
    out.value = value;
    return out;
  }

  friend Plain operator+(Plain a, Plain b) { return of(static_cast<T>(a.value + b.value)); }
  friend Plain operator-(Plain a, Plain b) { return of(static_cast<T>(a.value - b.value)); }
  friend Plain operator*(Plain a, Plain b) { return of(static_cast<T>(a.value * b.value)); }
  friend Plain operator/(Plain a, Plain b) { return of(static_cast<T>(a.value / b.value)); }
  friend Plain operator-(Plain a) { return of(static_cast<T>(-a.value)); }
  friend bool operator<(Plain a, Plain b) { return a.value < b.value; }
  friend bool operator>(Plain a, Plain b) { return a.value > b.value; }
  friend bool operator<=(Plain a, Plain b) { return a.value <= b.value; }
  friend bool operator>=(Plain a, Plain b) { return a.value >= b.value; }
  friend bool operator==(Plain a, Plain b) { return a.value == b.value; }
  friend bool operator!=(Plain a, Plain b) { return a.value != b.value; }
  friend Plain select(bool condition, Plain a, Plain b) { return condition ? a : b; }
  friend Plain max(Plain a, Plain b) { return a.value > b.value ? a : b; }
  friend Plain min(Plain a, Plain b) { return a.value < b.value ? a : b; }
  friend Plain abs(Plain a) { return a.value < T(0) ? -a : of(static_cast<T>(a.value + T(0))); }
  friend Plain fma(Plain a, Plain b, Plain c) {
    return of(static_cast<T>(std::fma(a.value, b.value, c.value)));
  }

#define SPLOT_PLAIN(name) \
  friend Plain name(Plain a) { return of(static_cast<T>(std::name(a.value))); }
  SPLOT_PLAIN(exp)
  SPLOT_PLAIN(expm1)
  SPLOT_PLAIN(log)
  SPLOT_PLAIN(log1p)
  SPLOT_PLAIN(sqrt)
  SPLOT_PLAIN(floor)
  SPLOT_PLAIN(ceil)
  SPLOT_PLAIN(sin)
  SPLOT_PLAIN(cos)
  SPLOT_PLAIN(tanh)
  SPLOT_PLAIN(atan)
  SPLOT_PLAIN(erf)
#undef SPLOT_PLAIN
  friend Plain round(Plain a) { return of(static_cast<T>(std::nearbyint(a.value))); }  // halves to even
  friend Plain pow(Plain a, Plain b) {
    if constexpr (std::is_integral_v<T>) {
      return of(integer_power(a.value, b.value));
    } else {
      return of(std::pow(a.value, b.value));
    }
  }

 private:
  // Wraps around like every integer product. A negative power of anything but 1 and -1 is a fraction: 0.
  static T integer_power(T base, T exponent) {
    using Unsigned = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
    if (exponent < T(0)) {
      if (base == T(1)) return T(1);
      if (base != static_cast<T>(-1)) return T(0);
      return exponent % 2 == 0 ? T(1) : static_cast<T>(-1);
    }
    Unsigned result = 1;
    auto power = static_cast<Unsigned>(base);
    for (auto left = static_cast<Unsigned>(exponent); left != 0; left /= 2) {
      if (left % 2 == 1) result *= power;
      power *= power;
    }
    return static_cast<T>(result);
  }
};

inline bool both(bool a, bool b) { return a && b; }
inline bool either(bool a, bool b) { return a || b; }

/// An expression under construction. Conditions are Text too.
struct SPLOT_API Text {
  std::string code;

  explicit Text(double constant);
  explicit Text(std::string expression) : code(std::move(expression)) {}
};

#define SPLOT_TEXT_INFIX(op)                                \
  inline Text operator op(const Text& a, const Text& b) {   \
    return Text('(' + a.code + " " #op " " + b.code + ')'); \
  }
SPLOT_TEXT_INFIX(+)
SPLOT_TEXT_INFIX(-)
SPLOT_TEXT_INFIX(*)
SPLOT_TEXT_INFIX(/)
SPLOT_TEXT_INFIX(<)
SPLOT_TEXT_INFIX(>)
SPLOT_TEXT_INFIX(<=)
SPLOT_TEXT_INFIX(>=)
SPLOT_TEXT_INFIX(==)
SPLOT_TEXT_INFIX(!=)
#undef SPLOT_TEXT_INFIX
inline Text both(const Text& a, const Text& b) { return Text('(' + a.code + " && " + b.code + ')'); }
inline Text either(const Text& a, const Text& b) { return Text('(' + a.code + " || " + b.code + ')'); }
inline Text operator-(const Text& a) { return Text("(-" + a.code + ')'); }
inline Text select(const Text& condition, const Text& a, const Text& b) {
  return Text('(' + condition.code + " ? " + a.code + " : " + b.code + ')');
}
#define SPLOT_TEXT_CALL1(name, c_name) \
  inline Text name(const Text& a) { return Text(c_name "(" + a.code + ')'); }
#define SPLOT_TEXT_CALL2(name, c_name) \
  inline Text name(const Text& a, const Text& b) { return Text(c_name "(" + a.code + ", " + b.code + ')'); }
SPLOT_TEXT_CALL1(abs, "fabsf")
SPLOT_TEXT_CALL1(exp, "expf")
SPLOT_TEXT_CALL1(expm1, "expm1f")
SPLOT_TEXT_CALL1(log, "logf")
SPLOT_TEXT_CALL1(log1p, "log1pf")
SPLOT_TEXT_CALL1(sqrt, "sqrtf")
SPLOT_TEXT_CALL1(floor, "floorf")
SPLOT_TEXT_CALL1(ceil, "ceilf")
SPLOT_TEXT_CALL1(round, "rintf")
SPLOT_TEXT_CALL1(sin, "sinf")
SPLOT_TEXT_CALL1(cos, "cosf")
SPLOT_TEXT_CALL1(tanh, "tanhf")
SPLOT_TEXT_CALL1(atan, "atanf")
SPLOT_TEXT_CALL1(erf, "erff")
SPLOT_TEXT_CALL2(max, "fmaxf")
SPLOT_TEXT_CALL2(min, "fminf")
SPLOT_TEXT_CALL2(pow, "powf")
#undef SPLOT_TEXT_CALL1
#undef SPLOT_TEXT_CALL2
inline Text fma(const Text& a, const Text& b, const Text& c) {
  return Text("fmaf(" + a.code + ", " + b.code + ", " + c.code + ')');
}

}  // namespace splot
