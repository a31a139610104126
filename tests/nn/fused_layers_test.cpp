// Convolution, batch norm and relu that containers run as one, against the same layers one by one.
#include <cmath>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/core/error.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/conv.h"
#include "splot/nn/layer_graph.h"
#include "splot/nn/normalization_layers.h"
#include "splot/nn/parameters.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

using Floats = std::vector<float>;

// Whoever looks at every layer makes them run one by one.
Tensor one_by_one(Layer& net, const Tensor& x, bool training) {
  Context context{.training = training,
                  .observer = [](std::string_view, Layer&, const Tensor&, const Tensor&) {}};
  return net(x, context);
}

Tensor together(Layer& net, const Tensor& x, bool training) {
  Context context{.training = training};
  return net(x, context);
}

Sequential plain_net() {
  Sequential net;
  net.add("conv1", Conv2d(2, 5, {3}, {.padding = {1}})).add("relu1", ReLU());
  net.add("conv2", Conv2d(5, 4, {3}, {.stride = {2}, .bias = false})).add("relu2", ReLU());
  net.add("conv3", Conv2d(4, 3, {1})).add("tanh", Tanh());
  return net;
}

// With statistics that are not those it begins with.
LayerGraph normalized_net() {
  LayerGraph net;
  net.add("conv1", Conv2d(2, 4, {3}, {.padding = {1}})).add("bn1", BatchNorm2d(4)).add("relu1", ReLU());
  net.add("conv2", Conv2d(4, 4, {3}, {.padding = {1}, .bias = false}))
      .add("bn2", BatchNorm2d(4, {.affine = false}));
  net.add("sum", Add(), {"bn2", "relu1"});
  net.add("relu2", ReLU()).add("conv3", Conv2d(4, 2, {1})).add("bn3", BatchNorm2d(2)).add("relu3", ReLU());
  net.add("both", Concat(), {"relu3", "conv3"});
  initialize(net, 2);
  for (int i = 0; i < 3; ++i) {
    together(net, normal({6, 2, 5, 5}, RandomKey{.seed = 9, .counter = static_cast<std::uint64_t>(i)}), true);
  }
  return net;
}

TEST(FusedLayers, ConvolutionAndReluGiveTheSameBits) {
  Sequential net = plain_net();
  for (const bool training : {false, true}) {
    for (const Index images : {1, 20}) {
      const Tensor x = normal({images, 2, 7, 6}, RandomKey{.seed = 4});
      const auto run = [&](auto&& forward) {
        for (const NamedParameter& entry : named_parameters(net)) Parameter(entry.parameter).zero_grad();
        const Tensor y = forward(net, x, training);
        backward(sum(square(y)));
        std::vector<Floats> out = {y.to_vector<float>()};
        for (const NamedParameter& entry : named_parameters(net))
          out.push_back(entry.parameter.grad().to_vector<float>());
        return out;
      };
      EXPECT_EQ(run(together), run(one_by_one));
    }
  }
}

TEST(FusedLayers, BatchNormInUseAgreesToRounding) {
  LayerGraph net = normalized_net();
  const Tensor x = normal({3, 2, 9, 9}, RandomKey{.seed = 4});
  const Floats expected = one_by_one(net, x, false).to_vector<float>();
  const Floats got = together(net, x, false).to_vector<float>();
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(got[i], expected[i], 2e-6 * (1 + std::abs(expected[i]))) << i;
}

TEST(FusedLayers, LearningWithBatchNormGivesTheSameBits) {
  LayerGraph a = normalized_net(), b = normalized_net();
  const Tensor x = normal({3, 2, 9, 9}, RandomKey{.seed = 4});
  EXPECT_EQ(together(a, x, true).to_vector<float>(), one_by_one(b, x, true).to_vector<float>());
  const NamedTensors of_a = state_dict(a), of_b = state_dict(b);
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    EXPECT_EQ(cast(of_a[i].value, kFloat64).to_vector<double>(),
              cast(of_b[i].value, kFloat64).to_vector<double>())
        << of_a[i].name;
  }
}

// A gradient through a network in use, as saliency needs it.
TEST(FusedLayers, GradientsPassThroughBatchNormInUse) {
  LayerGraph net = normalized_net();
  const Tensor x = normal({2, 2, 5, 5}, RandomKey{.seed = 4}).variable();
  const Floats expected = grad(sum(square(one_by_one(net, x, false))), {x})[0].to_vector<float>();
  const Floats got = grad(sum(square(together(net, x, false))), {x})[0].to_vector<float>();
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(got[i], expected[i], 1e-4 * (1 + std::abs(expected[i]))) << i;
}

TEST(FusedLayers, ErrorsNameTheConvolution) {
  Sequential net = plain_net();
  EXPECT_ERROR(ShapeError, net(ones({1, 3, 7, 6})),
               "conv1: [conv2d_fused] x[1, 3, 7, 6] has 3 channels, w[5, 2, 3, 3] takes 2");
}

}  // namespace
}  // namespace splot
