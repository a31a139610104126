#include "splot/data/transforms.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "splot/core/error.h"

namespace splot {
namespace {

// Where in the old picture a point of the new one lies, in pixels from the middle.
struct Affine {
  double xx = 1.0, xy = 0.0, x = 0.0;
  double yx = 0.0, yy = 1.0, y = 0.0;

  bool is_identity() const {
    return xx == 1.0 && xy == 0.0 && x == 0.0 && yx == 0.0 && yy == 1.0 && y == 0.0;
  }
  /// First `inner`, then this: what has been done before is the outer one.
  Affine after(const Affine& inner) const {
    return {xx * inner.xx + xy * inner.yx, xx * inner.xy + xy * inner.yy, xx * inner.x + xy * inner.y + x,
            yx * inner.xx + yy * inner.yx, yx * inner.xy + yy * inner.yy, yx * inner.x + yy * inner.y + y};
  }
};

// How far each point moves; empty: not at all.
struct Field {
  std::vector<float> x, y;
};

struct PictureView {
  Index channels, height, width;
  std::span<std::uint8_t> pixels;
};

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

// A picture is moved at once by everything that has been gathered.
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

std::vector<float> gaussian(double sigma) {
  const auto reach = static_cast<Index>(4.0 * sigma + 0.5);
  std::vector<double> weights;
  double sum = 0.0;
  for (Index i = -reach; i <= reach; ++i) {
    const double z = static_cast<double>(i) / sigma;
    weights.push_back(std::exp(-0.5 * z * z));
    sum += weights.back();
  }
  std::vector<float> out;
  for (const double w : weights) out.push_back(static_cast<float>(w / sum));
  return out;
}

// Down the columns of rows of `width` numbers; outside there are zeros. The answer is turned: its rows are
// the columns, so that the second call smooths along the other axis and turns it back.
std::vector<float> smoothed_and_turned(const std::vector<float>& field, Index height, Index width,
                                       const std::vector<float>& kernel) {
  const auto reach = static_cast<Index>(kernel.size() / 2);
  std::vector<float> out(field.size());
  std::vector<float> sums(static_cast<std::size_t>(width));
  for (Index row = 0; row < height; ++row) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (Index k = std::max(-reach, -row); k <= std::min(reach, height - 1 - row); ++k) {
      const float weight = kernel[static_cast<std::size_t>(k + reach)];
      const float* from = field.data() + (row + k) * width;
      float* to = sums.data();
      for (Index i = 0; i < width; ++i) to[i] += weight * from[i];
    }
    for (Index i = 0; i < width; ++i)
      out[static_cast<std::size_t>(i * height + row)] = sums[static_cast<std::size_t>(i)];
  }
  return out;
}

Field elastic_field(const Transform& t, const PictureView& picture, RandomStream& random) {
  const std::vector<float> kernel = gaussian(t.sigma);
  const auto alpha = static_cast<float>(t.alpha);
  Field out;
  for (std::vector<float>* part : {&out.x, &out.y}) {
    part->resize(static_cast<std::size_t>(picture.height * picture.width));
    // 24 bits are all that a float takes: -1 + 2 u.
    for (float& v : *part) v = static_cast<float>(random.bits() >> 8) * 0x1p-23f - 1.0f;
    *part = smoothed_and_turned(*part, picture.height, picture.width, kernel);
    *part = smoothed_and_turned(*part, picture.width, picture.height, kernel);
    for (float& v : *part) v *= alpha;
  }
  return out;
}

// What one transform draws, seen from the new picture.
Affine affine_of(const Transform& t, RandomStream& random) {
  const auto between = [&](double bound) { return random.uniform(-bound, bound); };
  if (t.name == "flip") return {.xx = -1.0};
  if (t.name == "shift") {
    const double x = between(t.x);
    return {.x = -x, .y = -between(t.y)};
  }
  if (t.name == "crop") {
    const auto whole = [&] {
      return static_cast<double>(random.below(static_cast<std::uint64_t>(2 * t.padding + 1))) -
             static_cast<double>(t.padding);
    };
    const double x = whole();
    return {.x = x, .y = whole()};
  }
  if (t.name == "scale") {
    const double factor = random.uniform(t.low, t.high);
    return {.xx = 1.0 / factor, .yy = 1.0 / factor};
  }
  const double angle = between(t.degrees) * std::numbers::pi / 180.0;  // rotate
  return {.xx = std::cos(angle), .xy = std::sin(angle), .yx = -std::sin(angle), .yy = std::cos(angle)};
}

}  // namespace

const std::vector<std::string>& transform_names() {
  static const std::vector<std::string> names = {"flip", "crop", "shift", "scale", "rotate", "elastic"};
  return names;
}

std::string problem_of(const Transform& t) {
  const auto outside = [&](const char* what, double value, double low, double high) {
    const bool inside = value >= low && value <= high;  // not a number is outside
    return inside ? std::string() : join(t.name, ": ", what, " must be ", low, " to ", high, ", got ", value);
  };
  const std::vector<std::string>& names = transform_names();
  if (std::find(names.begin(), names.end(), t.name) == names.end()) {
    return join("there is no transform \"", t.name, '"');
  }
  for (const std::string& found :
       {outside("p", t.p.value_or(1.0), 0.0, 1.0),
        outside("padding", static_cast<double>(t.padding), 0.0, 1e4), outside("x", t.x, 0.0, 1e4),
        outside("y", t.y, 0.0, 1e4), outside("low", t.low, 0.01, 100.0), outside("high", t.high, 0.01, 100.0),
        outside("degrees", t.degrees, 0.0, 180.0), outside("sigma", t.sigma, 0.1, 100.0),
        outside("alpha", t.alpha, 0.0, 1e4), outside("fill", static_cast<double>(t.fill), 0.0, 255.0)}) {
    if (!found.empty()) return found;
  }
  if (t.low > t.high) return join(t.name, ": low is ", t.low, ", more than high, ", t.high);
  return {};
}

void transform_picture(std::span<const Transform> transforms, const RandomKey& key, const Shape& sample,
                       std::span<std::uint8_t> pixels) {
  require(sample.rank() == 3 && sample.numel() == static_cast<Index>(pixels.size()), "transform",
          "pictures are [channels, height, width], got ", sample, " and ", pixels.size(), " pixels");
  const PictureView picture{sample[0], sample[1], sample[2], pixels};
  Affine map;
  double fill = 0.0;
  const auto flush = [&](const Field& field) {
    if (!map.is_identity() || !field.x.empty()) warp(picture, map, field, fill);
    map = {};
  };
  for (std::size_t i = 0; i < transforms.size(); ++i) {
    const Transform& t = transforms[i];
    // A stream for each, so that what one draws does not depend on the others.
    RandomStream random(key.with_stream(key.stream + i));
    const std::string problem = problem_of(t);
    require<ValueError>(problem.empty(), "transform", problem);
    const double p = t.p.value_or(t.name == "flip" ? 0.5 : 1.0);
    if (!(random.uniform() < p)) continue;
    if (static_cast<double>(t.fill) != fill) flush({});
    fill = static_cast<double>(t.fill);
    if (t.name == "elastic") {
      flush(elastic_field(t, picture, random));
    } else {
      map = map.after(affine_of(t, random));
    }
  }
  flush({});
}

}  // namespace splot
