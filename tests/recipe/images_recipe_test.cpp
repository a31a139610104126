// data.name = "images", "eurosat" and "cifar-10".
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include <gtest/gtest.h>
#include <unistd.h>

#include "splot/data/image.h"
#include "splot/recipe/run.h"
#include "splot/train/model_file.h"

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

// Two classes of one colour each, with a little noise.
class Images : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 40; ++i) {
      const bool red = i % 2 == 0;
      const std::string folder = folder_.file(red ? "red" : "blue");
      std::filesystem::create_directories(folder);
      Image picture{12, 10, 3, {}};
      for (int p = 0; p < 120; ++p) {
        const auto noise = static_cast<std::uint8_t>((i * 31 + p * 17) % 50);
        const auto high = static_cast<std::uint8_t>(200 + noise);
        picture.pixels.insert(picture.pixels.end(), {red ? high : noise, noise, red ? noise : high});
      }
      write_png(join(folder, '/', i, ".png"), picture);
    }
  }
  Recipe recipe(const std::string& more) const {
    return parse_recipe("[data]\nname = \"images\"\nfolder = \"" + folder_.path() + "\"\n" + more, "images");
  }

  test::TempFolder folder_;
  const std::string model_ =
      "\n[model]\ndense = [48, 8, 2]\n[optimizer]\nname = \"adam\"\n[train]\nepochs = 4\nbatch = 8\n";
};

TEST_F(Images, AreLearned) {
  const Recipe mine = recipe("size = 4\nvalidation = 6\nnormalise = \"channels\"" + model_);
  EXPECT_EQ(sample_shape(mine), Shape({3, 4, 4}));
  const RecipeRun run = run_recipe(mine);
  EXPECT_EQ(run.classes, (std::vector<std::string>{"blue", "red"}));
  EXPECT_EQ(run.preprocessing.means.size(), 3u);
  EXPECT_EQ(metric(run.test, "accuracy"), 1.0);
  EXPECT_EQ(parse_recipe(to_toml(mine), "again").data.folder, folder_.path());
}

TEST_F(Images, ArePartedTheSameWayEveryTime) {
  const auto labels = [](const Dataset& data) { return data.batch(0, data.size()).targets.to_vector<int>(); };
  const RecipeData data = load_data(recipe("size = 2\ntest = 0.25\nvalidation = 5" + model_).data);
  EXPECT_EQ(data.test->size(), 10);
  EXPECT_EQ(data.validation->size(), 5);
  EXPECT_EQ(data.train.size(), 25);
  const std::vector<int> valid = labels(*data.validation);
  EXPECT_EQ(std::set<int>(valid.begin(), valid.end()).size(), 2u) << "the order is random, not by class";
  EXPECT_EQ(labels(load_data(recipe("size = 2\ntest = 0.25\nvalidation = 5" + model_).data).train),
            labels(data.train));
  EXPECT_NE(
      labels(load_data(recipe("size = 2\ntest = 0.25\nvalidation = 5\nsplit_seed = 2" + model_).data).train),
      labels(data.train));
  const RecipeData whole = load_data(recipe("test = 0.0" + model_).data);
  EXPECT_FALSE(whole.test.has_value());
  EXPECT_EQ(whole.train.sample_shape(), Shape({3, 64, 64}));
}

TEST_F(Images, NumbersComeInEveryRange) {
  const auto range = [&](const std::string& more) {
    const Dataset train = load_data(recipe("size = 2\n" + more + model_).data).train;
    const std::vector<float> all = train.batch(0, train.size()).inputs.to_vector<float>();
    return std::pair(*std::min_element(all.begin(), all.end()), *std::max_element(all.begin(), all.end()));
  };
  const auto [none_low, none_high] = range("normalise = \"none\"");
  EXPECT_GT(none_high, 200.0f);
  EXPECT_FLOAT_EQ(range("").second, none_high / 255.0f);
  EXPECT_FLOAT_EQ(range("normalise = \"symmetric\"").first, (none_low / 255.0f - 0.5f) / 0.5f);
  EXPECT_FLOAT_EQ(range("divisor = 256").second, none_high / 256.0f);
}

TEST_F(Images, OnDemandTrainsTheSameNetwork) {
  const auto weights = [&](int memory) {
    return weights_sha256(*run_recipe(recipe(join("size = 4\nmemory = ", memory, model_))).model);
  };
  EXPECT_EQ(weights(0), weights(1));
}

TEST_F(Images, SayWhatIsWrong) {
  EXPECT_ERROR(FormatError, parse_recipe("[data]\nname = \"images\"\n" + model_, "r"),
               "r: data.name = \"images\" needs data.folder, where the pictures are");
  EXPECT_ERROR(FormatError, parse_recipe("[data]\nname = \"mnist\"\nfolder = \"x\"\n" + model_, "r"),
               "r: data.folder belongs to data.name = \"images\", not \"mnist\"");
  EXPECT_ERROR(FormatError, parse_recipe("[data]\nname = \"eurosat\"\nchannels = 2\n" + model_, "r"),
               "r: data.channels is 2; pictures have 1 (grey) or 3 (colour)");
  EXPECT_ERROR(ValueError, load_data(recipe("validation = 32" + model_).data),
               "[recipe] data.validation asks for 32 of the 32 training examples of " + folder_.path());
}

