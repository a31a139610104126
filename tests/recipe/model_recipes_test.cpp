// Recipes say their networks layer by layer, for all to see; splot/models builds the same for programs.
#include <gtest/gtest.h>

#include "splot/models/lecture_networks.h"
#include "splot/models/network3.h"
#include "splot/models/resnet.h"
#include "splot/nn/parameters.h"
#include "splot/nn/registry.h"
#include "splot/recipe/build.h"
#include "splot/recipe/recipe.h"
#include "splot/train/model_file.h"

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

}  // namespace
}  // namespace splot
