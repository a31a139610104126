// LayerGraph: which layer gets what, names, saving, and the errors of wrong wiring.
#include "splot/nn/layer_graph.h"

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/core/error.h"
#include "splot/nn/activation_layers.h"
#include "splot/nn/conv.h"
#include "splot/nn/linear.h"
#include "splot/nn/parameters.h"
#include "splot/nn/registry.h"
#include "splot/nn/summary.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

// y = relu(a(x) + b(a(x)) + x), and what it puts together beside it.
LayerGraph branches() {
  LayerGraph net;
  net.add("a", Linear(3, 3)).add("b", Linear(3, 3));
  net.add("sum", Add(), {"a", "b", "input"});
  net.add("relu", ReLU());
  net.add("both", Concat(), {"relu", "a"});
  return net;
}

Tensor by_hand(LayerGraph& net, const Tensor& x) {
  const Tensor a = net["a"](x);
  const Tensor b = net["b"](a);
  return concat({relu(a + b + x), a}, 1);
}

Tensor some_input(Index rows = 4) { return normal({rows, 3}, RandomKey{.seed = 5}); }

TEST(LayerGraph, GivesEachLayerWhatItTakes) {
  LayerGraph net = branches();
  initialize(net, 7);
  const Tensor x = some_input();
  EXPECT_EQ(net(x).to_vector<float>(), by_hand(net, x).to_vector<float>());
  EXPECT_EQ(net(x).shape(), Shape({4, 6}));
}

TEST(LayerGraph, GradientsOfAllBranchesAdd) {
  LayerGraph net = branches();
  initialize(net, 7);
  const Tensor x = some_input();
  const auto gradients = [&](auto&& run) {
    std::vector<std::vector<float>> out;
    for (const NamedParameter& entry : named_parameters(net)) Parameter(entry.parameter).zero_grad();
    backward(sum(square(run())));
    for (const NamedParameter& entry : named_parameters(net))
      out.push_back(entry.parameter.grad().to_vector<float>());
    return out;
  };
  EXPECT_EQ(gradients([&] { return net(x); }), gradients([&] { return by_hand(net, x); }));
}

TEST(LayerGraph, OneLayerMayTakeTheSameTwice) {
  LayerGraph net;
  net.add("double", Add(), {"input", "input"});
  const Tensor x = some_input();
  EXPECT_EQ(net(x).to_vector<float>(), (x + x).to_vector<float>());
}

TEST(LayerGraph, ComesBackFromItsDescription) {
  LayerGraph net = branches();
  initialize(net, 3);
  const std::string text = to_json(net);
  EXPECT_NE(text.find(R"("inputs":["a","b","input"])"), std::string::npos) << text;
  const LayerPtr copy = layer_from_json(text);
  load_state_dict(*copy, state_dict(net));
  const Tensor x = some_input();
  EXPECT_EQ((*copy)(x).to_vector<float>(), net(x).to_vector<float>());
  EXPECT_EQ(to_json(*copy), text);
}

TEST(LayerGraph, NamesAndSummaryAreThoseOfItsLayers) {
  LayerGraph net = branches();
  std::vector<std::string> names;
  for (const NamedTensor& entry : state_dict(net)) names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{"a.weight", "a.bias", "b.weight", "b.bias"}));
  const std::vector<LayerSummary> rows = summarize(net, {3}, kFloat32);
  ASSERT_EQ(rows.size(), 5u);
  EXPECT_EQ(rows[2].type, "add");
  EXPECT_EQ(rows[4].output, Shape({6}));
}

TEST(LayerGraph, SaysWhatIsWrongWithTheWiring) {
  LayerGraph net;
  net.add("a", Linear(3, 3));
  EXPECT_ERROR(ValueError, net.add("b", Add(), {"a", "c"}),
               R"([graph] layer "b" takes "c", which is no layer before it)");
  EXPECT_ERROR(ValueError, net.add("a", ReLU()), R"([graph] there are two layers called "a")");
  EXPECT_ERROR(ValueError, net.add("input", ReLU()),
               R"([graph] "input" cannot be a name: it must not be empty, "input" or contain a dot)");
  EXPECT_ERROR(ValueError, net.add("x.y", ReLU()),
               R"([graph] "x.y" cannot be a name: it must not be empty, "input" or contain a dot)");
  EXPECT_ERROR(ValueError, LayerGraph()(some_input()), "[graph] there are no layers");
  net.add("two", Linear(3, 3), {"a", "input"});
  EXPECT_ERROR(ValueError, net(some_input()), "two: [linear] takes one input, got 2");
  EXPECT_ERROR(ValueError, layer_from_json(R"({"version": 1, "model": {"type": "sequential", "children": [
                 {"type": "relu", "inputs": ["input"]}]}})"),
               R"([sequential] layer "0" has inputs: that needs a graph)");
  EXPECT_ERROR(ValueError, layer_from_json(R"({"version": 1, "model": {"type": "graph", "children": [
                 {"type": "relu", "name": "r", "inputs": ["s"]}, {"type": "relu", "name": "s"}]}})"),
               R"([graph] layer "r" takes "s", which is no layer before it)");
}

TEST(Add, RefusesShapesThatDiffer) {
  LayerGraph net;
  net.add("narrow", Linear(3, 2)).add("sum", Add(), {"narrow", "input"});
  EXPECT_ERROR(ShapeError, net(some_input()),
               "sum: [add] input 0 is [4, 2], input 1 is [4, 3]: the shapes must be equal");
}

float element(const Tensor& x, const Ints& at) {
  Slices slices;
  for (const Index i : at) slices.push_back({i, i + 1});
  return slice(x, slices).item<float>();
}

// Against the definition: every second pixel, zeros for the channels that are missing.
TEST(PadShortcut, TakesEverySecondPixelAndAddsChannelsOfZeros) {
  const Tensor x = normal({2, 3, 5, 4}, RandomKey{.seed = 1});
  const Tensor y = PadShortcut({.stride = 2, .channels = 3})(x);
  ASSERT_EQ(y.shape(), Shape({2, 6, 3, 2}));
  for (Index n = 0; n < 2; ++n) {
    for (Index c = 0; c < 6; ++c) {
      for (Index i = 0; i < 3; ++i) {
        for (Index j = 0; j < 2; ++j) {
          const float expected = c >= 1 && c < 4 ? element(x, {n, c - 1, 2 * i, 2 * j}) : 0.0F;
          EXPECT_EQ(element(y, {n, c, i, j}), expected);
        }
      }
    }
  }
  EXPECT_ERROR(ValueError, PadShortcut({.stride = 0}), "[pad_shortcut] the stride must be positive, got 0");
  EXPECT_ERROR(ValueError, PadShortcut({.channels = -1}),
               "[pad_shortcut] the channels must be 0 or more, got -1");
}

// Shortcuts are on the way of images that lie innermost in memory: nothing on the way should rearrange them.
TEST(PadShortcut, KeepsTheOrderOfMemory) {
  const Tensor x =
      permute(normal({3, 6, 6, 8}, RandomKey{.seed = 1}), {3, 0, 1, 2});  // [8, 3, 6, 6], images last
  for (const Tensor& y : {PadShortcut({.stride = 2, .channels = 2})(x), Concat()(x)}) {
    EXPECT_EQ(y.strides()[0], 1);
    EXPECT_EQ(y.strides()[3], 8);
  }
}

}  // namespace
}  // namespace splot
