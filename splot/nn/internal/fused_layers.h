// Neighbours in a container that run as one op: a convolution, the batch norm behind it where that is in use,
// the relu behind both.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "splot/nn/layer.h"

namespace splot {

/// The most layers that run as one.
inline constexpr std::size_t kMostFused = 3;

/// Runs as many of the first of these layers as make one op: x becomes their output, and the answer is how
/// many they were; 0: none, and nothing was done. Each layer takes the output of the one before it, which
/// nobody else takes. The same as running them one by one, but for the rounding of batch norm; not done where
/// somebody observes them.
std::size_t run_fused(std::span<Layer* const> layers, Tensor& x, Context& context);

}  // namespace splot
