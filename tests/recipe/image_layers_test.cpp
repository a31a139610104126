// Layers of images in recipes: what arrives at each is found out layer by layer.
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "splot/nn/conv.h"
#include "splot/nn/linear.h"
#include "splot/nn/parameters.h"
#include "splot/nn/pooling_layers.h"
#include "splot/nn/registry.h"
#include "splot/nn/resize_layers.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/recipe/build.h"
#include "splot/train/model_file.h"

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

constexpr const char* kResizing = R"(
[data]
name = "mnist"
[[model.layers]]
type = "pad2d"
padding = [1, 2, 3, 0]
mode = "reflect"
[[model.layers]]
type = "conv2d"
out = 4
kernel = 3
[[model.layers]]
type = "upsample"
scale = 2
mode = "nearest"
[[model.layers]]
type = "resize"
size = [9, 7]
align_corners = true
[[model.layers]]
type = "conv2d"
out = 6
kernel = 2
[[model.layers]]
type = "global_max_pool"
[[model.layers]]
type = "linear"
out = 10
)";

TEST(ImageLayers, ResizedPicturesGoOn) {
  const Recipe recipe = parse_recipe(kResizing, "resizing.toml");
  const std::vector<LayerRecipe> layers = resolve_layers(recipe.model, {1, 28, 28});
  EXPECT_EQ(layers[4].arguments.integer("in"), 4);
  EXPECT_EQ(layers[6].arguments.integer("in"), 6);
  EXPECT_EQ(to_toml(parse_recipe(to_toml(recipe), "again.toml")), to_toml(recipe));
  Sequential net(Pad2d({1, 2, 3, 0}, {.mode = PadMode::reflect}), Conv2d(1, 4, {3}),
                 Upsample({2}, {.mode = ResizeMode::nearest}), Resize({9, 7}, {.align_corners = true}),
                 Conv2d(4, 6, {2}), GlobalMaxPool(), Linear(6, 10));
  initialize(net, 1);
  const LayerPtr model = build_model(recipe.model, {1, 28, 28}, kFloat32, 1);
  EXPECT_EQ(to_json(*model), to_json(net));
  const Tensor x = uniform({2, 1, 28, 28}, RandomKey{.seed = 1});
  EXPECT_EQ((*model)(x).to_vector<float>(), net(x).to_vector<float>());
}

TEST(ImageLayers, ResizingSaysWhatItDoesNotTake) {
  const auto with = [](const std::string& lines) {
    return "[data]\nname = \"mnist\"\n[[model.layers]]\n" + lines;
  };
  EXPECT_ERROR(FormatError, parse_recipe(with("type = \"resize\"\nsize = 4\nmode = \"cubic\"\n"), "x"),
               "x:6: model.layers.mode [layer] the mode \"cubic\" is none of nearest, bilinear");
  EXPECT_ERROR(FormatError, parse_recipe(with("type = \"pad2d\"\npadding = -1\n"), "x"),
               "x:5: model.layers.padding [pad2d] the padding must be 0 or more, got [-1]");
  EXPECT_ERROR(ShapeError, resolved({layer("pad2d", {{"padding", Ints{8}}, {"mode", "reflect"}})}, {3, 8, 8}),
               "[recipe] layer 0 (pad2d) does not fit what arrives, [3, 8, 8]: [pad] axis 2 of x[0, 3, 8, 8] "
               "has 7 elements to mirror; before 8 and after 8 need more");
  EXPECT_ERROR(
      FormatError,
      parse_recipe("[data]\nname = \"mnist\"\n[model]\ndense = [784, 10]\nactivation = \"upsample\"\n", "x"),
      "x:5: model.activation is \"upsample\"; did you mean \"prelu\"? It can be arctan, binary_step, elu, "
      "gelu, "
      "identity, leaky_relu, prelu, relu, sigmoid, silu, softplus, softsign, tanh");
}

TEST(ImageLayers, EveryLayerTypeIsInTheDocumentation) {
  std::ifstream file(SPLOT_TESTS_DIR "/../docs/recipes.md");
  std::string text(std::istreambuf_iterator<char>(file), {});
  text.erase(0, text.find("### Layer types"));
  text.erase(text.find("## `[loss]`"));
  for (const std::string& type : layer_types()) {
    if (type == "sequential" || type == "graph") continue;  // a recipe is one
    EXPECT_NE(text.find('`' + type + '`'), std::string::npos) << "docs/recipes.md has no " << type;
  }
}

