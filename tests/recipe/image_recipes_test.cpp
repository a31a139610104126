// The image recipes that come with the command: that each is one, and as large as what was published.
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
      {"eurosat-cnn", 155'958},  // the lecture's OurCNN
      {"eurosat-mlp", 394'294},  // and its OurMultilayerPerceptron
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

}  // namespace
}  // namespace splot
