#include "splot/nn/registry.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "splot/nn/activation_layers.h"
#include "splot/nn/dropout.h"
#include "splot/nn/flatten.h"
#include "splot/nn/linear.h"
#include "splot/nn/parameters.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

LayerDescription description(const std::string& model) {
  return description_from_json(R"({"version": 1, "model": )" + model + "}");
}

TEST(Registry, AnArchitectureComesBackFromItsText) {
  Sequential net(Flatten(), Linear(6, 4, {.bias = false, .weight_init = init::normal(0.0, 0.25)}), Sigmoid(),
                 Dropout({.p = 0.25}), Sequential(Linear(4, 4), PReLU({.channels = 4, .slope = 0.5})));
  net.add("head", Linear(4, 2, {.bias_init = init::zeros(), .dtype = kFloat32}));
  const std::string text = to_json(net);
  const LayerPtr copy = layer_from_json(text);
  EXPECT_EQ(to_json(*copy), text);
  // First values come from seed and path: the same architecture has the same.
  EXPECT_EQ((*copy)(ones({1, 2, 3})).to_vector<float>(), net(ones({1, 2, 3})).to_vector<float>());
  EXPECT_EQ(text.substr(0, 40), R"({"version":1,"model":{"type":"sequential)");
}

TEST(Registry, EveryTypeComesBack) {
  for (const std::string& type : layer_types()) {
    LayerDescription one{.type = type};
    if (type == "linear") one.arguments = {{"in", Index{3}}, {"out", Index{2}}};
    if (type == "conv1d") one.arguments = {{"in", Index{3}}, {"out", Index{2}}, {"kernel", Index{5}}};
    if (type == "conv2d" || type == "conv_transpose2d") {
      one.arguments = {{"in", Index{3}}, {"out", Index{2}}, {"kernel", Ints{5, 4}}};
    }
    if (type.ends_with("_pool1d")) one.arguments = {{"kernel", Index{2}}};
    if (type == "max_pool2d" || type == "avg_pool2d") one.arguments = {{"kernel", Ints{2, 3}}};
    if (type.starts_with("adaptive")) one.arguments = {{"size", Index{1}}};
    if (type == "pad2d") one.arguments = {{"padding", Ints{1, 0, 2, 3}}};
    if (type == "resize") one.arguments = {{"size", Ints{4, 5}}};
    if (type == "upsample") one.arguments = {{"scale", Ints{2}}};
    if (type.starts_with("batch_norm")) one.arguments = {{"channels", Index{4}}};
    if (type == "layer_norm") one.arguments = {{"sizes", Ints{4, 4}}};
    if (type == "group_norm") one.arguments = {{"groups", Index{2}}, {"channels", Index{4}}};
    const LayerPtr layer = build(one);
    EXPECT_EQ(type_name(*layer), type);
    const std::string text = to_json(*layer);
    EXPECT_EQ(to_json(*layer_from_json(text)), text);
  }
  EXPECT_GE(layer_types().size(), 43u);
}

TEST(Registry, OptionsThatAreLeftOutHaveTheirDefaults) {
  const LayerPtr layer = build(
      description(R"({"type": "linear", "arguments": {"in": 3, "out": 2, "weight_init": "he_normal"}})"));
  Linear same(3, 2, {.weight_init = init::he_normal()});
  EXPECT_EQ(to_json(*layer), to_json(same));
}

TEST(Registry, NamesWhatCannotBeBuilt) {
  EXPECT_ERROR(ValueError, build(description(R"({"type": "linear", "arguments": {"in": 3}})")),
               "[layer] the argument \"out\" is missing");
  EXPECT_ERROR(
      ValueError, build(description(R"({"type": "sequential", "children": [{"type": "relu"}, {"name": "head",
                     "type": "linear", "arguments": {"in": 3, "out": 2, "size": 1}}]})")),
      "head: [layer] \"linear\" has no argument \"size\"; it takes in, out, bias, weight_init, bias_init, "
      "dtype");
  EXPECT_ERROR(ValueError, build(description(R"({"type": "relu", "arguments": {"slope": 1}})")),
               "[layer] \"relu\" has no argument \"slope\"; it takes none");
  EXPECT_ERROR(ValueError, build(description(R"({"type": "linear", "arguments": {"in": 3.5, "out": 2}})")),
               "[layer] the argument \"in\" must be an integer, got a number");
  EXPECT_ERROR(ValueError, build(description(R"({"type": "linear", "arguments": {"in": -3, "out": 2}})")),
               "[linear] needs positive sizes, got in = -3, out = 2");
  EXPECT_ERROR(
      ValueError, build(description(R"({"type": "sequential", "children": [{"type": "Rnn"}]})")),
      "0: [layer] the type \"Rnn\" is not registered: register_layer() it, or make the layer in C++ and "
      "load its weights by name");
  EXPECT_ERROR(ValueError, build(description(R"({"type": "relu", "children": [{"type": "relu"}]})")),
               "[layer] \"relu\" cannot hold other layers");
}