TEST(ImageLayers, LinesArePooledToASize) {
  const std::vector<LayerRecipe> layers = resolved(
      {layer("conv1d", {{"out", Index{4}}, {"kernel", Index{3}}}),
       layer("adaptive_max_pool1d", {{"size", Index{5}}}), layer("adaptive_avg_pool1d", {{"size", Index{2}}}),
       layer("flatten"), layer("linear", {{"out", Index{3}}})},
      {2, 30});
  EXPECT_EQ(layers[4].arguments.integer("in"), 8);
}

// y = relu(bn(conv(x)) + shortcut(x)), written as a recipe.
constexpr const char* kResidual = R"(
[data]
name = "cifar-10"
[[model.layers]]
type = "conv2d"
name = "conv"
out = 6
kernel = 3
stride = 2
padding = 1
[[model.layers]]
type = "pad_shortcut"
name = "around"
stride = 2
channels = 3
inputs = ["input"]
[[model.layers]]
type = "add"
inputs = ["conv", "around"]
[[model.layers]]
type = "flatten"
[[model.layers]]
type = "linear"
out = 10
)";

TEST(ImageLayers, BranchesMakeAGraph) {
  const Recipe recipe = parse_recipe(kResidual, "residual.toml");
  const std::vector<LayerRecipe> layers = resolve_layers(recipe.model, {3, 32, 32});
  EXPECT_EQ(layers[4].arguments.integer("in"), 6 * 16 * 16);
  const LayerPtr model = build_model(recipe.model, {3, 32, 32}, kFloat32, 1);
  EXPECT_EQ(type_name(*model), "graph");
  EXPECT_EQ((*model)(Tensor::empty({0, 3, 32, 32}, kFloat32)).shape(), Shape({0, 10}));
  EXPECT_EQ(to_toml(parse_recipe(to_toml(recipe), "again.toml")), to_toml(recipe));
}

TEST(ImageLayers, SaysWhichInputIsNotThere) {
  Recipe recipe = parse_recipe(kResidual, "residual.toml");
  recipe.model.layers[2].inputs = {"conv", "arround"};
  EXPECT_ERROR(ValueError, resolve_layers(recipe.model, {3, 32, 32}),
               "[recipe] layer 2 (add) takes \"arround\", which is no layer before it and not \"input\"");
  recipe.model.layers[2].inputs = {"conv", "input"};
  EXPECT_ERROR(
      ShapeError, resolve_layers(recipe.model, {3, 32, 32}),
      "[recipe] layer 2 (add) does not fit what arrives, [6, 16, 16] and [3, 32, 32]: [add] input 0 is [0, "
      "6, 16, 16], input 1 is [0, 3, 32, 32]: the shapes must be equal");
}

TEST(NamedModels, AreBuiltFromTheirKeys) {
  const char* text = R"(
[data]
name = "cifar-10"
[model]
name = "resnet"
depth = 8
skip = false
)";
  const Recipe recipe = parse_recipe(text, "resnet.toml");
  const LayerPtr model = build_model(recipe.model, {3, 32, 32}, kFloat32, 1);
  EXPECT_EQ((*model)(Tensor::empty({0, 3, 32, 32}, kFloat32)).shape(), Shape({0, 10}));
  EXPECT_EQ(weights_sha256(*model), weights_sha256(*build_model(recipe.model, {3, 32, 32}, kFloat32, 1)));
  EXPECT_NE(weights_sha256(*model), weights_sha256(*build_model(recipe.model, {3, 32, 32}, kFloat32, 2)));
}

TEST(NamedModels, RefuseWhatDoesNotFit) {
  ModelRecipe model;
  model.name = "our-cnn";
  EXPECT_ERROR(ShapeError, build_model(model, {784}, kFloat32, 1),
               "[recipe] model.name = \"our-cnn\" is for square pictures, the examples are [784]");
  EXPECT_ERROR(ShapeError, build_model(model, {1, 28, 28}, kFloat32, 1),
               "fc1: [linear] x[0, 800] has 800 columns, w[120, 1152] takes 1152");
  EXPECT_ERROR(
      FormatError,
      parse_recipe("[data]\nname = \"mnist\"\n[model]\nname = \"our-cnn\"\ndense = [784, 10]\n", "x"),
      "x: model.layers, model.dense and model.name are ways to say the same; give one of them");
}

}  // namespace
}  // namespace splot
