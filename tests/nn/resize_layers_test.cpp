#include "splot/nn/resize_layers.h"

#include <gtest/gtest.h>

#include "splot/autodiff/check_gradients.h"
#include "splot/nn/conv.h"
#include "splot/nn/parameters.h"
#include "splot/nn/registry.h"
#include "splot/nn/sequential.h"
#include "splot/nn/summary.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

Tensor picture(const std::vector<float>& values, const Shape& shape) { return Tensor::from(values, shape); }

void expect_same(Layer&& layer, const Tensor& x, const Tensor& expected) {
  const Tensor y = layer(x);
  EXPECT_EQ(y.shape(), expected.shape()) << to_json(layer);
  EXPECT_EQ(y.to_vector<float>(), expected.to_vector<float>()) << to_json(layer);
}

TEST(ResizeLayers, ComputeTheirOps) {
  const Tensor x = uniform({2, 3, 4, 5}, RandomKey{.seed = 1});
  expect_same(Pad2d({2}), x, pad(x, {0, 0, 2, 2}, {0, 0, 2, 2}));
  expect_same(Pad2d({1, 3}), x, pad(x, {0, 0, 1, 3}, {0, 0, 1, 3}));
  expect_same(Pad2d({1, 2, 3, 0}, {.value = -0.5}), x, pad(x, {0, 0, 1, 3}, {0, 0, 2, 0}, -0.5));
  expect_same(Pad2d({1, 2, 3, 0}, {.mode = PadMode::reflect}), x,
              pad(x, {0, 0, 1, 3}, {0, 0, 2, 0}, PadMode::reflect));
  expect_same(Pad2d({6}, {.mode = PadMode::edge}), x, pad(x, {0, 0, 6, 6}, {0, 0, 6, 6}, PadMode::edge));
  for (const ResizeMode mode : {ResizeMode::nearest, ResizeMode::bilinear}) {
    expect_same(Resize({3, 7}, {.mode = mode}), x, resize(x, {3, 7}, {.mode = mode}));
    expect_same(Upsample({2}, {.mode = mode}), x, resize(x, {8, 10}, {.mode = mode}));
    expect_same(Upsample({1, 3}, {.mode = mode}), x, resize(x, {4, 15}, {.mode = mode}));
  }
  expect_same(Resize({6}), x, resize(x, {6, 6}));
  expect_same(Resize({6}, {.align_corners = true}), x, resize(x, {6, 6}, {.align_corners = true}));
  expect_same(Upsample({2}, {.align_corners = true}), x, resize(x, {8, 10}, {.align_corners = true}));
}

// By hand, so that a side mistaken for another shows.
TEST(ResizeLayers, TakePicturesWithoutSamples) {
  const Tensor x = picture({1.0f, 2.0f, 3.0f, 4.0f}, {1, 2, 2});
  expect_same(Pad2d({1, 0, 0, 2}, {.value = 9.0}), x,
              picture({9.0f, 9.0f, 9.0f, 9.0f, 1.0f, 2.0f, 9.0f, 9.0f, 3.0f, 4.0f, 9.0f, 9.0f}, {1, 3, 4}));
  expect_same(Pad2d({0, 1}, {.mode = PadMode::reflect}), x,
              picture({2.0f, 1.0f, 2.0f, 1.0f, 4.0f, 3.0f, 4.0f, 3.0f}, {1, 2, 4}));
  expect_same(Pad2d({0, 0, 1, 0}, {.mode = PadMode::edge}), x,
              picture({1.0f, 1.0f, 2.0f, 3.0f, 3.0f, 4.0f}, {1, 2, 3}));
  expect_same(Upsample({2, 1}, {.mode = ResizeMode::nearest}), x,
              picture({1.0f, 2.0f, 1.0f, 2.0f, 3.0f, 4.0f, 3.0f, 4.0f}, {1, 4, 2}));
  expect_same(Resize({1, 2}), x, picture({2.0f, 3.0f}, {1, 1, 2}));
}

TEST(ResizeLayers, ComeBackFromTheirText) {
  Sequential net(Pad2d({1}), Pad2d({1, 2, 3, 0}, {.mode = PadMode::reflect}),
                 Pad2d({0, 2}, {.mode = PadMode::edge}), Pad2d({1}, {.value = 0.25}), Resize({9, 7}),
                 Resize({5}, {.mode = ResizeMode::nearest}), Upsample({2, 3}, {.align_corners = true}));
  const std::string text = to_json(net);
  const LayerPtr copy = layer_from_json(text);
  EXPECT_EQ(to_json(*copy), text);
  const Tensor x = uniform({2, 1, 6, 6}, RandomKey{.seed = 1});
  EXPECT_EQ((*copy)(x).to_vector<float>(), net(x).to_vector<float>());
  const LayerPtr short_form = build({.type = "upsample", .arguments = {{"scale", Index{2}}}});
  Upsample same({2});
  EXPECT_EQ(to_json(*short_form), to_json(same));
}

TEST(ResizeLayers, TheSummaryHasTheirShapes) {
  Sequential net(Pad2d({1, 2, 3, 4}), Resize({8, 9}), Upsample({2, 3}));
  const std::vector<LayerSummary> rows = summarize(net, {3, 28, 28});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].output, Shape({3, 31, 35}));
  EXPECT_EQ(rows[1].output, Shape({3, 8, 9}));
  EXPECT_EQ(rows[2].output, Shape({3, 16, 27}));
}

