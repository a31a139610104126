// Layers that convolve: what they are made of, and that they come back from a file.
#include "splot/nn/conv.h"

#include <cmath>

#include <gtest/gtest.h>

#include "splot/nn/activation_layers.h"
#include "splot/nn/flatten.h"
#include "splot/nn/linear.h"
#include "splot/nn/parameters.h"
#include "splot/nn/registry.h"
#include "splot/nn/sequential.h"
#include "splot/nn/summary.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

TEST(ConvLayers, AreTheOpsWithTheirParameters) {
  const Tensor x = uniform({2, 4, 7, 6}, RandomKey{.seed = 1});
  Conv2d conv(4, 6, {3, 2}, {.stride = {2, 1}, .padding = {1}, .groups = 2});
  initialize(conv, 1);
  EXPECT_EQ(conv(x).to_vector<float>(),
            conv2d(x, conv.weight(), conv.bias(), {.stride = {2, 1}, .padding = {1}, .groups = 2})
                .to_vector<float>());
  EXPECT_EQ(conv.weight().shape(), Shape({6, 2, 3, 2}));
  Conv2d same(4, 3, {5}, {.same = true, .bias = false});
  EXPECT_EQ(same(x).shape(), Shape({2, 3, 7, 6}));
  EXPECT_FALSE(same.bias().defined());
  Conv1d signal(4, 5, 3, {.dilation = {2}});
  EXPECT_EQ(signal(uniform({2, 4, 9}, RandomKey{.seed = 1})).shape(), Shape({2, 5, 5}));
  ConvTranspose2d larger(4, 2, {2}, {.stride = {2}});
  EXPECT_EQ(larger(x).shape(), Shape({2, 2, 14, 12}));
  EXPECT_EQ(larger.weight().shape(), Shape({4, 2, 2, 2}));
}

// PyTorch's default: U(-b, b) with b = 1 / sqrt(in / groups * rows * columns), for the bias too.
TEST(ConvLayers, BeginAsPyTorchDoes) {
  Conv2d conv(8, 64, {3}, {.groups = 2});
  initialize(conv, 1);
  const double bound = 1.0 / std::sqrt(4.0 * 9.0);
  for (const Parameter& p : {conv.weight(), conv.bias()}) {
    double largest = 0.0;
    for (const double v : p.value().to_vector<double>()) largest = std::max(largest, std::abs(v));
    EXPECT_LE(largest, bound);
    EXPECT_GT(largest, 0.9 * bound);
  }
}

TEST(ConvLayers, ComeBackFromJson) {
  Sequential net(Conv2d(1, 4, {3, 2}, {.stride = {2, 1}, .padding = {1, 0}, .bias = false}), ReLU(),
                 ConvTranspose2d(4, 2, {2}, {.stride = {2}, .output_padding = {1}}), Flatten(),
                 Linear(2 * 9 * 11, 3));
  initialize(net, 3);
  const LayerPtr again = layer_from_json(to_json(net));
  load_state_dict(*again, state_dict(net));
  const Tensor x = uniform({5, 1, 8, 6}, RandomKey{.seed = 1});
  EXPECT_EQ((*again)(x).to_vector<float>(), net(x).to_vector<float>());
  EXPECT_EQ(to_json(*again), to_json(net));
  Sequential signal(Conv1d(2, 3, 4, {.padding = {2}, .dilation = {2}}));
  EXPECT_EQ(to_json(*layer_from_json(to_json(signal))), to_json(signal));
}

TEST(ConvLayers, SummaryCountsMultiplications) {
  Sequential net(Conv2d(3, 18, {5}), ReLU(), Conv2d(18, 32, {3}, {.groups = 2}));
  const std::vector<LayerSummary> rows = summarize(net, {3, 32, 32});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].output, Shape({18, 28, 28}));
  EXPECT_EQ(rows[0].parameters, 18 * (3 * 25 + 1));
  EXPECT_EQ(rows[0].multiply_adds, 18 * 28 * 28 * 3 * 25);
  EXPECT_EQ(rows[2].multiply_adds, 32 * 26 * 26 * 9 * 9);
}

TEST(ConvLayers, RefuseWhatMakesNoSense) {
  EXPECT_ERROR(ValueError, Conv2d(0, 4, {3}), "[conv2d] needs positive numbers of channels, got 4 and 0");
  EXPECT_ERROR(ValueError, Conv2d(4, 4, {3, 0}), "[conv2d] the kernel must be positive, got [3, 0]");
  EXPECT_ERROR(ValueError, Conv2d(4, 4, {3, 3, 3}),
               "[conv2d] the kernel is one number or {rows, columns}, got [3, 3, 3]");
  EXPECT_ERROR(ValueError, Conv2d(4, 6, {3}, {.groups = 4}),
               "[conv2d] 4 groups do not divide both 6 and 4 channels");
  Sequential net(Conv2d(3, 4, {3}));
  EXPECT_ERROR(ShapeError, net(zeros({2, 1, 8, 8})),
               "0: [conv2d] x[2, 1, 8, 8] has 1 channels, w[4, 3, 3, 3] takes 3");
}

}  // namespace
}  // namespace splot
