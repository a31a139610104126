#include "splot/recipe/choose.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "splot/recipe/build.h"
#include "splot/recipe/run.h"

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

// Each picture of one colour, or grey.
class Choose : public ::testing::Test {
 protected:
  void put(const std::string& folder, int count, Index width, Index height, bool colour = true) {
    std::filesystem::create_directories(folder_.file("p/" + folder));
    for (int i = 0; i < count; ++i) {
      Image picture{width, height, colour ? 3 : 1, {}};
      const auto level = static_cast<std::uint8_t>(200 + i % 20);
      for (Index p = 0; p < width * height; ++p) {
        picture.pixels.push_back(level);
        if (colour) picture.pixels.insert(picture.pixels.end(), {10, 200});
      }
      // Not by write_png(), which waits for the disk.
      const std::vector<std::uint8_t> bytes = encode_png(picture);
      std::ofstream(folder_.file(join("p/", folder, '/', i, ".png")), std::ios::binary)
          .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
  }
  ChosenRecipe chosen() const { return recipe_for_images(ImageFolder(path_), path_); }
  static std::string why(const ChosenRecipe& recipe, const std::string& key) {
    for (const Choice& choice : recipe.choices) {
      if (choice.key == key) return choice.reason;
    }
    return {};
  }
  static bool has(const ChosenRecipe& recipe, const std::string& transform) {
    const std::vector<Transform>& all = recipe.recipe.data.transforms;
    return std::any_of(all.begin(), all.end(), [&](const Transform& t) { return t.name == transform; });
  }

  test::TempFolder folder_;
  const std::string path_ = folder_.file("p");
};

TEST_F(Choose, ColourPhotosAreMirroredAndBroughtTo64) {
  put("tulip", 40, 90, 72);
  put("daisy", 50, 96, 75);
  const ChosenRecipe out = chosen();
  EXPECT_EQ(out.recipe.id, "p");
  EXPECT_EQ(sample_shape(out.recipe), Shape({3, 64, 64}));
  EXPECT_EQ(out.recipe.data.fit, "crop");
  EXPECT_EQ(out.recipe.data.validation, 10) << "15 % of the 72 that are not for testing";
  EXPECT_EQ(why(out, "data.test"),
            "a fifth of each class, 18 pictures, is looked at once, for the last figure");
  EXPECT_TRUE(has(out, "flip"));
  EXPECT_EQ(resolve_layers(out.recipe.model, {3, 64, 64}).back().arguments.integer("out"), 2);
  for (const Choice& choice : out.choices) EXPECT_FALSE(choice.reason.empty()) << choice.key;
}

TEST_F(Choose, GreyPicturesKeepTheirSizeAndAreNotMirrored) {
  for (const std::string name : {"3", "5", "8"}) put(name, 30, 28, 28, false);
  const ChosenRecipe out = chosen();
  EXPECT_EQ(sample_shape(out.recipe), Shape({1, 28, 28}));
  EXPECT_FALSE(has(out, "flip"));
  ASSERT_TRUE(has(out, "shift"));
  EXPECT_NEAR(static_cast<double>(out.recipe.data.transforms.back().fill), 209.0, 4.0) << "the page's level";
  EXPECT_TRUE(why(out, "data.fit").empty()) << "all are square; there is nothing to say";
}

TEST_F(Choose, NamesThatAreLettersOrDirectionsAreNotMirrored) {
  put("turn-left", 30, 40, 40);
  put("turn-Right", 30, 40, 40);
  EXPECT_FALSE(has(chosen(), "flip"));
}

TEST_F(Choose, FewPicturesOfManyClassesLeaveTwoOfEachForValidation) {
  for (const std::string name : {"ant", "bee", "cat", "dog"}) put(name, 10, 20, 20);
  const ChosenRecipe out = chosen();
  EXPECT_EQ(out.recipe.data.validation, 8) << "15 % of 32 would be 4";
  EXPECT_EQ(out.recipe.optimizer.lr, 0.001);
}

TEST_F(Choose, LongPicturesAreStretched) {
  put("a-line", 30, 200, 40);
  put("a-word", 30, 180, 40);
  EXPECT_EQ(chosen().recipe.data.fit, "stretch");
  EXPECT_EQ(chosen().recipe.data.size, 40);
}

TEST_F(Choose, FoldersThatAreParts) {
  for (const std::string name : {"cat", "dog"}) {
    put("train/" + name, 30, 20, 20);
    put("test/" + name, 7, 20, 20);
    put("val/" + name, 6, 20, 20);
  }
  const ChosenRecipe out = chosen();
  EXPECT_EQ(out.recipe.data.validation, 0);
  EXPECT_EQ(why(out, "data.test"), "the folder test, 14 pictures, is looked at once, for the last figure");
  const RecipeData data = load_data(out.recipe.data);
  EXPECT_EQ(data.train.size(), 60);
  EXPECT_EQ(data.validation->size(), 12);
  EXPECT_EQ(data.test->size(), 14);
}

TEST_F(Choose, SaysWhatIsMissing) {
  put("cat", 30, 20, 20);
  EXPECT_ERROR(ValueError, chosen(),
               "[recipe_for_images] \"" + path_ +
                   "\" has one class, \"cat\": pictures of at least two, each in a folder of its own, can be "
                   "told apart");
  put("dog", 4, 20, 20);
  EXPECT_ERROR(ValueError, chosen(),
               "[recipe_for_images] class \"dog\" of \"" + path_ +
                   "\" has 3 pictures to learn from beside those for testing; 5 is the least, and 30 or more "
                   "are better");
  put("dog", 10, 20, 20);
  EXPECT_EQ(chosen().choices.back().reason,
            "class dog has only 8 pictures to learn from; 30 or more would help");
}

TEST_F(Choose, TheRecipeToEditIsTheSameRecipe) {
  put("tulip", 30, 72, 90);
  put("class \n[train]\nepochs = 1 \xff", 30, 40, 50);
  const ChosenRecipe out = chosen();
  const std::string text = to_toml(out);
  EXPECT_EQ(to_toml(parse_recipe(text, "p.toml")), to_toml(out.recipe));
  for (const Choice& choice : out.choices) {
    const std::string start = "# " + choice.reason.substr(0, 40);
    EXPECT_TRUE(choice.key.empty() || text.find(start) != text.npos) << start << '\n' << text;
  }
  EXPECT_EQ(text.find("lbfgs"), text.npos);
  EXPECT_EQ(text.find("max_iter"), text.npos) << "keys that do not matter are left out";
}

}  // namespace
}  // namespace splot
