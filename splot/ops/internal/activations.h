// What the activations and their gradients share.
#pragma once

#include "splot/core/attributes.h"
#include "splot/ops/activations.h"

namespace splot {

inline constexpr double kSqrtHalf = 0.70710678118654752;   // 1 / sqrt(2)
inline constexpr double kGeluInner = 0.79788456080286536;  // sqrt(2 / pi)
inline constexpr double kGeluCubic = 0.044715;  // Hendrycks and Gimpel, "Gaussian error linear units", 2016
inline constexpr double kNormalPeak = 0.39894228040143268;  // 1 / sqrt(2 pi)

inline Gelu gelu_form(const Attrs& attrs) { return attrs.flag("tanh") ? Gelu::tanh : Gelu::erf; }

}  // namespace splot
