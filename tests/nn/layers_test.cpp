// The layers of the library: what they compute, and their derivatives by input and parameters.
#include <cmath>
#include <memory>

#include <gtest/gtest.h>

#include "splot/autodiff/check_gradients.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/dropout.h"
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

Tensor random_tensor(const Shape& shape, std::uint64_t seed) {
  return init::uniform(-2.0, 2.0).draw(shape, kFloat64, {.seed = seed});
}

// Difference quotients along one random direction for each parameter: the largest relative error.
double worst_parameter_error(Layer& layer, const Tensor& x) {
  if (parameter_count(layer) == 0) return 0.0;
  const Tensor cotangent = random_tensor(layer(x).shape(), 11);
  const auto value = [&] { return sum(layer(x) * cotangent); };
  zero_grad(layer);
  backward(value());
  double worst = 0.0;
  std::uint64_t seed = 20;
  for (NamedParameter& entry : named_parameters(layer)) {
    Parameter& p = entry.parameter;
    const Tensor direction = random_tensor(p.shape(), ++seed);
    const Tensor start = p.value().detach();
    constexpr double kStep = 2e-5;
    p.assign(start + kStep * direction);
    const double above = value().item<double>();
    p.assign(start - kStep * direction);
    const double below = value().item<double>();
    p.assign(start);
    const double numeric = (above - below) / (2 * kStep);
    const double analytic = sum(p.grad() * direction).item<double>();
    worst = std::max(worst, std::abs(numeric - analytic) / std::max(1e-3, std::abs(numeric)));
  }
  return worst;
}

TEST(Layers, DerivativesByInputAndParameters) {
  const auto check = [](auto layer) {
    convert(layer, kFloat64);
    initialize(layer, 3);
    const std::string name = type_name(layer);
    const Tensor x = random_tensor({4, 6}, 5);
    const GradientCheck by_input =
        check_gradients([&](std::span<const Tensor> in) { return TensorList{layer(in[0])}; }, {x});
    EXPECT_TRUE(by_input.passed) << name << ": " << by_input.to_string();
    EXPECT_GT(by_input.comparisons, 0) << name;
    EXPECT_LE(worst_parameter_error(layer, x), 1e-7) << name;
  };
  check(Linear(6, 3));
  check(Linear(6, 3, {.bias = false}));
  check(Identity());
  check(BinaryStep());
  check(Sigmoid());
  check(Tanh());
  check(Arctan());
  check(ReLU());
  check(PReLU());
  check(PReLU({.channels = 6}));
  check(ELU({.alpha = 0.5}));
  check(Softplus());
  check(LeakyReLU({.slope = 0.2}));
  check(GELU());
  check(GELU({.tanh = true}));
  check(SiLU());
  check(Softsign());
  check(Softmax());
  check(LogSoftmax({.axis = 0}));
  check(Flatten());
  check(Sequential(Linear(6, 5), Tanh(), Linear(5, 4), PReLU({.channels = 4}), LogSoftmax()));
}

// A wrong derivative of a parameter must be found.
TEST(Layers, TheParameterCheckCanFail) {
  class Half final : public Layer {
   public:
    Tensor forward(const Tensor& x, Context&) override {
      return x * (0.5 * weight_.value() + stop_gradient(0.5 * weight_.value()));
    }
    void visit(Visitor& v) override { v.parameter("weight", weight_, init::ones()); }
    Parameter weight_{Shape{6}, kFloat64};
  };
  Half layer;
  EXPECT_GT(worst_parameter_error(layer, random_tensor({4, 6}, 5)), 0.4);
}

TEST(Layers, ActivationsComputeTheirOps) {
  const Tensor x = tensor({-2.0f, -0.5f, 0.0f, 1.5f});
  const auto same = [&](Layer&& layer, const Tensor& expected) {
    EXPECT_EQ(layer(x).to_vector<float>(), expected.to_vector<float>()) << type_name(layer);
  };
  same(Identity(), x);
  same(BinaryStep(), tensor({0.0f, 0.0f, 1.0f, 1.0f}));
  same(Sigmoid(), sigmoid(x));
  same(Tanh(), tanh(x));
  same(Arctan(), arctan(x));
  same(ReLU(), tensor({0.0f, 0.0f, 0.0f, 1.5f}));
  same(PReLU(), tensor({-0.5f, -0.125f, 0.0f, 1.5f}));
  same(PReLU({.slope = 0.5}), tensor({-1.0f, -0.25f, 0.0f, 1.5f}));
  same(ELU({.alpha = 2.0}), elu(x, 2.0));
  same(Softplus(), softplus(x));
  same(LeakyReLU(), leaky_relu(x, 0.01));
  same(LeakyReLU({.slope = 0.5}), tensor({-1.0f, -0.25f, 0.0f, 1.5f}));
  same(GELU(), gelu(x, Gelu::erf));
  same(GELU({.tanh = true}), gelu(x, Gelu::tanh));
  same(SiLU(), silu(x));
  same(Softsign(), softsign(x));
  same(Softmax(), softmax(x, 0));
  same(LogSoftmax(), log_softmax(x, 0));
}

