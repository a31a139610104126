#include "splot/data/internal/warp.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace splot::data_detail {
namespace {

// Coordinates are kept in here before they become whole numbers: from -2 to two pixels beyond the end there
// is nothing but `fill`.
double bounded(double v, Index size) { return std::clamp(v, -2.0, static_cast<double>(size) + 1.0); }

// Linear between the four pixels around a point.
struct Sampler {
  const std::uint8_t* plane;
  Index height, width;
  double fill;

  double operator()(double x, double y) const {
    // Truncated, which is much faster than rounded down, and the same above zero.
    const Index u = static_cast<Index>(x + 2.0) - 2, v = static_cast<Index>(y + 2.0) - 2;
    const double right = x - static_cast<double>(u), below = y - static_cast<double>(v);
    double corners[4];
    if (u >= 0 && v >= 0 && u + 1 < width && v + 1 < height) {
      const std::uint8_t* p = plane + v * width + u;
      corners[0] = p[0], corners[1] = p[1], corners[2] = p[width], corners[3] = p[width + 1];
    } else {
      for (Index i = 0; i < 4; ++i) {
        const Index column = u + i % 2, row = v + i / 2;
        const bool inside = column >= 0 && column < width && row >= 0 && row < height;
        corners[i] = inside ? plane[row * width + column] : fill;
      }
    }
    const double upper = corners[0] + right * (corners[1] - corners[0]);
    const double lower = corners[2] + right * (corners[3] - corners[2]);
    return upper + below * (lower - upper);
  }
};

// Whole pixels to the side, perhaps mirrored: nothing has to be calculated. False when it is more than that.
bool copy_pixels(const PictureView& picture, const Affine& map, const Sampler& from, std::uint8_t* to) {
  if (map.xy != 0.0 || map.yx != 0.0 || map.yy != 1.0 || std::abs(map.xx) != 1.0) return false;
  const double middle = static_cast<double>(picture.width - 1) / 2.0;
  const double first = middle + map.x - map.xx * middle;  // of the old columns, for column 0
  if (std::abs(first) > 1e6 || std::abs(map.y) > 1e6) return false;
  const auto left = static_cast<Index>(first), top = static_cast<Index>(map.y);
  if (static_cast<double>(left) != first || static_cast<double>(top) != map.y) return false;
  // Of the old row, the columns that stay inside; mirrored, column i comes from left - i.
  const bool mirrored = map.xx < 0.0;
  const Index width = picture.width;
  const Index begin = std::clamp<Index>(mirrored ? left - width + 1 : -left, 0, width);
  const Index end = std::clamp<Index>(mirrored ? left + 1 : width - left, begin, width);
  const auto fill = static_cast<std::uint8_t>(from.fill);
  for (Index row = top; row < top + picture.height; ++row, to += width) {
    if (row < 0 || row >= picture.height) {
      std::fill(to, to + width, fill);
      continue;
    }
    const std::uint8_t* old = from.plane + row * width;
    std::fill(to, to + begin, fill);
    if (mirrored) {
      std::reverse_copy(old + left - end + 1, old + left - begin + 1, to + begin);
    } else {
      std::copy(old + left + begin, old + left + end, to + begin);
    }
    std::fill(to + end, to + width, fill);
  }
  return true;
}

void warp_plane(const PictureView& picture, const Affine& map, const Field& field, const Sampler& from,
                std::uint8_t* to) {
  const double middle_x = static_cast<double>(picture.width - 1) / 2.0;
  const double middle_y = static_cast<double>(picture.height - 1) / 2.0;
  const bool moved = !field.x.empty();
  std::size_t i = 0;
  for (Index row = 0; row < picture.height; ++row) {
    for (Index column = 0; column < picture.width; ++column, ++i) {
      const double px =
          static_cast<double>(column) - middle_x + (moved ? static_cast<double>(field.x[i]) : 0.0);
      const double py = static_cast<double>(row) - middle_y + (moved ? static_cast<double>(field.y[i]) : 0.0);
      const double x = bounded(map.xx * px + map.xy * py + map.x + middle_x, picture.width);
      const double y = bounded(map.yx * px + map.yy * py + map.y + middle_y, picture.height);
      to[i] = static_cast<std::uint8_t>(from(x, y) + 0.5);
    }
  }
}

}  // namespace

Affine Affine::enlarging(double factor) { return {.xx = 1.0 / factor, .yy = 1.0 / factor}; }

Affine Affine::turning(double degrees) {
  const double angle = degrees * std::numbers::pi / 180.0;
  return {.xx = std::cos(angle), .xy = std::sin(angle), .yx = -std::sin(angle), .yy = std::cos(angle)};
}

Affine Affine::shifting(double right, double down) { return {.x = -right, .y = -down}; }

void warp(const PictureView& picture, const Affine& map, const Field& field, double fill) {
  const Index plane = picture.height * picture.width;
  std::vector<std::uint8_t> old(static_cast<std::size_t>(plane));
  for (Index c = 0; c < picture.channels; ++c) {
    std::uint8_t* to = picture.pixels.data() + c * plane;
    std::copy(to, to + plane, old.begin());
    const Sampler from{old.data(), picture.height, picture.width, fill};
    if (!field.x.empty() || !copy_pixels(picture, map, from, to)) warp_plane(picture, map, field, from, to);
  }
}

}  // namespace splot::data_detail
