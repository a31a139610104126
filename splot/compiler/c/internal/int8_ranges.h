// The ranges that 8 bits stand for, from numbers that were seen.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "splot/compiler/c/internal/int8_program.h"

namespace splot::compiler {

/// 256 steps from low to high, which are moved so that 0 is one of them: zeros of padding and relu are exact.
Quantisation quantisation_of(double low, double high);

/// The 8-bit number nearest to x, and the real number that one stands for.
int nearest_step(const Quantisation& q, double x);
/// Of a float, in the floats of C: halves to even, and what is no number to -128.
int step_of_float(const Quantisation& q, float x);
inline double real_of(const Quantisation& q, int step) { return q.scale * (step - q.zero); }

/// Real numbers to real numbers, all at once.
using NumberFunction = std::function<std::vector<double>(const std::vector<double>&)>;

/// How often numbers were seen: first the ends, then bins between them.
class SeenNumbers {
 public:
  void widen(std::span<const float> numbers);
  void count(std::span<const float> numbers);

  /// The quantisation with the least mean squared error, of ranges that are cut off at either end: rare
  /// large numbers make steps coarse for all others. With a function, the error is that of the function's
  /// values.
  Quantisation best(const NumberFunction& function = {}) const;

 private:
  double bin_width() const;

  double low_ = 0.0, high_ = 0.0;
  std::vector<double> bins_;
};

}  // namespace splot::compiler
