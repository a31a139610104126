// The image recipes that come with the command: that each is one, and as large as what was published.
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "splot/nn/parameters.h"
#include "splot/ops/ops.h"
#include "splot/recipe/build.h"

namespace splot {
namespace {

Recipe recipe_named(const std::string& id) {
  return load_recipe(std::string(SPLOT_TESTS_DIR) + "/../recipes/" + id + ".toml");
}

LayerPtr model_of(const Recipe& recipe) {
  return build_model(recipe.model, sample_shape(recipe), recipe.train.dtype, 1);
}

// Counted by hand, or published.
TEST(ImageRecipes, AreAsLargeAsPublished) {
  const std::map<std::string, Index> sizes = {
      {"cifar-resnet20", 269'722},
      {"cifar-resnet20-noskip", 269'722},
      {"cifar-densenet40", 1'019'722},
      {"eurosat-cnn", 155'958},                        // the lecture's OurCNN
      {"eurosat-mlp", 394'294},                        // and its OurMultilayerPerceptron
      {"lenet5", 156 + 2416 + 48'120 + 10'164 + 850},  // C1, C3 with all maps, C5, F6, output
      {"mnist-cnn",
       600 + 48 + 28'800 + 96 + 98'304 + 256 + 1290},      // convolutions and the hidden layer without biases
      {"fashion-cnn", 320 + 18'496 + 204'928 + 1290},      // 64 * 5 * 5 = 1600 inputs
      {"fashion-dropout", 320 + 18'496 + 204'928 + 1290},  // the same
      {"fashion-batchnorm", 288 + 64 + 18'432 + 128 + 204'928 + 1290},
      {"fashion-vgg", 71'792 + 73'856 + 1290},     // six convolutions; 64 * 3 * 3 = 576 inputs
      {"fashion-vgg-bn", 72'016 + 73'856 + 1290},  // a gain more for each channel
      {"fashion-resnet", 75'002},      // 176, blocks of 4,672, 13,952 and 55,552, and 650 of the last layer
      {"network3-fc", 78'500 + 1010},  // 784-100-10
      {"network3-conv", 520 + 288'100 + 1010},              // 20 filters; 20 * 12 * 12 = 2880 inputs
      {"network3-conv2", 520 + 20'040 + 64'100 + 1010},     // 20 and 40; 40 * 4 * 4 = 640 inputs
      {"network3-relu", 520 + 20'040 + 64'100 + 1010},      // the same
      {"network3-expanded", 520 + 20'040 + 64'100 + 1010},  // the same
      {"network3-dropout", 520 + 20'040 + 641'000 + 1'001'000 + 10'010},  // two layers of 1000
  };
  for (const auto& [id, count] : sizes) {
    const Recipe recipe = recipe_named(id);
    const auto model = model_of(recipe);
    EXPECT_EQ(parameter_count(*model), count) << id;
    Ints shape = {0};
    for (const Index size : sample_shape(recipe)) shape.push_back(size);
    EXPECT_EQ((*model)(Tensor::empty(Shape(shape), kFloat32)).shape(), Shape({0, 10})) << id;
  }
}

// Layers whose first weights are drawn as network3.py draws them: N(0, 1/n_out), n_out = filters k^2 / 4.
TEST(ImageRecipes, Network3StartsAsItsProgramDoes) {
  const auto model = model_of(recipe_named("network3-conv2"));
  const std::map<std::string, double> deviations = {{"0.weight", std::sqrt(4.0 / (20 * 25))},
                                                    {"3.weight", std::sqrt(4.0 / (40 * 25))},
                                                    {"7.weight", std::sqrt(1.0 / 100)},
                                                    {"3.bias", 1.0},
                                                    {"7.bias", 1.0},
                                                    {"9.weight", 0.0},
                                                    {"9.bias", 0.0}};
  for (const NamedParameter& entry : named_parameters(*model)) {
    const auto expected = deviations.find(entry.name);
    if (expected == deviations.end()) continue;
    const double measured = std::sqrt(mean(entry.parameter * entry.parameter).item<double>());
    const double n = static_cast<double>(entry.parameter.shape().numel());
    // Four standard errors of a standard deviation.
    EXPECT_NEAR(measured, expected->second, 4.0 * expected->second / std::sqrt(2.0 * n)) << entry.name;
  }
}

// The penalty of network3.py: lambda = 0.1 over the number of batches.
TEST(ImageRecipes, Network3DividesItsPenaltyByTheBatches) {
  for (const std::string id : {"network3-relu", "network3-expanded"}) {
    const Recipe recipe = recipe_named(id);
    const double examples = 50'000.0 * (recipe.data.displaced > 0 ? 5 : 1);
    ASSERT_TRUE(recipe.loss.penalty_over_n) << id;
    EXPECT_DOUBLE_EQ(recipe.loss.l2 / examples, 0.1 / (examples / static_cast<double>(recipe.train.batch)))
        << id;
  }
}

}  // namespace
}  // namespace splot
