#include "splot/nn/layer.h"

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/linear.h"
#include "splot/nn/losses.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

std::vector<std::string> names_of(Layer& layer) {
  std::vector<std::string> out;
  for (const NamedParameter& entry : named_parameters(layer)) out.push_back(entry.name);
  return out;
}

std::vector<float> values_of(Layer& layer, const std::string& name) {
  for (const NamedTensor& entry : state_dict(layer)) {
    if (entry.name == name) return entry.value.to_vector<float>();
  }
  return {};
}

// As the comment of Layer has it.
class Scale final : public Layer {
 public:
  explicit Scale(Index size) : weight_({size}, kFloat32) {}
  Tensor forward(const Tensor& x, Context&) override { return x * weight_; }
  void visit(Visitor& v) override { v.parameter("weight", weight_, init::constant(3.0)); }

 private:
  Parameter weight_;  // [size]
};

// A layer of a user with layers inside, one of them used twice.
class Residual final : public Layer {
 public:
  explicit Residual(Index size) : in_(size, size), out_(size, size, {.bias = false}) {}
  Tensor forward(const Tensor& x, Context& context) override {
    return x + out_(relu(in_(in_(x, context), context)), context);
  }
  void visit(Visitor& v) override {
    v.child("in", in_);
    v.child("out", out_);
  }

 private:
  Linear in_, out_;
};

TEST(Layer, IsUsableRightAfterConstruction) {
  Linear layer(3, 2);
  EXPECT_EQ(layer(ones({4, 3})).shape(), Shape({4, 2}));
  Scale scale(2);
  EXPECT_EQ(scale(ones({2})).to_vector<float>(), (std::vector<float>{3, 3}));
}

TEST(Layer, ParametersHavePyTorchsNames) {
  Sequential net(Linear(3, 4), ReLU(), Residual(4));
  net.add("head", Linear(4, 2, {.bias = false}));
  EXPECT_EQ(names_of(net), (std::vector<std::string>{"0.weight", "0.bias", "2.in.weight", "2.in.bias",
                                                     "2.out.weight", "head.weight"}));
  EXPECT_EQ(parameter_count(net), 3 * 4 + 4 + 4 * 4 + 4 + 4 * 4 + 4 * 2);
}

TEST(Layer, FirstValuesComeFromSeedAndPathAlone) {
  Sequential a(Linear(3, 4), Linear(4, 4), Linear(4, 4));
  Sequential b(Scale(3), Linear(4, 4), Linear(4, 4), Linear(4, 2));
  initialize(a, 7);
  initialize(b, 7);
  EXPECT_EQ(values_of(a, "1.weight"), values_of(b, "1.weight"));
  EXPECT_EQ(values_of(a, "2.bias"), values_of(b, "2.bias"));
  EXPECT_NE(values_of(a, "1.weight"), values_of(a, "2.weight"));
  const std::vector<float> before = values_of(a, "1.weight");
  initialize(a, 8);
  EXPECT_NE(values_of(a, "1.weight"), before);
  initialize(a, 7);
  EXPECT_EQ(values_of(a, "1.weight"), before);
}

TEST(Layer, WithoutInitializeTheSeedIsZero) {
  Sequential a(Linear(3, 4), Linear(4, 4));
  Sequential b(Linear(3, 4), Linear(4, 4));
  a(ones({1, 3}));
  initialize(b, 0);
  EXPECT_EQ(values_of(a, "1.weight"), values_of(b, "1.weight"));
}

TEST(Layer, PutsThePathInFrontOfAnError) {
  Sequential net(Sequential(Linear(3, 4), Residual(5)), ReLU());
  EXPECT_ERROR(ShapeError, net(ones({2, 3})), "0.1.in: [linear] x[2, 4] has 4 columns, w[5, 5] takes 5");
  EXPECT_ERROR(DTypeError, net(ones({2, 3}, kFloat64)),
               "0.0: [linear] needs all float32 or all float64, got x float64, w float32, b float32");
  Linear alone(3, 4);
  EXPECT_ERROR(ShapeError, alone(ones({2, 5})), "[linear] x[2, 5] has 5 columns, w[4, 3] takes 3");
}

