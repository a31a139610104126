// Copying between strided windows of memory: what slices, joins and pads come down to.
#pragma once

#include <cstddef>

#include "splot/core/shape.h"
#include "splot/core/tensor.h"

namespace splot {

/// A part of a dense output that an op writes to: where it begins and how far apart its elements are.
struct Window {
  void* first = nullptr;
  Strides strides;
};

/// Copies the elements of `from` to a window of the same shape and dtype; on several threads when that pays.
/// The two must not overlap.
void copy_to_window(const Tensor& from, const Window& to);

/// Bytes moved on one thread in a microsecond, roughly: what decides whether threads are worth waking.
inline constexpr double kBytesPerMicrosecond = 8000.0;

}  // namespace splot
