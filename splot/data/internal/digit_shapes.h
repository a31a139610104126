// The ways of writing the ten digits, as pen strokes.
#pragma once

#include <span>

namespace splot::digits {

/// A point the pen passes; x to the right and y down, the digit about 1 high. The way between points is
/// smooth, except at a corner.
struct Knot {
  float x;
  float y;
  bool corner = false;
};

using Stroke = std::span<const Knot>;

struct Style {
  int weight;  // how often, relative to the digit's other styles
  std::span<const Stroke> strokes;
};

std::span<const Style> styles(int digit);

}  // namespace splot::digits
