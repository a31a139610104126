// data.normalise: learned on the training part, used for all parts, kept in the model file.
#include <cmath>
#include <filesystem>

#include <gtest/gtest.h>

#include "splot/data/image.h"
#include "splot/ops/ops.h"
#include "splot/recipe/run.h"
#include "splot/train/model_file.h"

#include "tests/support/expect_error.h"
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

// `pixels` of three channels, 2 x 2, in a folder of pictures.
class GivenMoments : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"a", "b"}) {
      std::filesystem::create_directories(folder_.file(name));
      for (int i = 0; i < 4; ++i) {
        Image picture{2, 2, 3, {}};
        for (int v = 0; v < 12; ++v) picture.pixels.push_back(static_cast<std::uint8_t>(61 * v + 17 * i));
        write_png(join(folder_.file(name), '/', i, ".png"), picture);
      }
    }
  }
  Recipe recipe(const std::string& more) const {
    return parse_recipe("[data]\nname = \"images\"\nfolder = \"" + folder_.path() + "\"\nsize = 2\n" + more +
                            "\n[model]\ndense = [12, 2]\n",
                        "r");
  }
  void expect_problem(const std::string& more, const std::string& problem) const {
    EXPECT_ERROR(FormatError, recipe(more), "r: " + problem);
  }

  const test::TempFolder folder_;
};

TEST_F(GivenMoments, AreTakenExactlyAsGiven) {
  const auto check = [&](const std::string& more, const std::vector<double>& mean,
                         const std::vector<double>& std, double divisor) {
    const RecipeData data = load_data(recipe(more).data);
    for (const Dataset* part : {&data.train, &*data.test}) {
      const std::vector<std::uint8_t> stored = part->stored(0, part->size()).inputs.to_vector<std::uint8_t>();
      const std::vector<float> seen = part->batch(0, part->size()).inputs.to_vector<float>();
      ASSERT_EQ(seen.size(), stored.size());
      for (std::size_t i = 0; i < seen.size(); ++i) {
        const std::size_t channel = i / 4 % 3;
        ASSERT_EQ(seen[i], static_cast<float>((stored[i] / divisor - mean[channel]) / std[channel])) << i;
      }
    }
  };
  check("mean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]", {0.485, 0.456, 0.406},
        {0.229, 0.224, 0.225}, 255.0);
  check("mean = [0.1307]\nstd = [0.3081]", {0.1307, 0.1307, 0.1307}, {0.3081, 0.3081, 0.3081}, 255.0);
  check("mean = [0.1, 0.2, 0.3]\nstd = [2]\ndivisor = 128", {0.1, 0.2, 0.3}, {2.0, 2.0, 2.0}, 128.0);
  check("mean = [0]\nstd = [1, 2, 3]\nnormalise = \"unit\"", {0.0, 0.0, 0.0}, {1.0, 2.0, 3.0}, 255.0);
}

TEST_F(GivenMoments, AreWrittenAndKeptWithTheModel) {
  const Recipe mine = recipe("mean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]");
  EXPECT_EQ(mine.data.mean, (std::vector<double>{0.485, 0.456, 0.406}));
  const Recipe again = parse_recipe(to_toml(mine), "again");
  EXPECT_EQ(again.data.mean, mine.data.mean);
  EXPECT_EQ(again.data.std, mine.data.std);
  const RecipeRun run = run_recipe(mine);
  EXPECT_EQ(
      run.preprocessing,
      (Preprocessing{.divisor = 255.0, .means = mine.data.mean, .deviations = mine.data.std, .shared = 4}));
  save_model(folder_.file("m.safetensors"), *run.model,
             {.sample = run.sample, .preprocessing = run.preprocessing});
  EXPECT_EQ(load_model(folder_.file("m.safetensors")).info.preprocessing, run.preprocessing);
}

TEST_F(GivenMoments, SayWhatIsWrong) {
  expect_problem("mean = [0.5]", "data.mean and data.std belong together; give both");
  expect_problem("std = [0.5]", "data.mean and data.std belong together; give both");
  expect_problem("mean = [0.5, 0.5]\nstd = [1]",
                 "data.mean has 2 numbers; it takes one for all pixels, or 3, one for each channel");
  expect_problem("mean = [0.5]\nstd = [1, 1, 1]\nchannels = 1",
                 "data.std has 3 numbers; it takes one for all pixels");
  expect_problem("mean = [0.5]\nstd = [1, 0, 1]",
                 "data.std holds 0; standard deviations are finite and above 0");
  expect_problem("mean = [0.5]\nstd = [-1]", "data.std holds -1; standard deviations are finite and above 0");
  for (const std::string how : {"symmetric", "standard", "channels", "features", "none"}) {
    expect_problem("mean = [0.5]\nstd = [1]\nnormalise = \"" + how + "\"",
                   "data.normalise = \"" + how +
                       "\" says what data.mean and data.std say; leave it out or leave them out");
  }
  for (const std::string bad : {"nan", "inf", "-inf", "\"x\""}) {
    EXPECT_THROW(recipe("std = [1]\nmean = [" + bad + "]"), FormatError);
    EXPECT_THROW(recipe("mean = [1]\nstd = [" + bad + "]"), FormatError);
  }
  // What a program puts there never was text.
  Recipe made = recipe("mean = [0.5]\nstd = [1]");
  made.data.std = {std::nan("")};
  EXPECT_THROW(check_recipe(made, "r"), FormatError);
  made.data.std = {1.0};
  made.data.mean = {HUGE_VAL};
  EXPECT_ERROR(FormatError, check_recipe(made, "r"), "r: data.mean holds inf; means are finite");
  EXPECT_ERROR(FormatError, table("mean = [0]\nstd = [1]"),
               "table: data.mean and data.std are of pictures; a table has none");
}

}  // namespace
}  // namespace splot
