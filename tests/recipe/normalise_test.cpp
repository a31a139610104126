// data.normalise: learned on the training part, used for all parts, kept in the model file.
#include <cmath>

#include <gtest/gtest.h>

#include "splot/ops/ops.h"
#include "splot/recipe/run.h"
#include "splot/train/model_file.h"

#include "tests/support/temp_folder.h"

namespace splot {
namespace {

Recipe table(const std::string& more) {
  return parse_recipe(
      "[data]\nname = \"table\"\ninputs = [[1, 2], [3, 6], [100, 100]]\ntargets = [[0], [1], [1]]\n"
      "train = 2\n" +
          more + "\n[model]\ndense = [2, 1]\n[loss]\nname = \"mse\"\n",
      "table");
}

TEST(Normalise, IsLearnedOnTheTrainingPartAlone) {
  const Preprocessing p = load_data(table("normalise = \"standard\"").data).train.preprocessing();
  EXPECT_EQ(p.mean, 3.0);
  EXPECT_DOUBLE_EQ(p.deviation, std::sqrt(14.0 / 4.0));
  EXPECT_EQ(load_data(table("").data).train.preprocessing(), Preprocessing{});
  EXPECT_THROW(table("normalise = \"maybe\""), FormatError);
}

TEST(Normalise, KnowsEveryColumnOnItsOwn) {
  const RecipeData data = load_data(table("normalise = \"features\"").data);
  const Preprocessing p = data.train.preprocessing();
  EXPECT_EQ(p.means, (std::vector<double>{2.0, 4.0}));
  EXPECT_EQ(p.deviations, (std::vector<double>{1.0, 2.0}));
  EXPECT_EQ(data.train.batch(0, 2).inputs.to_vector<double>(), (std::vector<double>{-1, -1, 1, 1}));
}

TEST(Normalise, ByFeatureAModelFileAnswersAsTheNetworkDid) {
  const RecipeRun run = run_recipe(table("normalise = \"features\""));
  const test::TempFolder folder;
  save_model(folder.file("m.safetensors"), *run.model,
             {.sample = run.sample, .preprocessing = run.preprocessing, .loss = "mse"});
  const ModelFile file = load_model(folder.file("m.safetensors"));
  EXPECT_EQ(file.info.preprocessing, run.preprocessing);
  const RecipeData data = load_data(table("").data);
  const auto seen_by = [&](const Preprocessing& p) {
    return cast(data.train.with_preprocessing(p).batch(0, 2).inputs, kFloat32);
  };
  EXPECT_EQ((*file.model)(seen_by(file.info.preprocessing)).to_vector<float>(),
            (*run.model)(seen_by(run.preprocessing)).to_vector<float>());
}

TEST(Normalise, TravelsInTheModelFile) {
  const RecipeRun run = run_recipe(table("normalise = \"standard\""));
  const test::TempFolder folder;
  save_model(folder.file("m.safetensors"), *run.model,
             {.sample = run.sample, .preprocessing = run.preprocessing, .loss = "mse"});
  EXPECT_EQ(load_model(folder.file("m.safetensors")).info.preprocessing, run.preprocessing);
  EXPECT_EQ(run.preprocessing.mean, 3.0);
}

}  // namespace
}  // namespace splot
