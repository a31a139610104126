#include "splot/nn/normalization_layers.h"

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/nn/parameters.h"
#include "splot/nn/registry.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

void expect_near(const Tensor& got, const std::vector<double>& expected, double tolerance = 1e-14) {
  const std::vector<double> values = got.to_vector<double>();
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], tolerance) << i;
}

// The numbers are PyTorch's: BatchNorm1d(2, momentum=0.25).double(), two batches, then eval().
TEST(BatchNormLayer, KeepsItsStatisticsAsPyTorchDoes) {
  BatchNorm1d layer(2, {.momentum = 0.25, .dtype = kFloat64});
  load_state_dict(layer, NamedTensors{{"weight", tensor({2.0, 0.5})},
                                      {"bias", tensor({0.25, -1.0})},
                                      {"running_mean", zeros({2}, kFloat64)},
                                      {"running_var", ones({2}, kFloat64)},
                                      {"num_batches_tracked", zeros({}, kInt64)}});
  const Tensor x = tensor({{1.0, 2.0}, {3.0, -1.0}, {5.0, 0.5}});
  Context learning{.training = true};
  expect_near(layer(x, learning), {-2.19948515000282807, -0.38762960553545156, 0.25, -1.61237039446454822,
                                   2.69948515000282718, -1.0});
  expect_near(layer.running_mean(), {0.75, 0.125});
  expect_near(layer.running_var(), {1.75, 1.3125});
  layer(2.0 * x - 1.0, learning);
  expect_near(layer.running_mean(), {1.8125, 0.09375});
  expect_near(layer.running_var(), {5.3125, 3.234375});
  EXPECT_EQ(layer.num_batches_tracked().item<Index>(), 2);
  EXPECT_EQ(layer.num_batches_tracked().dtype(), kInt64);
  expect_near(layer(x), {-0.45502332435958082, -0.47002668355338995, 1.28041870483323317,
                         -1.30408305042018613, 3.01586073402604748, -0.88705486698678804});
  expect_near(layer.running_mean(), {1.8125, 0.09375});
}

TEST(BatchNormLayer, AStateIsWhatItWasWhenItWasTaken) {
  BatchNorm2d layer(3);
  const NamedTensors before = state_dict(layer);
  Context learning{.training = true};
  layer(uniform({4, 3, 2, 2}, RandomKey{.seed = 1}), learning);
  EXPECT_EQ(before[2].name, "running_mean");
  EXPECT_EQ(before[2].value.to_vector<float>(), (std::vector<float>{0, 0, 0}));
  EXPECT_NE(layer.running_mean().to_vector<float>(), before[2].value.to_vector<float>());
  load_state_dict(layer, before);
  EXPECT_EQ(layer.running_mean().to_vector<float>(), before[2].value.to_vector<float>());
  EXPECT_EQ(layer.num_batches_tracked().item<Index>(), 0);
}

TEST(BatchNormLayer, NoGradientFlowsIntoTheStatistics) {
  BatchNorm1d layer(2);
  Context learning{.training = true};
  const Tensor x = uniform({4, 2}, RandomKey{.seed = 2}).variable();
  backward(sum(layer(x, learning) * layer(x, learning)));
  EXPECT_FALSE(layer.running_mean().requires_grad());
  EXPECT_FALSE(layer.running_var().requires_grad());
  EXPECT_TRUE(layer.weight().grad().defined());
  EXPECT_TRUE(x.grad().defined());
}

TEST(BatchNormLayer, WorksWithoutParametersAndWithoutStatistics) {
  BatchNorm1d layer(2, {.affine = false, .track_running_stats = false});
  EXPECT_TRUE(state_dict(layer).empty());
  const Tensor x = tensor({{1.0f, 2.0f}, {3.0f, 6.0f}});
  const std::vector<float> y = layer(x).to_vector<float>();
  EXPECT_NEAR(y[0], -1.0f, 1e-5f);
  EXPECT_NEAR(y[3], 1.0f, 1e-5f);
}

TEST(BatchNormLayer, AnEmptyBatchTeachesNothing) {
  BatchNorm2d layer(3);
  Context learning{.training = true};
  EXPECT_EQ(layer(zeros({0, 3, 2, 2}), learning).shape(), Shape({0, 3, 2, 2}));
  EXPECT_EQ(layer.running_var().to_vector<float>(), (std::vector<float>{1, 1, 1}));
  EXPECT_EQ(layer.num_batches_tracked().item<Index>(), 1);
}

TEST(BatchNormLayer, SaysWhatDoesNotFit) {
  BatchNorm1d one(3);
  BatchNorm2d two(3);
  Context learning{.training = true};
  EXPECT_ERROR(ShapeError, one(zeros({2, 3, 4, 4})),
               "[batch_norm1d] needs 2 or 3 axes with 3 channels on axis 1, got x[2, 3, 4, 4]");
  EXPECT_ERROR(ShapeError, two(zeros({2, 4, 4, 4})),
               "[batch_norm2d] needs 4 axes with 3 channels on axis 1, got x[2, 4, 4, 4]");
  EXPECT_ERROR(ValueError, one(zeros({1, 3}), learning),
               "[batch_norm1d] needs more than one value for each channel while learning, got x[1, 3]");
  EXPECT_ERROR(ValueError, BatchNorm1d(0), "[batch_norm1d] needs at least one channel, got 0");
  EXPECT_ERROR(ValueError, BatchNorm2d(1, {.momentum = 2.0}),
               "[batch_norm2d] momentum must be from 0 to 1, got 2");
}

TEST(NormLayers, NormaliseWithTheirOwnParameters) {
  const Tensor x = uniform({2, 4, 3, 3}, RandomKey{.seed = 3});
  GroupNorm groups(2, 4);
  EXPECT_EQ(groups(x).to_vector<float>(), group_norm(x, 2, ones({4}), zeros({4})).to_vector<float>());
  LayerNorm layer({3, 3}, {.eps = 0.5});
  EXPECT_EQ(layer(x).to_vector<float>(), layer_norm(x, ones({3, 3}), zeros({3, 3}), 0.5).to_vector<float>());
  EXPECT_EQ(parameter_count(layer), 18);
  LayerNorm plain({3}, {.affine = false});
  EXPECT_EQ(parameter_count(plain), 0);
  EXPECT_ERROR(ValueError, GroupNorm(3, 4), "[group_norm] 3 groups do not divide 4 channels");
  EXPECT_ERROR(ValueError, LayerNorm({}), "[layer_norm] needs the size of at least one axis");
}

TEST(NormLayers, ComeBackFromTheirText) {
  Sequential net(BatchNorm2d(4, {.eps = 1e-3, .momentum = 0.25}), GroupNorm(2, 4, {.affine = false}),
                 LayerNorm({4, 3}));
  const std::string text = to_json(net);
  EXPECT_EQ(to_json(*layer_from_json(text)), text);
}

}  // namespace
}  // namespace splot
