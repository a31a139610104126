#include "splot/nn/pooling_layers.h"

#include <gtest/gtest.h>

#include "splot/autodiff/check_gradients.h"
#include "splot/nn/registry.h"
#include "splot/nn/sequential.h"
#include "splot/nn/summary.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

TEST(PoolingLayers, ComputeTheirOps) {
  const Tensor x = uniform({2, 3, 8, 6}, RandomKey{.seed = 1});
  const Tensor line = uniform({2, 3, 8}, RandomKey{.seed = 2});
  const auto same = [](Layer&& layer, const Tensor& in, const Tensor& expected) {
    const Tensor y = layer(in);
    EXPECT_EQ(y.shape(), expected.shape()) << type_name(layer);
    EXPECT_EQ(y.to_vector<float>(), expected.to_vector<float>()) << type_name(layer);
  };
  same(MaxPool2d({2}), x, max_pool2d(x, {2}));
  same(MaxPool2d({3}, {.stride = {2}, .padding = {1}}), x,
       max_pool2d(x, {3}, {.stride = {2}, .padding = {1}}));
  same(MaxPool1d(2), line, max_pool1d(line, 2));
  same(AvgPool2d({2, 3}), x, avg_pool2d(x, {2, 3}));
  same(AvgPool1d(3, {.stride = {1}}), line, avg_pool1d(line, 3, {.stride = {1}}));
  same(AdaptiveAvgPool2d({1}), x, adaptive_avg_pool2d(x, {1}));
  same(AdaptiveMaxPool2d({4, 3}), x, adaptive_max_pool2d(x, {4, 3}));
  same(AdaptiveAvgPool1d(3), line, adaptive_avg_pool1d(line, 3));
  same(AdaptiveMaxPool1d(5), line, adaptive_max_pool1d(line, 5));
  same(GlobalAvgPool(), x, global_avg_pool2d(x));
  same(GlobalMaxPool(), x, max(x, {2, 3}));
}

TEST(PoolingLayers, ComeBackFromTheirText) {
  Sequential net(MaxPool2d({2}), MaxPool2d({3, 2}, {.padding = {1, 0}, .ceil_mode = true}),
                 AvgPool2d({2}, {.count_include_pad = false, .divisor = 3}), AdaptiveAvgPool2d({2}),
                 AdaptiveMaxPool2d({1, 2}), GlobalAvgPool());
  Sequential lines(MaxPool1d(2), AvgPool1d(3, {.stride = {1}, .padding = {1}}), AdaptiveAvgPool1d(4),
                   AdaptiveMaxPool1d(2));
  Sequential largest{GlobalMaxPool()};
  for (Sequential* one : {&net, &lines, &largest}) {
    const std::string text = to_json(*one);
    EXPECT_EQ(to_json(*layer_from_json(text)), text);
  }
  const LayerPtr short_form = build({.type = "max_pool2d", .arguments = {{"kernel", Index{2}}}});
  EXPECT_EQ((*short_form)(zeros({1, 1, 4, 6})).shape(), Shape({1, 1, 2, 3}));
}

TEST(PoolingLayers, TheSummaryHasTheirShapes) {
  Sequential net(MaxPool2d({2}), AvgPool2d({3}, {.stride = {2}}), GlobalAvgPool());
  const std::vector<LayerSummary> rows = summarize(net, {3, 28, 28});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].output, Shape({3, 14, 14}));
  EXPECT_EQ(rows[1].output, Shape({3, 6, 6}));
  EXPECT_EQ(rows[2].output, Shape({3}));
  Sequential lines(AdaptiveMaxPool1d(5), AdaptiveAvgPool1d(2));
  EXPECT_EQ(summarize(lines, {4, 9}).back().output, Shape({4, 2}));
  Sequential largest{GlobalMaxPool()};
  EXPECT_EQ(summarize(largest, {3, 5, 7}).back().output, Shape({3}));
}

// No two numbers are near each other: where the largest changes there is no derivative.
Tensor apart(const Shape& shape) {
  std::vector<double> values;
  for (Index i = 0; i < shape.numel(); ++i) {
    values.push_back(0.1 * static_cast<double>(i * 29 % (shape.numel() + 1)) - 2.0);
  }
  return Tensor::from(values, shape);
}

TEST(PoolingLayers, HaveTheGradientsOfTheirOps) {
  const auto check = [](Layer&& layer, const Shape& shape) {
    const GradientCheck result =
        check_gradients([&](std::span<const Tensor> in) { return TensorList{square(layer(in[0]))}; },
                        {apart(shape)}, {.orders = 2});
    EXPECT_TRUE(result.passed) << type_name(layer) << ": " << result.to_string();
  };
  check(AdaptiveAvgPool1d(3), {2, 3, 8});
  check(AdaptiveMaxPool1d(3), {2, 3, 8});
  check(GlobalMaxPool(), {2, 3, 4, 5});
}

}  // namespace
}  // namespace splot
