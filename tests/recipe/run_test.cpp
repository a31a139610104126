#include "splot/recipe/run.h"

#include <gtest/gtest.h>

#include "splot/ops/ops.h"
#include "splot/train/model_file.h"

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

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

// Nothing is left to learn then: what is missing is one batch of validation data and three of the test part.
TEST(RunRecipe, StopsWhileItIsJudgedAndIsJudgedWhenGoneOnWith) {
  const RecipeData data{noise(40, 1), noise(20, 2), noise(2500, 3)};
  const RecipeRun whole = run_recipe(small(), data, {});
  for (const int allowed : {0, 1, 3}) {
    const test::TempFolder folder;
    const std::string checkpoint = folder.file("checkpoint.safetensors");
    bool learned = false;
    int asked = 0;
    const RecipeRun part = run_recipe(small(), data,
                                      {.on_epoch = [&](const EpochRecord& r) { learned = r.epoch == 2; },
                                       .stop = [&] { return learned && ++asked > allowed; },
                                       .checkpoint = checkpoint});
    EXPECT_TRUE(part.training.stopped);
    EXPECT_EQ(asked, allowed + 1) << "it ends there and then";
    EXPECT_EQ(part.training.history.size(), 2u);
    EXPECT_EQ(weights_sha256(*part.model), weights_sha256(*whole.model));
    EXPECT_EQ(part.validation.empty(), allowed == 0);
    EXPECT_TRUE(part.test.empty());
    const RecipeRun rest = run_recipe(small(), data, {.checkpoint = checkpoint, .resume = checkpoint});
    EXPECT_FALSE(rest.training.stopped);
    EXPECT_EQ(weights_sha256(*rest.model), weights_sha256(*whole.model));
    EXPECT_EQ(metric(rest.validation, "loss"), metric(whole.validation, "loss"));
    EXPECT_EQ(metric(rest.test, "loss"), metric(whole.test, "loss"));
  }
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