// Assigned through a reference to Layer, a layer would keep its own members and say nothing.
static_assert(!std::is_assignable_v<Layer&, Linear>);
static_assert(std::is_move_assignable_v<Linear>);

TEST(Sequential, ALayerCanBeReplaced) {
  Sequential net(Linear(3, 4));
  net.add("head", Linear(4, 2));
  net(ones({1, 3}));
  net.replace("head", Linear(4, 5));
  EXPECT_EQ(net(ones({1, 3})).shape(), (Shape{1, 5}));
  EXPECT_EQ(named_parameters(net)[2].name, "head.weight");
  EXPECT_EQ(named_parameters(net)[2].parameter.name(), "head.weight");
  EXPECT_ERROR(IndexError, net.replace("tail", Linear(4, 5)),
               "[sequential] there is no layer called \"tail\"");
  EXPECT_ERROR(ValueError, net.replace("head", LayerPtr()), "[sequential] layer \"head\" is null");
}

TEST(Layer, AnErrorLeavesTheContextAsItWas) {
  Sequential net(Linear(3, 4), Linear(4, 2));
  Context context;
  EXPECT_THROW(net(ones({2, 5}), context), ShapeError);
  EXPECT_EQ(context.running, nullptr);
  EXPECT_ERROR(ShapeError, net(ones({2, 6}), context), "0: [linear] x[2, 6] has 6 columns, w[4, 3] takes 3");
}

TEST(Layer, ObserverSeesEveryLayerInnermostFirst) {
  Sequential net(Linear(3, 4), Residual(4));
  std::vector<std::string> seen;
  Context context;
  context.observer = [&](std::string_view path, Layer&, const Tensor& x, const Tensor& y) {
    seen.push_back(join('"', path, "\" ", x, " -> ", y));
  };
  net(ones({2, 3}), context);
  EXPECT_EQ(seen, (std::vector<std::string>{"\"0\" [2, 3] -> [2, 4]", "\"1.in\" [2, 4] -> [2, 4]",
                                            "\"1.in\" [2, 4] -> [2, 4]", "\"1.out\" [2, 4] -> [2, 4]",
                                            "\"1\" [2, 4] -> [2, 4]", "\"\" [2, 3] -> [2, 4]"}));
}

TEST(Layer, RandomKeysDependOnPathAndStep) {
  std::vector<RandomKey> keys;
  class Draws final : public Layer {
   public:
    explicit Draws(std::vector<RandomKey>& keys) : keys_(keys) {}
    Tensor forward(const Tensor& x, Context& context) override {
      keys_.push_back(context.next_key());
      keys_.push_back(context.next_key());
      return x;
    }
    std::vector<RandomKey>& keys_;
  };
  Sequential net((Draws(keys)), Draws(keys));
  for (const std::uint64_t step : {1, 1, 2}) {
    Context context{.training = true, .key = {.seed = 5, .counter = step}};
    net(ones({1}), context);
  }
  ASSERT_EQ(keys.size(), 12u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(keys[i], keys[i + 4]);
    EXPECT_EQ(keys[i + 8], keys[i].with_counter(2));
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(keys[i].stream, keys[j].stream);
  }
  EXPECT_EQ(keys[0], (RandomKey{5, stream_of("0"), 1}));
}

TEST(Layer, FrozenParametersAreConstants) {
  Sequential net(Linear(2, 3), Linear(3, 1));
  freeze(net[0]);
  backward(sum(net(ones({1, 2}))));
  const NamedParameters parameters = named_parameters(net);
  EXPECT_FALSE(parameters[0].parameter.grad().defined());
  EXPECT_TRUE(parameters[2].parameter.grad().defined());
  freeze(net, false);
  backward(sum(net(ones({1, 2}))));
  EXPECT_TRUE(parameters[0].parameter.grad().defined());
  zero_grad(net);
  EXPECT_FALSE(parameters[0].parameter.grad().defined());
}

