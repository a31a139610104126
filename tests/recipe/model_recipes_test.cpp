// Recipes say their networks layer by layer, for all to see, or by name; splot/models builds the same for
// programs.
#include <gtest/gtest.h>

#include "splot/models/lecture_networks.h"
#include "splot/models/network3.h"
#include "splot/models/resnet.h"
#include "splot/nn/parameters.h"
#include "splot/nn/registry.h"
#include "splot/ops/ops.h"
#include "splot/recipe/build.h"
#include "splot/recipe/recipe.h"
#include "splot/train/model_file.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

void expect_same(const std::string& id, Sequential built) {
  const Recipe recipe = load_recipe(SPLOT_TESTS_DIR "/../recipes/" + id + ".toml");
  const LayerPtr written = build_model(recipe.model, {1, 28, 28}, kFloat32, 3);
  initialize(built, 3);
  EXPECT_EQ(to_json(built), to_json(*written)) << id;
  EXPECT_EQ(weights_sha256(built), weights_sha256(*written)) << id << ": the same beginning";
}

Index parameters_of(Sequential net) {
  initialize(net, 1);
  Index out = 0;
  for (const auto& [name, parameter] : named_parameters(net)) out += parameter.value().numel();
  return out;
}

TEST(ModelRecipes, Network3IsThatOfItsRecipes) {
  using models::Network3;
  expect_same("network3-fc", models::network3(Network3::fc));
  expect_same("network3-conv", models::network3(Network3::conv));
  expect_same("network3-conv2", models::network3(Network3::conv2));
  expect_same("network3-relu", models::network3(Network3::relu));
  expect_same("network3-expanded", models::network3(Network3::relu));
  expect_same("network3-dropout", models::network3(Network3::dropout));
  EXPECT_EQ(parameters_of(models::network3(Network3::fc)), 79'510);
  EXPECT_EQ(parameters_of(models::network3(Network3::conv)), 289'630);
  EXPECT_EQ(parameters_of(models::network3(Network3::conv2)), 85'670);
}

TEST(ModelRecipes, TheSixNetworksAreThoseOfTheirRecipes) {
  using models::LectureNetwork;
  expect_same("fashion-cnn", models::lecture_network(LectureNetwork::cnn));
  expect_same("fashion-dropout", models::lecture_network(LectureNetwork::dropout));
  expect_same("fashion-batchnorm", models::lecture_network(LectureNetwork::batch_norm));
  expect_same("fashion-vgg", models::lecture_network(LectureNetwork::vgg));
  expect_same("fashion-vgg-bn", models::lecture_network(LectureNetwork::vgg_batch_norm));
  expect_same("fashion-resnet", models::resnet({.depth = 8, .channels = 1}));
  const Index expected[] = {225'034, 225'034, 225'130, 146'938, 147'162};
  for (int kind = 0; kind < 5; ++kind) {
    EXPECT_EQ(parameters_of(models::lecture_network(static_cast<LectureNetwork>(kind))), expected[kind])
        << kind;
  }
}

ModelRecipe named(const std::string& name, Index classes = 10) {
  return parse_recipe(
             join("[data]\nname = \"mnist\"\n[model]\nname = \"", name, "\"\nclasses = ", classes, '\n'),
             "named.toml")
      .model;
}

// The last layer of network3 begins with zeros: its outputs would be zero whatever is before it.
void begin(Layer& net) {
  initialize(net, 3);
  for (const auto& [name, parameter] : named_parameters(net)) {
    const Tensor value = parameter.value();
    if (all(value == 0.0).item<bool>()) {
      Parameter(parameter).assign(normal(value.shape(), RandomKey{.seed = 7}));
    }
  }
}

void expect_named(const std::string& name, Sequential built, const Shape& sample = {1, 28, 28},
                  Index classes = 10) {
  const LayerPtr model = build_model(named(name, classes), sample, kFloat32, 3);
  initialize(built, 3);
  EXPECT_EQ(to_json(*model), to_json(built)) << name;
  EXPECT_EQ(weights_sha256(*model), weights_sha256(built)) << name << ": the same beginning";
  begin(*model);
  begin(built);
  const Tensor x = uniform({2, sample[0], sample[1], sample[2]}, RandomKey{.seed = 1});
  const std::vector<float> y = (*model)(x).to_vector<float>();
  EXPECT_EQ(y, built(x).to_vector<float>()) << name;
  EXPECT_EQ(y.size(), static_cast<std::size_t>(2 * classes)) << name;
  EXPECT_NE(y.front(), y.back()) << name;
}

TEST(ModelRecipes, ANameIsTheNetworkOfItsFunction) {
  using models::LectureNetwork;
  using models::Network3;
  expect_named("network3-fc", models::network3(Network3::fc));
  expect_named("network3-conv", models::network3(Network3::conv));
  expect_named("network3-conv2", models::network3(Network3::conv2));
  expect_named("network3-relu", models::network3(Network3::relu));
  expect_named("network3-dropout", models::network3(Network3::dropout));
  expect_named("lecture-cnn", models::lecture_network(LectureNetwork::cnn));
  expect_named("lecture-dropout", models::lecture_network(LectureNetwork::dropout));
  expect_named("lecture-batch-norm", models::lecture_network(LectureNetwork::batch_norm));
  expect_named("lecture-vgg", models::lecture_network(LectureNetwork::vgg));
  expect_named("lecture-vgg-batch-norm", models::lecture_network(LectureNetwork::vgg_batch_norm));
  expect_named("lecture-vgg", models::lecture_network(LectureNetwork::vgg, 20, {.channels = 3, .classes = 7}),
               {3, 20, 20}, 7);
  for (const std::string name : {"network3-dropout", "lecture-vgg-batch-norm"}) {
    const LayerPtr model = build_model(named(name), {1, 28, 28}, kFloat64, 3);
    for (const auto& [parameter, value] : named_parameters(*model)) {
      EXPECT_EQ(value.dtype(), kFloat64) << name << ' ' << parameter;
    }
  }
}

TEST(ModelRecipes, ANameRefusesWhatItsNetworkIsNotFor) {
  EXPECT_ERROR(
      ShapeError, build_model(named("network3-fc"), {3, 28, 28}, kFloat32, 1),
      "[recipe] model.name = \"network3-fc\" is for pictures of 1 x 28 x 28, the examples are [3, 28, "
      "28]");
  EXPECT_ERROR(
      ShapeError, build_model(named("network3-conv2"), {1, 32, 32}, kFloat32, 1),
      "[recipe] model.name = \"network3-conv2\" is for pictures of 1 x 28 x 28, the examples are [1, "
      "32, 32]");
  EXPECT_ERROR(ValueError, build_model(named("network3-relu", 47), {1, 28, 28}, kFloat32, 1),
               "[recipe] model.name = \"network3-relu\" tells 10 classes, model.classes is 47");
  EXPECT_ERROR(ShapeError, build_model(named("lecture-cnn"), {784}, kFloat32, 1),
               "[recipe] model.name = \"lecture-cnn\" is for square pictures, the examples are [784]");
  EXPECT_ERROR(ValueError, build_model(named("lecture-cnn"), {1, 8, 8}, kFloat32, 1),
               "[lecture_network] pictures of 8 x 8 are too small");
}

}  // namespace
}  // namespace splot
