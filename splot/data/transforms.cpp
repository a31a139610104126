#include "splot/data/transforms.h"

#include <algorithm>
#include <array>
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
  std::vector<double> x, y;
};

struct PictureView {
  Index channels, height, width;
  std::span<std::uint8_t> pixels;
};

// The four pixels around a point, and how much of each; -1: outside.
struct Neighbours {
  std::array<Index, 4> at;
  std::array<double, 4> share;
};

Neighbours neighbours_of(double x, double y, Index height, Index width) {
  const double left = std::floor(x), top = std::floor(y);
  const double right = x - left, below = y - top;
  const auto u = static_cast<Index>(left), v = static_cast<Index>(top);
  Neighbours out{
      {}, {(1.0 - right) * (1.0 - below), right * (1.0 - below), (1.0 - right) * below, right * below}};
  for (std::size_t i = 0; i < 4; ++i) {
    const Index column = u + static_cast<Index>(i % 2), row = v + static_cast<Index>(i / 2);
    const bool inside = column >= 0 && column < width && row >= 0 && row < height;
    out.at[i] = inside ? row * width + column : -1;
  }
  return out;
}

// A picture is moved at once by everything that has been gathered.
void warp(const PictureView& picture, const Affine& map, const Field& field, double fill) {
  const double middle_x = static_cast<double>(picture.width - 1) / 2.0;
  const double middle_y = static_cast<double>(picture.height - 1) / 2.0;
  const Index plane = picture.height * picture.width;
  const std::vector<std::uint8_t> old(picture.pixels.begin(), picture.pixels.end());
  // So far outside that nothing of the picture is near; also keeps numbers that are cast in range.
  const auto bounded = [](double v, Index size) {
    return std::clamp(v, -2.0, static_cast<double>(size) + 1.0);
  };
  for (Index row = 0; row < picture.height; ++row) {
    for (Index column = 0; column < picture.width; ++column) {
      const Index i = row * picture.width + column;
      const bool moved = !field.x.empty();
      const double px =
          static_cast<double>(column) - middle_x + (moved ? field.x[static_cast<std::size_t>(i)] : 0.0);
      const double py =
          static_cast<double>(row) - middle_y + (moved ? field.y[static_cast<std::size_t>(i)] : 0.0);
      const double x = bounded(map.xx * px + map.xy * py + map.x + middle_x, picture.width);
      const double y = bounded(map.yx * px + map.yy * py + map.y + middle_y, picture.height);
      const Neighbours around = neighbours_of(x, y, picture.height, picture.width);
      for (Index c = 0; c < picture.channels; ++c) {
        const std::uint8_t* from = old.data() + c * plane;
        double value = 0.0;
        for (std::size_t k = 0; k < 4; ++k) {
          value += around.share[k] * (around.at[k] < 0 ? fill : static_cast<double>(from[around.at[k]]));
        }
        picture.pixels[static_cast<std::size_t>(c * plane + i)] = static_cast<std::uint8_t>(value + 0.5);
      }
    }
  }
}

std::vector<double> gaussian(double sigma) {
  const auto reach = static_cast<Index>(4.0 * sigma + 0.5);
  std::vector<double> out;
  double sum = 0.0;
  for (Index i = -reach; i <= reach; ++i) {
    const double z = static_cast<double>(i) / sigma;
    out.push_back(std::exp(-0.5 * z * z));
    sum += out.back();
  }
  for (double& w : out) w /= sum;
  return out;
}

// Along one axis of rows of `length` numbers `step` apart; outside there are zeros.
void smooth(std::vector<double>& values, Index rows, Index row_step, Index length, Index step,
            const std::vector<double>& kernel) {
  const auto reach = static_cast<Index>(kernel.size() / 2);
  std::vector<double> line(static_cast<std::size_t>(length));
  for (Index r = 0; r < rows; ++r) {
    double* first = values.data() + r * row_step;
    for (Index i = 0; i < length; ++i) line[static_cast<std::size_t>(i)] = first[i * step];
    for (Index i = 0; i < length; ++i) {
      double sum = 0.0;
      for (Index k = std::max(-reach, -i); k <= std::min(reach, length - 1 - i); ++k) {
        sum += kernel[static_cast<std::size_t>(k + reach)] * line[static_cast<std::size_t>(i + k)];
      }
      first[i * step] = sum;
    }
  }
}

Field elastic_field(const Transform& t, const PictureView& picture, RandomStream& random) {
  const std::vector<double> kernel = gaussian(t.sigma);
  Field out;
  for (std::vector<double>* part : {&out.x, &out.y}) {
    part->resize(static_cast<std::size_t>(picture.height * picture.width));
    for (double& v : *part) v = random.uniform(-1.0, 1.0);
    smooth(*part, picture.height, picture.width, picture.width, 1, kernel);
    smooth(*part, picture.width, 1, picture.height, picture.width, kernel);
    for (double& v : *part) v *= t.alpha;
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
