// Images of another size.
#pragma once

#include <cstdint>

#include "splot/core/tensor.h"

namespace splot {

enum class ResizeMode : std::uint8_t { nearest, bilinear };

struct ResizeOptions {
  ResizeMode mode = ResizeMode::bilinear;
  /// The corner pixels' centres stay where they are, instead of the image's edges; for bilinear alone.
  bool align_corners = false;
};

/// Images interpolated at another size, {H', W'} or one number for both; PyTorch's interpolate(), without
/// antialiasing.
///
///   x[N, C, H, W] -> [N, C, H', W'] or x[C, H, W] -> [C, H', W']
///
/// Throws ValueError unless the size is positive, ShapeError for images without pixels.
///
///   Tensor y = resize(x, {32, 32}, {.mode = ResizeMode::nearest});
SPLOT_API Tensor resize(const Tensor& x, const Ints& size, const ResizeOptions& options = {});

}  // namespace splot