TEST_F(Images, TransformsReachTheTrainingPartAlone) {
  const Recipe mine = recipe(
      "size = 4\nvalidation = 6\n[[data.transforms]]\nname = \"shift\"\nx = 3\n[[data.transforms]]\nname = "
      "\"flip\"\np = 0.25\n" +
      model_);
  ASSERT_EQ(mine.data.transforms.size(), 2u);
  EXPECT_EQ(mine.data.transforms[0], (Transform{.name = "shift", .x = 3.0}));
  EXPECT_EQ(mine.data.transforms[1].p, 0.25);
  EXPECT_EQ(parse_recipe(to_toml(mine), "again").data.transforms, mine.data.transforms);
  const RecipeData data = load_data(mine.data);
  EXPECT_EQ(data.train.transforms().size(), 2u);
  EXPECT_TRUE(data.validation->transforms().empty());
  EXPECT_TRUE(data.test->transforms().empty());
}

TEST_F(Images, TransformedOnesGoOnAsIfNothingHadHappened) {
  const Recipe mine = parse_recipe(
      "[data]\nname = \"images\"\nfolder = \"" + folder_.path() +
          "\"\nsize = 8\n[[data.transforms]]\nname = \"elastic\"\nsigma = 2\n[[data.transforms]]\nname = "
          "\"flip\"\n[model]\ndense = [192, 2]\n[train]\nepochs = 3\nbatch = 4\ncheckpoint_every = 3\nkeep = "
          "\"last\"\n",
      "r");
  const std::string checkpoint = folder_.file("c.safetensors");
  const RecipeRun whole = run_recipe(mine);
  int asked = 0;
  const RecipeRun part = run_recipe(mine, {.stop = [&] { return ++asked > 12; }, .checkpoint = checkpoint});
  EXPECT_TRUE(part.training.stopped);
  const RecipeRun rest = run_recipe(mine, {.checkpoint = checkpoint, .resume = checkpoint});
  EXPECT_EQ(weights_sha256(*rest.model), weights_sha256(*whole.model));
  Recipe plain = mine;
  plain.data.transforms.clear();
  EXPECT_NE(weights_sha256(*run_recipe(plain).model), weights_sha256(*whole.model));
}

TEST(TransformsRecipe, SaysWhatIsWrong) {
  const auto read = [](const std::string& transforms) {
    return parse_recipe("[data]\nname = \"digits\"\n" + transforms + "[model]\ndense = [784, 10]\n", "r");
  };
  EXPECT_ERROR(FormatError, read("[[data.transforms]]\nx = 3\n"),
               "r: transform 1 of data.transforms: needs a name");
  EXPECT_ERROR(FormatError, read("[[data.transforms]]\nname = \"scale\"\nlow = 3\n"),
               "r: transform 1 of data.transforms: scale: low is 3, more than high, 1.1");
  EXPECT_THROW(read("[[data.transforms]]\nname = \"shear\"\n"), FormatError);
  EXPECT_THROW(read("[[data.transforms]]\nname = \"shift\"\ndx = 1\n"), FormatError);
  EXPECT_ERROR(
      FormatError,
      parse_recipe(
          "[data]\nname = \"table\"\n[[data.transforms]]\nname = \"flip\"\n[model]\ndense = [1, 1]\n", "r"),
      "r: data.transforms change pictures; a table has none");
}

TEST(DisplacedRecipe, ExpandsTheTrainingPartAlone) {
  const Recipe recipe = parse_recipe(
      "[data]\nname = \"digits\"\ntrain = 20\nvalidation = 10\ndisplaced = 1\n[[data.transforms]]\nname = "
      "\"crop\"\n[model]\ndense = [784, 10]\n",
      "r");
  EXPECT_EQ(parse_recipe(to_toml(recipe), "again").data.displaced, 1);
  const RecipeData data = load_data(recipe.data);
  EXPECT_EQ(data.train.size(), 100);
  EXPECT_EQ(data.train.transforms().size(), 1u);
  EXPECT_EQ(data.validation->size(), 10);
  EXPECT_EQ(data.test->size(), 10'000);
  EXPECT_ERROR(FormatError,
               parse_recipe("[data]\nname = \"table\"\ndisplaced = 1\n[model]\ndense = [1, 1]\n", "r"),
               "r: data.displaced moves pictures; a table has none");
}

bool there(const std::string& name) {
  const char* root = std::getenv("SPLOT_DATA");
  return root != nullptr && access((std::string(root) + "/" + name).c_str(), R_OK) == 0;
}

TEST(ImageSets, Eurosat) {
  if (!there("eurosat")) GTEST_SKIP() << "eurosat is not in SPLOT_DATA";
  const Recipe recipe = parse_recipe(
      "[data]\nname = \"eurosat\"\nsize = 32\nnormalise = \"symmetric\"\n[model]\ndense = [3072, 10]\n", "r");
  const RecipeData data = load_data(recipe.data);
  EXPECT_EQ(data.train.inputs().shape(), Shape({2400, 3, 32, 32}));
  EXPECT_EQ(data.test->size(), 600);
  EXPECT_EQ(data.train.name(), "eurosat");
}

TEST(ImageSets, Cifar10) {
  if (!there("cifar-10/cifar-10-jpeg.tar.gz")) GTEST_SKIP() << "cifar-10 is not in SPLOT_DATA";
  DataRecipe recipe;
  recipe.name = "cifar-10";
  recipe.validation = 5000;
  recipe.normalise = "channels";
  const RecipeData data = load_data(recipe);
  EXPECT_EQ(data.train.size(), 45000);
  EXPECT_EQ(data.test->size(), 10000);
  // What the data's own description says of these JPEG files.
  EXPECT_NEAR(255 * data.train.preprocessing().means[0], 125.3, 0.3);
  EXPECT_NEAR(255 * data.train.preprocessing().means[2], 113.9, 0.3);
  EXPECT_NEAR(255 * data.train.preprocessing().deviations[1], 61.9, 0.3);
}

}  // namespace
}  // namespace splot
