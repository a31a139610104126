// Initializer: where the first value of a parameter comes from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "splot/core/export.h"
#include "splot/core/random.h"
#include "splot/core/tensor.h"

namespace splot {

/// A recipe for first values, small enough to be an option and plain enough to be saved as text. Made by the
/// functions of namespace init.
///
/// The fans are sizes of the weight: [out, in, k...] has fan_in = in k..., fan_out = out k...; a list [n] has
/// n for both. A bias takes those of its weight, from the layer (with_fans()).
///
///   Linear(784, 30, {.weight_init = init::inverse_sqrt_normal(), .bias_init = init::normal(0.0, 1.0)});
///
/// Threads: a value; many may read one object, or one change it.
class SPLOT_API Initializer {
 public:
  enum class Kind : std::uint8_t {
    constant,
    normal,
    uniform,
    inverse_sqrt_normal,
    inverse_sqrt_uniform,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    lecun_uniform,
  };

  /// Zeros.
  constexpr Initializer() = default;
  constexpr explicit Initializer(Kind kind, double first = 0.0, double second = 0.0)
      : kind_(kind), first_(first), second_(second) {}

  /// The same with the fans of another tensor.
  Initializer with_fans(const Shape& weight) const;

  /// The values: a function of shape, dtype and key alone. float32 values are the rounded float64 ones.
  Tensor draw(const Shape& shape, DType dtype, const RandomKey& key) const;

  /// "normal(0, 1)", "he_uniform", ...; parse() reads it back.
  std::string to_string() const;
  /// Other names are understood too: zeros, ones, lecun_normal (inverse_sqrt_normal), xavier_* (glorot_*),
  /// kaiming_* (he_*). Throws ValueError for text that names no initialiser or gives it the wrong number of
  /// arguments.
  static Initializer parse(std::string_view text);

  friend bool operator==(const Initializer& a, const Initializer& b) {
    return a.kind_ == b.kind_ && a.first_ == b.first_ && a.second_ == b.second_;
  }

 private:
  Kind kind_ = Kind::constant;
  double first_ = 0.0;
  double second_ = 0.0;
  Index fan_in_ = 0;  // 0: from the shape
  Index fan_out_ = 0;
};

namespace init {

constexpr Initializer constant(double value) { return Initializer(Initializer::Kind::constant, value); }
constexpr Initializer zeros() { return constant(0.0); }
constexpr Initializer ones() { return constant(1.0); }
/// N(mean, std^2); normal() is N(0, 1).
constexpr Initializer normal(double mean = 0.0, double std = 1.0) {
  return Initializer(Initializer::Kind::normal, mean, std);
}
constexpr Initializer uniform(double low, double high) {
  return Initializer(Initializer::Kind::uniform, low, high);
}
/// N(0, 1 / fan_in): keeps a sum of fan_in terms near 1.
constexpr Initializer inverse_sqrt_normal() { return Initializer(Initializer::Kind::inverse_sqrt_normal); }
/// The same variance, uniform: U(-sqrt(3/fan_in), sqrt(3/fan_in)). LeCun et al. 1998, "Efficient backprop",
/// has both; inverse_sqrt_normal() is also called lecun_normal.
constexpr Initializer lecun_uniform() { return Initializer(Initializer::Kind::lecun_uniform); }
/// U(-1/sqrt(fan_in), 1/sqrt(fan_in)): PyTorch's default for Linear, and ours.
constexpr Initializer inverse_sqrt_uniform() { return Initializer(Initializer::Kind::inverse_sqrt_uniform); }
/// Glorot and Bengio 2010: variance 2 / (fan_in + fan_out); for tanh and sigmoid.
constexpr Initializer glorot_normal() { return Initializer(Initializer::Kind::glorot_normal); }
constexpr Initializer glorot_uniform() { return Initializer(Initializer::Kind::glorot_uniform); }
/// He et al. 2015: variance 2 / fan_in; for relu.
constexpr Initializer he_normal() { return Initializer(Initializer::Kind::he_normal); }
constexpr Initializer he_uniform() { return Initializer(Initializer::Kind::he_uniform); }

}  // namespace init
}  // namespace splot
