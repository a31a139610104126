#include "splot/recipe/run.h"

#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

// Pictures of noise in two classes, instead of those the recipe names.
Dataset noise(Index n, std::uint64_t seed) {
  std::vector<std::int64_t> classes;
  for (Index i = 0; i < n; ++i) classes.push_back(i % 2);
  return Dataset("noise", uniform({n, 1, 28, 28}, RandomKey{.seed = seed}), Tensor::from(classes, {n}),
                 {"even", "odd"});
}

Recipe small() {
  return parse_recipe("data.name = \"digits\"\nmodel.dense = [784, 2]\ntrain.epochs = 2\n", "small.toml");
}

TEST(RunRecipe, TheTestSetIsWatchedOnlyWhenAskedAndCalledSo) {
  const RecipeData data{noise(40, 1), noise(20, 2), noise(20, 3)};
  Recipe recipe = small();
  const RecipeRun plain = run_recipe(recipe, data, {});
  EXPECT_EQ(plain.training.history[0].metrics[2].name, "val_loss");
  set_value(recipe, "train.watch=test");
  const RecipeRun watched = run_recipe(recipe, data, {});
  const std::vector<Metric>& best =
      watched.training.history[static_cast<std::size_t>(watched.training.best_epoch - 1)].metrics;
  EXPECT_EQ(best[2].name, "test_loss");
  EXPECT_EQ(metric(best, "test_accuracy"), metric(watched.test, "accuracy"));
  EXPECT_NE(metric(best, "test_loss"), metric(watched.validation, "loss"));
}

TEST(RunRecipe, ATableHasNoTestSetToWatch) {
  EXPECT_ERROR(FormatError,
               parse_recipe("data.name = \"table\"\ndata.inputs = [[1]]\ndata.targets = [[1]]\n"
                            "loss.name = \"mse\"\nmodel.dense = [1, 1]\ntrain.watch = \"test\"\n",
                            "t.toml"),
               "t.toml: train.watch = \"test\" needs data with a test part; a table has none");
}

}  // namespace
}  // namespace splot