// Recipes ask for the shape this way: nothing is to be worked out for a size that no memory could hold.
TEST(ResizeLayers, OfNoPicturesHaveAShape) {
  const Tensor none = zeros({0, 3, 1000, 1});
  EXPECT_EQ(Upsample({1'000'000, 1})(none).shape(), Shape({0, 3, 1'000'000'000, 1}));
  EXPECT_EQ(Resize({1'000'000'000, 2})(none).shape(), Shape({0, 3, 1'000'000'000, 2}));
  EXPECT_EQ(Pad2d({2}, {.mode = PadMode::edge})(none).shape(), Shape({0, 3, 1004, 5}));
}

TEST(ResizeLayers, HaveTheGradientsOfTheirOps) {
  const Tensor x = normal({2, 2, 4, 5}, RandomKey{.seed = 1});
  const auto check = [&](Layer&& layer) {
    const GradientCheck result = check_gradients(
        [&](std::span<const Tensor> in) { return TensorList{square(layer(in[0]))}; }, {x}, {.orders = 2});
    EXPECT_TRUE(result.passed) << to_json(layer) << ": " << result.to_string();
  };
  check(Pad2d({1, 2, 3, 0}, {.value = 2.0}));
  check(Pad2d({2}, {.mode = PadMode::reflect}));
  check(Pad2d({3}, {.mode = PadMode::edge}));
  check(Resize({3, 7}));
  check(Resize({9}, {.mode = ResizeMode::nearest}));
  check(Upsample({2}, {.align_corners = true}));
}

TEST(ResizeLayers, LearnBetweenConvolutions) {
  Sequential net(Conv2d(1, 2, {3}), Upsample({2}, {.mode = ResizeMode::nearest}),
                 Pad2d({1}, {.mode = PadMode::reflect}), Conv2d(2, 1, {3}), Resize({6}));
  const Tensor x = uniform({2, 1, 6, 6}, RandomKey{.seed = 2});
  const Tensor target = uniform({2, 1, 6, 6}, RandomKey{.seed = 3});
  initialize(net, 1);
  const auto loss = [&] {
    Context context{.training = true};
    return mean(square(net(x, context) - target));
  };
  const double before = loss().item<double>();
  for (int step = 0; step < 20; ++step) {
    for (const NamedParameter& entry : named_parameters(net)) Parameter(entry.parameter).zero_grad();
    backward(loss());
    for (const NamedParameter& entry : named_parameters(net)) {
      Parameter parameter(entry.parameter);
      parameter.assign(stop_gradient(parameter.value() - 0.1 * parameter.grad()));
    }
  }
  EXPECT_LT(loss().item<double>(), 0.8 * before);
}

TEST(ResizeLayers, RefuseWhatMakesNoSense) {
  EXPECT_ERROR(
      ValueError, Pad2d({1, 2, 3}),
      "[pad2d] the padding is one number for all sides, two or {top, bottom, left, right}, got [1, 2, 3]");
  EXPECT_ERROR(ValueError, Pad2d({-1}), "[pad2d] the padding must be 0 or more, got [-1]");
  EXPECT_ERROR(ValueError, Pad2d({1}, {.mode = PadMode::edge, .value = 1.0}),
               "[pad2d] a value is for the mode constant alone");
  EXPECT_ERROR(ValueError, Resize({0}), "[resize] the size must be positive, got [0]");
  EXPECT_ERROR(ValueError, Resize({1, 2, 3}),
               "[resize] the size is one number for both axes or two, got [1, 2, 3]");
  EXPECT_ERROR(ValueError, Upsample({-2}), "[upsample] the scale must be positive, got [-2]");
  EXPECT_ERROR(ValueError, Upsample({2}, {.mode = ResizeMode::nearest, .align_corners = true}),
               "[upsample] align_corners is for bilinear alone");
  EXPECT_ERROR(ShapeError, Pad2d({1})(zeros({3, 4})),
               "[pad2d] needs images [N, C, H, W] or [C, H, W], got x[3, 4]");
  EXPECT_ERROR(ShapeError, Upsample({2})(zeros({3})),
               "[upsample] needs images [N, C, H, W] or [C, H, W], got x[3]");
  EXPECT_ERROR(ShapeError, Upsample({Index{1} << 62})(zeros({1, 1, 4, 4})),
               "[upsample] x[1, 1, 4, 4] is too large for 4611686018427387904 times its size");
  EXPECT_ERROR(ShapeError, Pad2d({4}, {.mode = PadMode::reflect})(zeros({1, 1, 4, 5})),
               "[pad] axis 2 of x[1, 1, 4, 5] has 3 elements to mirror; before 4 and after 4 need more");
  const LayerDescription other{.type = "resize",
                               .arguments = {{"size", Ints{2}}, {"mode", std::string("cubic")}}};
  EXPECT_ERROR(ValueError, build(other), "[layer] the mode \"cubic\" is none of nearest, bilinear");
}

}  // namespace
}  // namespace splot
