// The networks of splot/models beside PyTorch's: names, numbers of parameters, outputs.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/models/resnet.h"
#include "splot/nn/parameters.h"
#include "splot/nn/registry.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

using nlohmann::json;

const json& golden() {
  static const json all = [] {
    std::ifstream in(SPLOT_TESTS_DIR "/golden/models.json");
    return json::parse(in);
  }();
  return all;
}

// As in scripts/golden/models.py.
std::vector<float> numbers(std::uint32_t tensor, Index count) {
  std::vector<float> out;
  for (Index i = 0; i < count; ++i) {
    std::uint32_t h = static_cast<std::uint32_t>(i) * 2654435761U + (tensor * 374761393U + 1U);
    h ^= h >> 16U;
    h *= 2246822519U;
    h ^= h >> 13U;
    h *= 3266489917U;
    h ^= h >> 16U;
    out.push_back(static_cast<float>(h / 4294967296.0 - 0.5));
  }
  return out;
}

Tensor value(const std::string& name, std::uint32_t tensor, const Shape& shape) {
  const Tensor plain = reshape(Tensor::from(numbers(tensor, shape.numel()), {shape.numel()}), shape.ints());
  const bool vector_weight = name.ends_with("weight") && shape.rank() == 1;
  if (name.ends_with("running_var") || vector_weight) return 1.0 + plain;
  if (!name.ends_with("weight")) return plain;
  return plain * std::sqrt(24.0 * static_cast<double>(shape[0]) / static_cast<double>(shape.numel()));
}

Shape shape_of(const json& sizes) {
  const auto values = sizes.get<std::vector<Index>>();
  return Shape(std::span<const Index>(values));
}

Index parameters_of(Layer& net) {
  Index total = 0;
  for (const NamedParameter& entry : named_parameters(net)) total += entry.parameter.shape().numel();
  return total;
}

// Loads PyTorch's weights by PyTorch's names.
void load_golden(Layer& net, const json& expected) {
  NamedTensors state;
  std::uint32_t number = 0;
  for (const json& entry : expected["state"]) {
    const auto name = entry[0].get<std::string>();
    const Shape shape = shape_of(entry[1]);
    state.push_back(
        {name, name.ends_with("num_batches_tracked") ? zeros({}, kInt64) : value(name, number, shape)});
    ++number;
  }
  load_state_dict(net, state);
}

void expect_close(const Tensor& y, const json& expected, double bound) {
  const auto wanted = expected.get<std::vector<double>>();
  const std::vector<double> got = cast(y, kFloat64).to_vector<double>();
  ASSERT_EQ(got.size(), wanted.size());
  double largest = 0.0, worst = 0.0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    largest = std::max(largest, std::abs(wanted[i]));
    worst = std::max(worst, std::abs(got[i] - wanted[i]));
  }
  EXPECT_LE(worst, bound * largest);
}

void expect_like_pytorch(const char* name, Layer& net) {
  SCOPED_TRACE(name);
  const json& expected = golden().at(name);
  EXPECT_EQ(parameters_of(net), expected["parameters"].get<Index>());
  load_golden(net, expected);
  const Shape shape = shape_of(expected["input"]);
  const Tensor x = reshape(Tensor::from(numbers(1000, shape.numel()), {shape.numel()}), shape.ints());
  expect_close(net(x), expected["in_use"], 1e-5);
  Context learning{.training = true};
  expect_close(net(x, learning), expected["learning"], 1e-5);
  // What a model file keeps is the same network.
  const LayerPtr copy = layer_from_json(to_json(net));
  load_golden(*copy, expected);
  EXPECT_EQ((*copy)(x).to_vector<float>(), [&] {
    load_golden(net, expected);
    return net(x).to_vector<float>();
  }());
}

TEST(Models, ComputeWhatPyTorchComputes) {
  Sequential cnn = models::our_cnn(), lenet = models::lenet5(), resnet = models::resnet();
  Sequential plain = models::resnet({.skip = false}), dense = models::densenet({.depth = 22, .growth = 8});
  expect_like_pytorch("our_cnn", cnn);
  expect_like_pytorch("lenet5", lenet);
  expect_like_pytorch("resnet20", resnet);
  expect_like_pytorch("resnet20_plain", plain);
  expect_like_pytorch("densenet22", dense);
}

// Weights of ours, read by PyTorch, have its names in its order.
TEST(Models, NamesAreThoseOfPyTorch) {
  for (const auto& [name, net] :
       {std::pair{"our_cnn", models::our_cnn()}, std::pair{"resnet20", models::resnet()}}) {
    std::vector<std::string> ours, theirs;
    for (const NamedTensor& entry : state_dict(const_cast<Sequential&>(net))) ours.push_back(entry.name);
    for (const json& entry : golden().at(name)["state"]) theirs.push_back(entry[0].get<std::string>());
    EXPECT_EQ(ours, theirs);
  }
}

// The published sizes: 0.27, 0.46, 0.66, 0.85 and 1.7 million; 1.0 million; the lecture's two.
TEST(Models, HaveThePublishedNumberOfParameters) {
  for (const Index depth : {20, 32, 44, 56, 110}) {
    Sequential net = models::resnet({.depth = depth});
    EXPECT_EQ(parameters_of(net), golden().at("resnet" + std::to_string(depth))["parameters"].get<Index>());
  }
  Sequential dense = models::densenet(), mlp = models::our_multilayer_perceptron(), cnn = models::our_cnn();
  EXPECT_EQ(parameters_of(dense), golden().at("densenet40")["parameters"].get<Index>());
  EXPECT_EQ(parameters_of(mlp), 394'294);
  EXPECT_EQ(parameters_of(cnn), 155'958);
}

TEST(Models, RefuseSizesThatDoNotExist) {
  EXPECT_ERROR(ValueError, models::resnet({.depth = 18}),
               "[resnet] the depth must be 6 n + 2, such as 20, 32 or 56, got 18");
  EXPECT_ERROR(ValueError, models::densenet({.depth = 41}),
               "[densenet] the depth must be 3 n + 4, such as 40, got 41");
  EXPECT_ERROR(ValueError, models::densenet({.growth = 0}), "[densenet] the growth must be positive, got 0");
}

}  // namespace
}  // namespace splot
