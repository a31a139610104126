// Damaged TOML: a FormatError that names the file, or a recipe; never a crash.
#include <string_view>

#include <gtest/gtest.h>

#include "splot/core/error.h"
#include "splot/recipe/recipe.h"

#include "tests/support/expect_error.h"
#include "tests/support/mutate.h"

namespace splot {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes bytes(std::string_view text) { return Bytes(text.begin(), text.end()); }

const std::vector<Bytes> kRecipes = {
    bytes("title = \"a\\u0042 \\\"b\\\"\"\nseeds = 3\n[data]\nname = \"mnist\"\nvalidation = 10_000\n"
          "[model]\ndense = [784, 0x10, 10]\n[optimizer]\nname = 'adam'\nlr = 1e-3\n[train]\nepochs = 3\n"),
    bytes(
        "data = {name = \"table\", inputs = [[0, 0.5], [1, 1]], targets = [[0], [1]]}\n"
        "loss.name = \"\"\"mse\"\"\"\n\n[[model.layers]]\ntype = \"linear\"\nout = 3 # three\nbias = false\n"
        "[[model.layers]]\ntype = \"dropout\"\np = 0.5\n[[model.layers]]\ntype = \"linear\"\nout = 1\n"
        "weight_values = [[1, 2, 3]]\nfrozen = [\"weight\", 'bias']\n"),
    bytes("[data]\nname = \"digits\"\nnormalise = \"features\"\n[model]\ndense = [784, 10]\n"
          "[[schedule.parts]]\nname = \"linear\"\nepochs = 1\nstart = 0.0\n[[schedule.parts]]\nname = "
          "'cosine'\n"
          "[train]\nmetrics = [\"rmse\", \"r2\"]\naverage = \"ema\"\naverage_decay = 0.99\n"),
};

TEST(Hostile, Recipes) {
  const auto read = [](const std::string& path) {
    try {
      load_recipe(path);
    } catch (const FormatError& error) {
      EXPECT_EQ(std::string(error.what()).rfind(path, 0), 0u) << error.what();
      throw;
    }
  };
  const test::HostileResult result =
      test::try_hostile_files({.name = "toml", .files = kRecipes, .count = 1500, .read = read}, 1);
  EXPECT_GT(result.refused, 700);
  EXPECT_GT(result.accepted, 5) << "some damage, as to a number, cannot be seen";
}

// Found by fuzzing: toml++ 3.3 calls it impossible that some of these letters stand where blanks may.
TEST(Hostile, LettersBeyondAsciiOutsideStrings) {
  const std::string outside = "r.toml:2: letters beyond ASCII belong into quotes and comments";
  for (const char* letter : {"\u0105", "\ufedf", "\u3001", "\u00a0", "\ufeff"}) {
    const std::string c = letter;
    for (const std::string& line :
         {c + " = 1", "seeds = 1" + c, "title = \"a\"" + c, "title = \"\"\"a\"\"\"" + c,
          "title = \"\"\"a\"\"\"\" " + c, "[" + c + "]"}) {
      EXPECT_ERROR(FormatError, parse_recipe("\xef\xbb\xbf# " + c + "\n" + line, "r.toml"), outside);
    }
    for (const std::string& text : {"\\" + c, "\\ \n  " + c}) {
      EXPECT_ERROR(FormatError, parse_recipe("\ntitle = \"\"\"" + text + "\"\"\"", "r.toml"),
                   "r.toml:2: what follows a backslash must begin with an ASCII letter");
    }
  }
}

// Every byte once replaced by each of the characters that mean something in TOML.
TEST(Hostile, EveryPlaceOfARecipe) {
  int refused = 0;
  for (const Bytes& recipe : kRecipes) {
    for (std::size_t at = 0; at < recipe.size(); ++at) {
      for (const char c : std::string_view("[]{}.=,#'\"\\\n\0\xff", 14)) {
        std::string text(recipe.begin(), recipe.end());
        text[at] = c;
        try {
          parse_recipe(text, "r.toml");
        } catch (const FormatError&) {
          ++refused;
        }
      }
    }
  }
  EXPECT_GT(refused, 2000);
}

}  // namespace
}  // namespace splot