TEST(Registry, RefusesTextThatIsNoArchitecture) {
  EXPECT_ERROR(FormatError, description_from_json("{"), "[model] this is not JSON, from byte 2 on");
  EXPECT_ERROR(FormatError, description_from_json("{\"version\": 1e999}"),
               "[model] this is not JSON: a number in it is too large");
  EXPECT_ERROR(FormatError, description_from_json("[]"),
               "[model] the architecture must have a \"version\" and a \"model\"");
  EXPECT_ERROR(FormatError, description_from_json(R"({"version": 2, "model": {"type": "relu"}})"),
               "[model] the architecture has version 2, this Splot reads up to 1");
  EXPECT_ERROR(FormatError, description_from_json(R"({"version": 0, "model": {"type": "relu"}})"),
               "[model] the version of the architecture must be a positive integer");
  EXPECT_ERROR(FormatError, description("{}"), "[model] a layer has no type");
  EXPECT_ERROR(FormatError, description("3"), "[model] a layer must be an object");
  EXPECT_ERROR(FormatError, description(R"({"type": 3})"), "[model] \"type\" of a layer must be a text");
  EXPECT_ERROR(FormatError, description(R"({"type": "relu", "outputs": []})"),
               "[model] a layer has the unknown key \"outputs\"");
  EXPECT_ERROR(FormatError, description(R"({"type": "relu", "arguments": {"x": 18446744073709551615}})"),
               "[model] the argument \"x\" is too large");
  EXPECT_ERROR(FormatError, description(R"({"type": "relu", "arguments": {"x": {"y": 1}}})"),
               "[model] the argument \"x\" is neither a value nor a list of at most 8 integers");
  std::string deep = R"({"type": "relu"})";
  for (int i = 0; i < 66; ++i) deep = R"({"type": "sequential", "children": [)" + deep + "]}";
  EXPECT_ERROR(FormatError, description(deep), "[model] layers are nested more than 64 deep");
  EXPECT_ERROR(FormatError, description_from_json(std::string(100'000, '[')),
               "[model] the JSON text is nested too deeply");
}

// A user's layer: unregistered it is described, not built; registered it is both.
class Doubler final : public Layer {
 public:
  explicit Doubler(Index size) : size_(size), inner_(size, size) {}
  Tensor forward(const Tensor& x, Context& context) override { return inner_(inner_(x, context), context); }
  void visit(Visitor& v) override {
    v.argument("size", size_);
    v.child("inner", inner_);
  }

 private:
  Index size_;
  Linear inner_;
};

TEST(Registry, AUsersLayerIsSavedByNameUntilItIsRegistered) {
  Sequential net(Doubler(3), ReLU());
  EXPECT_EQ(type_name(net[0]), "splot::(anonymous namespace)::Doubler");
  const std::string before = to_json(net);
  EXPECT_NE(before.find(R"("registered":false)"), std::string::npos);
  EXPECT_ERROR(
      ValueError, layer_from_json(before),
      "0: [layer] the type \"splot::(anonymous namespace)::Doubler\" is not registered: register_layer() "
      "it, or make the layer in C++ and load its weights by name");
  Sequential again(Doubler(3), ReLU());
  initialize(net, 5);
  load_state_dict(again, state_dict(net));
  EXPECT_EQ(again(ones({1, 3})).to_vector<float>(), net(ones({1, 3})).to_vector<float>());

  register_layer("test_doubler", typeid(Doubler), [](const Arguments& a, const std::vector<NamedLayer>&) {
    return std::make_shared<Doubler>(a.integer("size"));
  });
  const LayerPtr copy = layer_from_json(to_json(net));
  load_state_dict(*copy, state_dict(net));
  EXPECT_EQ((*copy)(ones({1, 3})).to_vector<float>(), net(ones({1, 3})).to_vector<float>());
  EXPECT_ERROR(ValueError, register_layer("test_doubler", typeid(int), nullptr),
               "[register_layer] \"test_doubler\" or its C++ type is registered already");
}

TEST(Initializer, ComesBackFromItsText) {
  for (const Initializer& init :
       {init::zeros(), init::ones(), init::constant(0.1), init::normal(), init::normal(-1.0, 0.5),
        init::uniform(-0.25, 1e-3), init::inverse_sqrt_normal(), init::inverse_sqrt_uniform(),
        init::glorot_normal(), init::glorot_uniform(), init::he_normal(), init::he_uniform(),
        init::lecun_uniform()}) {
    EXPECT_EQ(Initializer::parse(init.to_string()), init) << init.to_string();
  }
  EXPECT_EQ(init::normal().to_string(), "normal(0, 1)");
  EXPECT_EQ(Initializer::parse(" zeros "), init::zeros());
  EXPECT_EQ(Initializer::parse("normal( 0 , 2 )"), init::normal(0.0, 2.0));
  EXPECT_EQ(Initializer::parse("lecun_normal"), init::inverse_sqrt_normal());
  EXPECT_EQ(Initializer::parse("xavier_uniform"), init::glorot_uniform());
  EXPECT_EQ(Initializer::parse("kaiming_normal"), init::he_normal());
}

TEST(Initializer, RefusesOtherText) {
  EXPECT_ERROR(
      ValueError, Initializer::parse("xavier"),
      "[initializer] \"xavier\" is none of constant, normal, uniform, inverse_sqrt_normal, "
      "inverse_sqrt_uniform, glorot_normal, glorot_uniform, he_normal, he_uniform, lecun_uniform, zeros, "
      "ones, lecun_normal, xavier_normal, xavier_uniform, kaiming_normal, kaiming_uniform");
  EXPECT_ERROR(ValueError, Initializer::parse("normal(1)"),
               "[initializer] \"normal(1)\" has 1 arguments, normal takes 2");
  EXPECT_ERROR(ValueError, Initializer::parse("normal(1, x)"),
               "[initializer] \"x\" in \"normal(1, x)\" is not a finite number");
  EXPECT_ERROR(ValueError, Initializer::parse("normal(1,"),
               "[initializer] a \")\" is missing in \"normal(1,\"");
  EXPECT_ERROR(ValueError, Initializer::parse("normal(1,)"),
               "[initializer] a number is missing in \"normal(1,)\"");
  EXPECT_ERROR(ValueError, Initializer::parse("constant(inf)"),
               "[initializer] \"inf\" in \"constant(inf)\" is not a finite number");
}

// Mean and standard deviation of many draws, and for the uniform ones the bounds.
TEST(Initializer, DrawsWhatItSays) {
  struct Case {
    Initializer init;
    double mean, deviation, bound;
  };
  const double in = 200.0, out = 100.0;
  const double infinite = std::numeric_limits<double>::infinity();
  const Case cases[] = {
      {init::normal(1.0, 2.0), 1.0, 2.0, infinite},
      {init::uniform(-1.0, 3.0), 1.0, 4.0 / std::sqrt(12.0), 3.0},
      {init::inverse_sqrt_normal(), 0.0, 1.0 / std::sqrt(in), infinite},
      {init::inverse_sqrt_uniform(), 0.0, 1.0 / std::sqrt(3.0 * in), 1.0 / std::sqrt(in)},
      {init::glorot_normal(), 0.0, std::sqrt(2.0 / (in + out)), infinite},
      {init::glorot_uniform(), 0.0, std::sqrt(2.0 / (in + out)), std::sqrt(6.0 / (in + out))},
      {init::he_normal(), 0.0, std::sqrt(2.0 / in), infinite},
      {init::he_uniform(), 0.0, std::sqrt(2.0 / in), std::sqrt(6.0 / in)},
      {init::lecun_uniform(), 0.0, std::sqrt(1.0 / in), std::sqrt(3.0 / in)},
  };
  for (const Case& c : cases) {
    const std::vector<double> x = c.init.draw({100, 200}, kFloat64, {.seed = 3}).to_vector<double>();
    double total = 0.0, squares = 0.0, largest = 0.0;
    for (const double value : x) {
      total += value;
      squares += (value - c.mean) * (value - c.mean);
      largest = std::max(largest, std::abs(value));
    }
    const auto n = static_cast<double>(x.size());
    EXPECT_NEAR(total / n, c.mean, 4.0 * c.deviation / std::sqrt(n)) << c.init.to_string();
    EXPECT_NEAR(std::sqrt(squares / n), c.deviation, 0.02 * c.deviation) << c.init.to_string();
    EXPECT_LE(largest, c.bound) << c.init.to_string();
    const std::vector<float> rounded = c.init.draw({100, 200}, kFloat32, {.seed = 3}).to_vector<float>();
    EXPECT_EQ(rounded[17], static_cast<float>(x[17]));
  }
  EXPECT_EQ(init::constant(0.5).draw({2}, kFloat32, {}).to_vector<float>(), (std::vector<float>{0.5f, 0.5f}));
  EXPECT_EQ(init::he_normal().draw({0, 3}, kFloat32, {}).shape(), Shape({0, 3}));
  EXPECT_THROW(init::zeros().draw({2}, kInt64, {}), DTypeError);
}

TEST(Initializer, ABiasHasTheFansOfItsWeight) {
  Linear layer(10'000, 50, {.weight_init = init::zeros()});
  const std::vector<float> bias = state_dict(layer)[1].value.to_vector<float>();
  const float largest = *std::max_element(bias.begin(), bias.end());
  EXPECT_LE(largest, 0.01f);
  EXPECT_GT(largest, 0.005f);
}

}  // namespace
}  // namespace splot
