#include "splot/data/transforms.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "splot/core/error.h"
#include "splot/data/internal/warp.h"

namespace splot {
namespace {

using data_detail::Affine;
using data_detail::Field;
using data_detail::PictureView;
using data_detail::warp;

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
    return Affine::shifting(x, between(t.y));
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
    return Affine::enlarging(random.uniform(t.low, t.high));
  }
  return Affine::turning(between(t.degrees));  // rotate
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
