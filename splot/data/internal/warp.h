// warp(): a picture whose pixels come from other places.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "splot/core/index.h"

namespace splot::data_detail {

/// Where in the old picture a point of the new one lies, in pixels from the middle.
struct Affine {
  double xx = 1.0, xy = 0.0, x = 0.0;
  double yx = 0.0, yy = 1.0, y = 0.0;

  /// Of what has been enlarged `factor` times around the middle.
  static Affine enlarging(double factor);
  /// Of what has been turned around the middle, as the hands of a clock go.
  static Affine turning(double degrees);
  static Affine shifting(double right, double down);

  bool is_identity() const {
    return xx == 1.0 && xy == 0.0 && x == 0.0 && yx == 0.0 && yy == 1.0 && y == 0.0;
  }
  /// First `inner`, then this: what has been done before is the outer one.
  Affine after(const Affine& inner) const {
    return {xx * inner.xx + xy * inner.yx, xx * inner.xy + xy * inner.yy, xx * inner.x + xy * inner.y + x,
            yx * inner.xx + yy * inner.yx, yx * inner.xy + yy * inner.yy, yx * inner.x + yy * inner.y + y};
  }
};

/// How far each point moves; empty: not at all.
struct Field {
  std::vector<float> x, y;
};

struct PictureView {
  Index channels, height, width;
  std::span<std::uint8_t> pixels;
};

/// Every pixel of the new picture is what the old one has where the map says, moved by the field. Linear
/// between pixels; outside there is `fill`.
void warp(const PictureView& picture, const Affine& map, const Field& field, double fill);

}  // namespace splot::data_detail
