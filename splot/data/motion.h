// Motions: pictures moved on purpose, to see what a network makes of them.
#pragma once

#include <cstdint>
#include <span>

#include "splot/core/export.h"
#include "splot/core/shape.h"
#include "splot/data/dataset.h"

namespace splot {

/// A picture is enlarged and turned around its middle, then shifted. What leaves the frame is lost.
struct Motion {
  double right = 0.0;    ///< pixels; below 0: to the left
  double down = 0.0;     ///< pixels; below 0: up
  double scale = 1.0;    ///< above 1: larger
  double degrees = 0.0;  ///< as the hands of a clock go

  friend bool operator==(const Motion&, const Motion&) = default;
};

/// Moves a picture of bytes [channels, height, width] in place; linear between pixels, `fill` where it had
/// none. Throws ShapeError unless sample has three axes and as many numbers as pixels.size(), ValueError
/// unless all numbers of the motion are finite, the scale 0.01 to 100 and the fill 0 to 255.
///
///   move_picture({.right = 4, .scale = 0.7}, 0, {1, 28, 28}, pixels);
SPLOT_API void move_picture(const Motion& motion, Index fill, const Shape& sample,
                            std::span<std::uint8_t> pixels);

/// The same examples with every picture moved; it is done when they are read and takes no memory. Transforms
/// of the data, which only a Loader does, are left out. Throws what move_picture() throws, and DTypeError
/// unless examples are bytes.
///
///   double accuracy_of_small_digits = evaluate(net, loss, with_motion(mnist.test, {.scale = 0.7}), metrics);
SPLOT_API Dataset with_motion(const Dataset& data, const Motion& motion, Index fill = 0);

/// The median of the bytes along the edges of up to `most` pictures spread over the data: what a moved
/// picture is filled up with so that its frame does not show. 0 for data without pictures of bytes.
SPLOT_API Index edge_level(const Dataset& data, Index most = 100);

}  // namespace splot