TEST(Layer, ConvertsToAnotherDtype) {
  Sequential net(Linear(2, 3), Linear(3, 1));
  const std::vector<float> before = values_of(net, "0.weight");
  convert(net, kFloat64);
  EXPECT_EQ(net(ones({1, 2}, kFloat64)).dtype(), kFloat64);
  EXPECT_EQ(values_of(net, "0.weight"), before);
}

TEST(StateDict, GoesFromOneNetToAnother) {
  Sequential a(Linear(2, 3), Linear(3, 1)), b(Linear(2, 3), Linear(3, 1));
  initialize(a, 1);
  load_state_dict(b, state_dict(a));
  EXPECT_EQ(values_of(b, "1.weight"), values_of(a, "1.weight"));
  EXPECT_EQ(b(ones({1, 2})).to_vector<float>(), a(ones({1, 2})).to_vector<float>());
}

TEST(StateDict, NamesAllThatDoesNotFitAndAssignsNothing) {
  Sequential net(Linear(2, 3), Linear(3, 1));
  const std::vector<float> before = values_of(net, "0.weight");
  const NamedTensors wrong = {{"0.weight", ones({3, 2})},
                              {"1.weight", ones({1, 4})},
                              {"1.bias", ones({1}, kFloat64)},
                              {"2.weight", ones({1})}};
  EXPECT_ERROR(
      ValueError, load_state_dict(net, wrong),
      "[load_state_dict] missing: 0.bias; unexpected: 2.weight; 1.weight is float32[1, 3], the given "
      "value is float32[1, 4], 1.bias is float32[1], the given value is float64[1]");
  EXPECT_EQ(values_of(net, "0.weight"), before);
}

TEST(StateDict, IsNotChangedByLaterAssignments) {
  Linear layer(2, 1);
  const NamedTensors saved = state_dict(layer);
  const std::vector<float> before = saved[0].value.to_vector<float>();
  initialize(layer, 99);
  EXPECT_EQ(saved[0].value.to_vector<float>(), before);
  EXPECT_FALSE(saved[0].value.requires_grad());
}

TEST(Sequential, RefusesNamesThatCannotBeTold) {
  Sequential net(Linear(2, 2));
  EXPECT_ERROR(ValueError, net.add("0", Linear(2, 2)), "[sequential] there are two layers called \"0\"");
  EXPECT_ERROR(ValueError, net.add("a.b", Linear(2, 2)),
               "[sequential] \"a.b\" cannot be a name: it must not be empty or contain a dot");
  EXPECT_ERROR(ValueError, net.add("x", LayerPtr()), "[sequential] layer \"x\" is null");
  EXPECT_ERROR(IndexError, net[1], "[sequential] there is no layer 1 among 1");
  EXPECT_ERROR(IndexError, net["head"], "[sequential] there is no layer called \"head\"");
}

TEST(Sequential, TakesLayersAfterItHasRun) {
  Sequential net(Linear(2, 3));
  net(ones({1, 2}));
  net.add(Linear(3, 4));
  EXPECT_EQ(net(ones({1, 2})).shape(), Shape({1, 4}));
}

TEST(Parameter, WithoutAValueSaysHowToGetOne) {
  Linear layer(2, 3);
  EXPECT_ERROR(ValueError, layer.weight().value(),
               "[parameter] a parameter[3, 2] has no value yet: call initialize() on the layer, or load or "
               "assign one");
}

TEST(LinearLayer, RefusesSizesThatAreNotPositive) {
  EXPECT_ERROR(ValueError, Linear(0, 3), "[linear] needs positive sizes, got in = 0, out = 3");
}

}  // namespace
}  // namespace splot
