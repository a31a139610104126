#include "splot/explain/saliency.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "splot/nn/activation_layers.h"
#include "splot/nn/conv.h"
#include "splot/nn/linear.h"
#include "splot/nn/parameters.h"
#include "splot/nn/pooling_layers.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

// The answers are weighted sums of pixels: y_k = sum w_k x, with w_0 = 2 at (row 1, column 6), -3 at (5, 2).
class TwoPixels final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override {
    const auto at = [&](Index row, Index column) {
      return select(select(select(x, 1, 0), 1, row), 1, column);  // [N]
    };
    const Tensor y = 2.0f * at(1, 6) - 3.0f * at(5, 2);
    return stack({y, 0.0f * y}, 1);
  }
};

TEST(Occlusion, FindsWhatSpeaksForAndAgainstAnAnswer) {
  TwoPixels net;
  const Tensor x = ones({1, 2, 8, 8});
  const Tensor heat = occlusion(net, x, 0, {.patch = 1, .step = 1, .batch = 5});
  ASSERT_EQ(heat.shape(), Shape({8, 8}));
  const std::vector<float> values = heat.to_vector<float>();
  for (Index i = 0; i < 64; ++i) {
    EXPECT_EQ(values[static_cast<std::size_t>(i)], i == 14 ? 2.0f : i == 42 ? -3.0f : 0.0f) << i;
  }
  // Covered with what is there already, nothing changes.
  const std::vector<float> same = occlusion(net, x, 0, {.patch = 3, .value = 1.0}).to_vector<float>();
  EXPECT_EQ(std::count(same.begin(), same.end(), 0.0f), 64);
}

TEST(Occlusion, EveryPixelIsCoveredWhateverTheStep) {
  TwoPixels net;
  // A patch of 3 every 2 of 8: at 0, 2, 4 and 5; the pixel in row 1 is under the first alone, column 6 under
  // those at 4 and 5.
  const std::vector<float> values =
      occlusion(net, ones({1, 1, 8, 8}), 0, {.patch = 3, .step = 2}).to_vector<float>();
  EXPECT_EQ(values[1 * 8 + 6], 2.0f);
  EXPECT_EQ(values[1 * 8 + 7], 2.0f) << "always covered together with it";
  EXPECT_EQ(values[0], 0.0f);
  EXPECT_EQ(values[4 * 8 + 4], -0.75f) << "under four places, one of which covers the other pixel";
}

TEST(GradientSaliency, IsTheLargestDerivativeOfTheChannels) {
  Sequential net(Conv2d(3, 5, Ints{3}, {.same = true}), Tanh(), GlobalAvgPool(), Linear(5, 4));
  initialize(net, 7);
  const Tensor x = cast(reshape(arange(0.0, 108.0, 1.0, kFloat32), {1, 3, 6, 6}), kFloat32) * 0.01f;
  const std::vector<float> heat = gradient_saliency(net, x, 2).to_vector<float>();
  ASSERT_EQ(heat.size(), 36u);
  // Against differences, at some pixels.
  const std::vector<float> start = x.to_vector<float>();
  for (const std::size_t pixel : {0u, 7u, 20u, 35u}) {
    double largest = 0.0;
    for (std::size_t c = 0; c < 3; ++c) {
      const auto answer = [&](float change) {
        std::vector<float> moved = start;
        moved[c * 36 + pixel] += change;
        return net(Tensor::from(moved, {1, 3, 6, 6})).to_vector<double>()[2];
      };
      largest = std::max(largest, std::abs(answer(0.05f) - answer(-0.05f)) / 0.1);
    }
    EXPECT_NEAR(heat[pixel], largest, 2e-2 * largest + 1e-6) << pixel;
    EXPECT_GT(largest, 0.0);
  }
}

TEST(Saliency, SaysWhatIsWrong) {
  TwoPixels net;
  EXPECT_ERROR(ShapeError, occlusion(net, ones({2, 1, 8, 8}), 0),
               "[occlusion] takes one picture [1, C, H, W], got x[2, 1, 8, 8]");
  EXPECT_ERROR(IndexError, gradient_saliency(net, ones({1, 1, 8, 8}), 2),
               "[gradient_saliency] there is no output 2 of 2");
  EXPECT_ERROR(ValueError, occlusion(net, ones({1, 1, 8, 8}), 0, {.patch = 9}),
               "[occlusion] a patch of 9 does not fit into 8 x 8");
  EXPECT_THROW(occlusion(net, ones({1, 1, 8, 8}), 0, {.step = -1}), ValueError);
}

}  // namespace
}  // namespace splot
