// Layers of images in recipes: what arrives at each is found out layer by layer.
#include <gtest/gtest.h>

#include "splot/recipe/build.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

LayerRecipe layer(std::string type, Arguments arguments = {}) {
  LayerRecipe out;
  out.type = std::move(type);
  out.arguments = std::move(arguments);
  return out;
}

std::vector<LayerRecipe> resolved(std::vector<LayerRecipe> layers, const Shape& sample) {
  ModelRecipe model;
  model.layers = std::move(layers);
  return resolve_layers(model, sample);
}

TEST(ImageLayers, SizesAreFilledIn) {
  const std::vector<LayerRecipe> layers = resolved(
      {layer("conv2d", {{"out", Index{4}}, {"kernel", Ints{3}}}), layer("max_pool2d", {{"kernel", Ints{2}}}),
       layer("batch_norm2d"), layer("avg_pool2d", {{"kernel", Ints{3}}, {"stride", Ints{2}}}),
       layer("flatten"), layer("batch_norm1d"), layer("layer_norm"), layer("linear", {{"out", Index{10}}})},
      {3, 30, 30});
  EXPECT_EQ(layers[0].arguments.integer("in"), 3);
  EXPECT_EQ(layers[2].arguments.integer("channels"), 4);
  EXPECT_EQ(layers[5].arguments.integer("channels"), 4 * 6 * 6);
  EXPECT_EQ(layers[6].arguments.ints("sizes"), (Ints{144}));
  EXPECT_EQ(layers[7].arguments.integer("in"), 144);
  const Tensor none = Tensor::empty({0, 3, 30, 30}, kFloat32);
  EXPECT_EQ((*build_model(layers, kFloat32, 1))(none).shape(), Shape({0, 10}));
}

TEST(ImageLayers, SaysWhichOneDoesNotFit) {
  const LayerRecipe norm = layer("batch_norm2d", {{"channels", Index{4}}});
  EXPECT_ERROR(ShapeError, resolved({norm}, {3, 8, 8}),
               "[recipe] layer 0 (batch_norm2d) takes 4 channels, but what arrives has shape [3, 8, 8]");
  const LayerRecipe pool = layer("max_pool2d", {{"kernel", Ints{9}}});
  EXPECT_ERROR(ShapeError, resolved({layer("relu"), pool}, {3, 8, 8}),
               "[recipe] layer 1 (max_pool2d) does not fit what arrives, [3, 8, 8]: [max_pool2d] a window of "
               "9 does not fit into 8 elements padded to 8");
}

TEST(ImageLayers, AnIntegerIsASizeOfAllAxes) {
  const Recipe recipe = parse_recipe(R"(
title = "Pooling"
[data]
name = "mnist"
[[model.layers]]
type = "max_pool2d"
kernel = 2
[[model.layers]]
type = "group_norm"
groups = 1
[[model.layers]]
type = "avg_pool2d"
kernel = [3, 2]
stride = 1
)",
                                     "pooling.toml");
  const std::vector<LayerRecipe> layers = resolve_layers(recipe.model, {1, 28, 28});
  EXPECT_EQ(layers[0].arguments.ints("kernel"), Ints{2});
  EXPECT_EQ(layers[1].arguments.integer("channels"), 1);
  EXPECT_EQ(layers[2].arguments.ints("stride"), Ints{1});
}

}  // namespace
}  // namespace splot
