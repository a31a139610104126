#include "splot/train/robustness.h"

#include <algorithm>
#include <cmath>

#include "splot/core/error.h"
#include "splot/train/classification.h"

namespace splot {
namespace {

// Pictures of 28 x 28, in which a digit is shifted by whole pixels, are the measure for larger ones.
double step_for(const Shape& sample) {
  return std::max(1.0, std::floor(static_cast<double>(std::min(sample[1], sample[2])) / 28.0));
}

}  // namespace

std::size_t Robustness::unscaled() const {
  return static_cast<std::size_t>(std::find(scales.begin(), scales.end(), 1.0) - scales.begin());
}

double Robustness::at(std::size_t scale, Index right, Index down) const {
  require<IndexError>(scale < scales.size() && std::abs(right) <= shift && std::abs(down) <= shift,
                      "robustness", "there is no scale ", scale, " of ", scales.size(), " with a shift by ",
                      right, ", ", down, "; shifts go to ", shift);
  const Index side = 2 * shift + 1;
  const Index place = (static_cast<Index>(scale) * side + down + shift) * side + right + shift;
  return moved[static_cast<std::size_t>(place)];
}

double Robustness::worst(std::size_t scale, Index steps) const {
  double out = 1.0;
  for (Index down = -steps; down <= steps; ++down) {
    for (Index right = -steps; right <= steps; ++right) out = std::min(out, at(scale, right, down));
  }
  return out;
}

Robustness measure_robustness(Layer& model, const Dataset& test, const RobustnessOptions& options) {
  const std::vector<double>& scales = options.scales;
  require<ValueError>(options.shift >= 0 && options.step >= 0.0, "robustness",
                      "shift and step must not be negative, got ", options.shift, " and ", options.step);
  require<ValueError>(std::find(scales.begin(), scales.end(), 1.0) != scales.end(), "robustness",
                      "the scales must have 1 among them");
  require(test.sample_shape().rank() == 3, "robustness", "pictures are [channels, height, width], got ",
          test.sample_shape());
  Robustness out{.examples = test.size(),
                 .shift = options.shift,
                 .step = options.step > 0.0 ? options.step : step_for(test.sample_shape()),
                 .fill = edge_level(test),
                 .scales = scales,
                 .degrees = options.degrees,
                 .moved = {},
                 .turned = {}};
  const Index side = 2 * out.shift + 1;
  const Index passes =
      side * side * static_cast<Index>(scales.size()) + static_cast<Index>(out.degrees.size());
  Index done = 0;
  const auto accuracy_after = [&](const Motion& motion) {
    const double accuracy = confusion_matrix(model, with_motion(test, motion, out.fill)).accuracy();
    ++done;
    if (options.progress) options.progress(done, passes);
    return accuracy;
  };
  for (const double scale : scales) {
    for (Index down = -out.shift; down <= out.shift; ++down) {
      for (Index right = -out.shift; right <= out.shift; ++right) {
        out.moved.push_back(accuracy_after({.right = static_cast<double>(right) * out.step,
                                            .down = static_cast<double>(down) * out.step,
                                            .scale = scale}));
      }
    }
  }
  for (const double degrees : out.degrees) out.turned.push_back(accuracy_after({.degrees = degrees}));
  return out;
}

}  // namespace splot
