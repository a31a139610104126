// Transforms: pictures changed by chance, so that a network sees a new one every time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/random.h"
#include "splot/core/shape.h"

namespace splot {

/// One change. Which of the numbers count depends on the name:
///
///   flip      left and right are exchanged
///   crop      `padding` pixels of `fill` are put around the picture, and a piece of its old size is cut out
///   shift     by up to `x` pixels to either side and `y` up or down
///   scale     by a factor from `low` to `high` around the middle
///   rotate    by up to `degrees` around the middle, either way
///   elastic   every pixel is moved a little: P. Y. Simard, D. Steinkraus, J. C. Platt, "Best practices for
///             convolutional neural networks applied to visual document analysis", ICDAR 2003. Two fields of
///             numbers from -1 to 1 are smoothed by a Gaussian of standard deviation `sigma`, times `alpha`
///
/// All numbers are drawn evenly. Pixels that come from outside have the value `fill`; what leaves the picture
/// is lost. Between pixels it is interpolated linearly.
struct Transform {
  std::string name = {};
  std::optional<double> p =
      {};  ///< the share of pictures it is done to; left out: 0.5 for flip, 1 for others
  Index padding = 4;
  double x = 2.0;
  double y = 2.0;
  double low = 0.9;
  double high = 1.1;
  double degrees = 10.0;
  double sigma = 4.0;
  double alpha = 34.0;
  Index fill = 0;  ///< 0 to 255

  friend bool operator==(const Transform&, const Transform&) = default;
};

/// What Transform::name can be.
SPLOT_API const std::vector<std::string>& transform_names();

/// What is wrong with a transform: "rotate: degrees must be 0 to 180, got 200". Empty: nothing.
SPLOT_API std::string problem_of(const Transform& transform);

/// Does the transforms, one after the other, to a picture of bytes [channels, height, width] in place. What
/// is drawn is a function of the key alone. Neighbouring ones that move pixels are done in one pass, so that
/// the picture is interpolated once. Throws ShapeError unless sample has three axes and as many numbers as
/// pixels.size(), ValueError for a transform with a problem.
///
///   transform_picture({{.name = "rotate", .degrees = 5}, {.name = "shift"}}, {.seed = 1}, {1, 28, 28},
///   pixels);
SPLOT_API void transform_picture(std::span<const Transform> transforms, const RandomKey& key,
                                 const Shape& sample, std::span<std::uint8_t> pixels);

}  // namespace splot
