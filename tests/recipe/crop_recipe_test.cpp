// data.crop: pictures of one size, of which the network sees a smaller piece.
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "splot/data/image.h"
#include "splot/recipe/pictures.h"
#include "splot/recipe/run.h"
#include "splot/train/model_file.h"

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

class CropRecipe : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 20; ++i) {
      const std::string folder = folder_.file(i % 2 == 0 ? "even" : "odd");
      std::filesystem::create_directories(folder);
      Image picture{12, 12, 3, {}};
      for (int v = 0; v < 432; ++v) picture.pixels.push_back(static_cast<std::uint8_t>(v * v / 5 + 37 * i));
      write_png(join(folder, '/', i, ".png"), picture);
    }
  }
  Recipe recipe(const std::string& more) const {
    return parse_recipe("[data]\nname = \"images\"\nfolder = \"" + folder_.path() + "\"\nsize = 12\n" + more +
                            "\n[model]\ndense = [192, 2]\n[train]\nepochs = 2\nbatch = 4\n",
                        "r");
  }

  const test::TempFolder folder_;
};

TEST_F(CropRecipe, IsWhatTheNetworkSees) {
  const Recipe mine = recipe("crop = 8\nvalidation = 3\nnormalise = \"channels\"");
  EXPECT_EQ(sample_shape(mine), Shape({3, 8, 8}));
  EXPECT_EQ(uncut_shape(mine), Shape({3, 12, 12}));
  EXPECT_FALSE(uncut_shape(recipe("")).has_value());
  EXPECT_EQ(parse_recipe(to_toml(mine), "again").data.crop, 8);
  const RecipeData data = load_data(mine.data);
  const RecipeData whole = load_data(recipe("validation = 3").data);
  for (const auto& [part, uncut] : {std::pair{&data.train, &whole.train},
                                    {&*data.validation, &*whole.validation},
                                    {&*data.test, &*whole.test}}) {
    EXPECT_EQ(part->sample_shape(), Shape({3, 8, 8}));
    EXPECT_EQ(part->preprocessing(), data.train.preprocessing());
    const std::vector<int> all = uncut->stored(0, 1).inputs.to_vector<int>();
    const std::vector<int> middle = part->stored(0, 1).inputs.to_vector<int>();
    for (std::size_t i = 0; i < middle.size(); ++i) {
      const std::size_t channel = i / 64, row = i / 8 % 8 + 2, column = i % 8 + 2;
      ASSERT_EQ(middle[i], all[144 * channel + 12 * row + column]);
    }
  }
  const auto epoch = [&](std::uint64_t number) {
    return data.train.transformed(std::vector<Index>{0, 1, 2, 3}, 1, number).inputs.to_vector<float>();
  };
  EXPECT_NE(epoch(1), epoch(2));
  EXPECT_EQ(run_recipe(mine).sample, Shape({3, 8, 8}));
}

TEST_F(CropRecipe, DecidesWhatIsLearnedAndRunsGoOn) {
  const Recipe mine = recipe("crop = 8\n[[data.transforms]]\nname = \"flip\"");
  const std::string weights = weights_sha256(*run_recipe(mine).model);
  const std::string checkpoint = folder_.file("c.safetensors");
  int asked = 0;
  const RecipeRun part = run_recipe(mine, {.stop = [&] { return ++asked > 3; }, .checkpoint = checkpoint});
  EXPECT_TRUE(part.training.stopped);
  EXPECT_EQ(weights_sha256(*run_recipe(mine, {.checkpoint = checkpoint, .resume = checkpoint}).model),
            weights);
  EXPECT_NE(weights_sha256(*run_recipe(recipe("crop = 8")).model), weights);
  EXPECT_EQ(
      weights_sha256(*run_recipe(recipe("crop = 8\nmemory = 0\n[[data.transforms]]\nname = \"flip\"")).model),
      weights)
      << "on demand";
}

TEST_F(CropRecipe, IsReadAgainFromTheModelFile) {
  const Recipe mine = recipe("crop = 8");
  const RecipeRun run = run_recipe(mine);
  const std::string path = folder_.file("m.safetensors");
  ModelInfo info{.sample = run.sample, .data = "images", .uncut = uncut_shape(mine)};
  info.pictures = picture_origin(mine.data);
  save_model(path, *run.model, info);
  const ModelFile file = load_model(path);
  EXPECT_EQ(file.info.uncut, Shape({3, 12, 12}));
  const DataRecipe again = data_of_model(file.info);
  EXPECT_EQ(again.size, 12);
  EXPECT_EQ(again.crop, 8);
  EXPECT_EQ(again.channels, 3);
  EXPECT_EQ(load_data(again).test->stored(0, 2).inputs.to_vector<int>(),
            load_data(mine.data).test->stored(0, 2).inputs.to_vector<int>());
  info.uncut = Shape{3, 7, 12};
  EXPECT_ERROR(ValueError, save_model(path, *run.model, info),
               "[save_model] examples [3, 8, 8] are no pieces of pictures [3, 7, 12]");
}

TEST_F(CropRecipe, GoesWithDisplacedPictures) {
  const RecipeData data = load_data(recipe("crop = 8\ndisplaced = 1").data);
  EXPECT_EQ(data.train.size(), 80);
  EXPECT_EQ(data.train.sample_shape(), Shape({3, 8, 8}));
  EXPECT_EQ(data.train.uncut_shape(), Shape({3, 12, 12}));
  EXPECT_EQ(data.test->size(), 4);
}

TEST_F(CropRecipe, SaysWhatIsWrong) {
  EXPECT_ERROR(FormatError, recipe("crop = 13"), "r: data.crop is 13; the pictures are 12 x 12");
  EXPECT_THROW(recipe("crop = -1"), FormatError);
  EXPECT_THROW(recipe("crop = 2.5"), FormatError);
  EXPECT_ERROR(FormatError,
               parse_recipe("[data]\nname = \"mnist\"\ncrop = 29\n[model]\ndense = [841, 10]\n", "r"),
               "r: data.crop is 29; the pictures are 28 x 28");
  EXPECT_ERROR(
      FormatError,
      parse_recipe(
          "[data]\nname = \"table\"\ninputs = [[1]]\ntargets = [[1]]\ncrop = 1\n[model]\ndense = [1, "
          "1]\n[loss]\nname = \"mse\"\n",
          "r"),
      "r: data.crop cuts pictures; a table has none");
  Recipe made = recipe("");
  made.data.crop = -3;
  EXPECT_ERROR(FormatError, check_recipe(made, "r"), "r: data.crop is -3; the pictures are 12 x 12");
}

}  // namespace
}  // namespace splot