TEST(Layers, PReLULearnsItsSlope) {
  PReLU layer({.channels = 2});
  EXPECT_EQ(parameter_count(layer), 2);
  backward(sum(layer(tensor({{-1.0f, 2.0f}, {-3.0f, -4.0f}}))));
  EXPECT_EQ(named_parameters(layer)[0].parameter.grad().to_vector<float>(), (std::vector<float>{-4, -4}));
  EXPECT_ERROR(ValueError, PReLU({.channels = 0}), "[prelu] needs at least one channel, got 0");
}

TEST(Flatten, MakesOneAxisOfSeveral) {
  EXPECT_EQ(Flatten()(zeros({2, 3, 4, 5})).shape(), Shape({2, 60}));
  EXPECT_EQ(Flatten()(zeros({0, 3, 4})).shape(), Shape({0, 12}));
  EXPECT_EQ(Flatten()(zeros({2, 0, 4})).shape(), Shape({2, 0}));
  EXPECT_EQ(Flatten({.first = 0, .last = 1})(zeros({2, 3, 4})).shape(), Shape({6, 4}));
  EXPECT_EQ(Flatten()(zeros({2, 3})).shape(), Shape({2, 3}));
  EXPECT_ERROR(ShapeError, Flatten()(zeros({2})), "[flatten] there is no axis 1 in [2]: it has axes -1 to 0");
  EXPECT_ERROR(ShapeError, Flatten({.first = 2, .last = 1})(zeros({2, 3, 4})),
               "[flatten] axis 2 comes after axis 1 in [2, 3, 4]");
}

TEST(Dropout, DropsOnlyWhileTraining) {
  Dropout layer({.p = 0.25});
  const Tensor x = ones({100, 100});
  EXPECT_EQ(layer(x).to_vector<float>(), x.to_vector<float>());
  Context context{.training = true, .key = {.seed = 1, .counter = 7}};
  const std::vector<float> y = layer(x, context).to_vector<float>();
  int kept = 0;
  for (const float value : y) {
    if (value != 0.0f) {
      EXPECT_EQ(value, static_cast<float>(1.0 / 0.75));
      ++kept;
    }
  }
  EXPECT_NEAR(kept, 7500, 200);
  Context again{.training = true, .key = {.seed = 1, .counter = 7}};
  EXPECT_EQ(layer(x, again).to_vector<float>(), y);
  Context next{.training = true, .key = {.seed = 1, .counter = 8}};
  EXPECT_NE(layer(x, next).to_vector<float>(), y);
}

TEST(Dropout, LayersDrawApartAndGradientsSeeTheSameMask) {
  Sequential net{Dropout(), Dropout()};
  Context context{.training = true, .key = {.seed = 1}};
  const Tensor x = ones({1000}).variable();
  const Tensor y = net(x, context);
  backward(sum(y));
  EXPECT_EQ(x.grad().to_vector<float>(), y.to_vector<float>());
  int kept = 0;
  for (const float value : y.to_vector<float>()) kept += value != 0.0f;
  EXPECT_NEAR(kept, 250, 60);
  EXPECT_ERROR(ValueError, Dropout({.p = 1.5}), "[dropout] p must be from 0 to 1, got 1.5");
}

TEST(Summary, CountsTheParametersOfTheLecturesNetworks) {
  Sequential digits(Flatten(), Linear(784, 16), ReLU(), Linear(16, 10));
  EXPECT_EQ(parameter_count(digits), 12'730);
  Sequential small(Linear(3, 5), Sigmoid(), Linear(5, 4), Sigmoid(), Linear(4, 2), Sigmoid());
  EXPECT_EQ(parameter_count(small), 54);
  freeze(digits[1]);
  const std::vector<LayerSummary> rows = summarize(digits, {1, 28, 28});
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].type, "flatten");
  EXPECT_EQ(rows[0].output, Shape({784}));
  EXPECT_EQ(rows[1].path, "1");
  EXPECT_EQ(rows[1].output, Shape({16}));
  EXPECT_EQ(rows[1].parameters, 12'560);
  EXPECT_EQ(rows[1].trainable, 0);
  EXPECT_EQ(rows[2].parameters, 0);
  EXPECT_EQ(rows[3].parameters, 170);
  EXPECT_EQ(rows[3].trainable, 170);
  EXPECT_ERROR(ShapeError, summarize(digits, {28, 27}),
               "1: [linear] x[0, 756] has 756 columns, w[16, 784] takes 784");
}

TEST(Summary, CountsSharedParametersOnce) {
  const auto shared = std::make_shared<Linear>(4, 4);
  Sequential net;
  net.add(shared).add(shared);
  EXPECT_EQ(parameter_count(net), 20);
  EXPECT_EQ(named_parameters(net).size(), 2u);
  EXPECT_EQ(state_dict(net).size(), 4u);
  const std::vector<LayerSummary> rows = summarize(net, {4});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].parameters, 20);
  EXPECT_EQ(rows[1].parameters, 0);
}

}  // namespace
}  // namespace splot
