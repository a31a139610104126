// check_gradients(): derivatives against central differences, for the library's ops and for a user's
// function.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "splot/autodiff/autodiff.h"

namespace splot {

struct CheckGradientsOptions {
  int orders = 2;           ///< 1: gradients; 2: also gradients of gradients; up to 3
  int directions = 2;       ///< random directions for each input
  double step = 1e-3;       ///< between the points of a difference, which spans three steps to either side
  double tolerance = 1e-6;  ///< greatest relative error at order 1; each further order may err ten times more
  std::uint64_t seed = 1;   ///< of directions and cotangents
  std::span<const int> of{};  ///< numbers of the inputs to differentiate by; empty: every floating one
};

/// One comparison: the derivative along a direction as the library has it, and as differences give it.
struct GradientComparison {
  double error = 0;  ///< |analytic - numeric| relative to the larger; infinite where one is NaN
  int order = 0;
  int input = -1;  ///< its number; after the last input come the cotangents of the outputs (order 2)
  double analytic = 0;
  double numeric = 0;
};

struct SPLOT_API GradientCheck {
  bool passed = true;
  int comparisons = 0;
  GradientComparison worst;           ///< by error over tolerance
  double worst_error[3] = {0, 0, 0};  ///< of orders 1, 2, 3
  int comparisons_of_order[3] = {0, 0, 0};
  /// "order 1, input 0: the derivative is 2, differences give 4 (relative error 0.5)"
  std::string to_string() const;
};

/// Compares the derivatives of f with central differences of sixth order in float64, along random directions
/// and with random cotangents (all ones would hide, say, a softmax whose gradient is zero there). Order 2
/// differentiates the derivative of order 1, by the inputs and by the cotangents. Also checked: a gradient is
/// the same whether it is asked for alone or with the others.
///
/// f must be deterministic, calculate in the dtype of its inputs, and be smooth within three steps of them:
/// near a kink (relu at 0) a correct derivative is rejected. Floating inputs are converted to float64; others
/// are passed on. Throws ValueError when no input is floating or orders is not 1 to 3, and whatever f throws.
///
///   const GradientCheck check = check_gradients(
///       [](std::span<const Tensor> in) { return TensorList{my_loss(in[0], in[1])}; }, {x, w});
///   if (!check.passed) throw std::runtime_error(check.to_string());
SPLOT_API GradientCheck check_gradients(const Function& f, std::span<const Tensor> inputs,
                                        const CheckGradientsOptions& options = {});
SPLOT_API GradientCheck check_gradients(const Function& f, std::initializer_list<Tensor> inputs,
                                        const CheckGradientsOptions& options = {});

}  // namespace splot
