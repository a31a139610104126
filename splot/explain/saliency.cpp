#include "splot/explain/saliency.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "splot/autodiff/autodiff.h"
#include "splot/core/error.h"
#include "splot/core/node.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

void check_input(const char* name, const Tensor& x) {
  require(x.rank() == 4 && x.shape()[0] == 1 && x.numel() > 0, name, "takes one picture [1, C, H, W], got x",
          x);
}

// One output of every row.
Tensor output_of(const char* name, const Tensor& y, Index output) {
  require(y.rank() == 2, name, "the network should answer [N, outputs], it answers y", y);
  require<IndexError>(output >= 0 && output < y.shape()[1], name, "there is no output ", output, " of ",
                      y.shape()[1]);
  return select(y, 1, output);
}

// From one edge to the other, the last one at the edge itself.
std::vector<Index> starts(Index length, Index patch, Index step) {
  std::vector<Index> out;
  for (Index at = 0; at + patch < length; at += step) out.push_back(at);
  out.push_back(length - patch);
  return out;
}

}  // namespace

Tensor occlusion(Layer& model, const Tensor& x, Index output, const OcclusionOptions& options) {
  check_input("occlusion", x);
  const Index channels = x.shape()[1];
  const Index height = x.shape()[2];
  const Index width = x.shape()[3];
  const Index shorter = std::min(height, width);
  const Index patch = options.patch == 0 ? std::max<Index>(1, shorter / 4) : options.patch;
  const Index step = options.step == 0 ? std::max<Index>(1, patch / 2) : options.step;
  require<ValueError>(patch > 0 && step > 0 && options.batch > 0, "occlusion", "patch, step and batch are ",
                      options.patch, ", ", options.step, " and ", options.batch, "; they cannot be negative");
  require<ValueError>(patch <= shorter, "occlusion", "a patch of ", patch, " does not fit into ", height,
                      " x ", width);
  const NoGrad off;
  const double before = output_of("occlusion", model(x), output).to_vector<double>()[0];
  const std::vector<float> picture = x.to_vector<float>();
  std::vector<std::pair<Index, Index>> places;
  for (const Index top : starts(height, patch, step)) {
    for (const Index left : starts(width, patch, step)) places.emplace_back(top, left);
  }
  std::vector<double> sum(static_cast<std::size_t>(height * width));
  std::vector<double> count(sum.size());
  const auto each_pixel = [&](std::pair<Index, Index> place, const auto& f) {
    for (Index r = place.first; r < place.first + patch; ++r) {
      for (Index c = place.second; c < place.second + patch; ++c) f(static_cast<std::size_t>(r * width + c));
    }
  };
  for (std::size_t first = 0; first < places.size(); first += static_cast<std::size_t>(options.batch)) {
    const std::size_t n = std::min(places.size() - first, static_cast<std::size_t>(options.batch));
    std::vector<float> covered;
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<float> one = picture;
      each_pixel(places[first + i], [&](std::size_t pixel) {
        for (Index c = 0; c < channels; ++c) {
          one[static_cast<std::size_t>(c) * sum.size() + pixel] = static_cast<float>(options.value);
        }
      });
      covered.insert(covered.end(), one.begin(), one.end());
    }
    const Tensor batch =
        cast(Tensor::from(covered, {static_cast<Index>(n), channels, height, width}), x.dtype());
    const std::vector<double> after = output_of("occlusion", model(batch), output).to_vector<double>();
    for (std::size_t i = 0; i < n; ++i) {
      each_pixel(places[first + i], [&](std::size_t pixel) {
        sum[pixel] += before - after[i];
        count[pixel] += 1.0;
      });
    }
  }
  std::vector<float> mean(sum.size());
  for (std::size_t i = 0; i < sum.size(); ++i)
    mean[i] = count[i] > 0.0 ? static_cast<float>(sum[i] / count[i]) : 0.0f;
  return Tensor::from(mean, {height, width});
}

Tensor gradient_saliency(Layer& model, const Tensor& x, Index output) {
  check_input("gradient_saliency", x);
  const Tensor input = x.variable();
  const Tensor y = sum(output_of("gradient_saliency", model(input), output));
  const Tensor dx = grad(y, {input})[0];
  return cast(max(abs(select(dx, 0, 0)), Axes{0}), kFloat32);
}

}  // namespace splot
