// recipe_for_images(): a recipe for pictures that nobody has described.
#pragma once

#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/data/image_folder.h"
#include "splot/recipe/recipe.h"

namespace splot {

/// What pictures look like, as seen from some of them.
struct PictureSurvey {
  Index looked_at = 0;
  Index width = 0;  ///< of the middle picture: the median
  Index height = 0;
  Index shorter_side = 0;  ///< the median of it
  double aspect = 1.0;     ///< the median of the longer side over the shorter one
  bool one_size = false;   ///< all of them have it
  bool grey = false;       ///< all of them are, however they are stored
  Index border_level = 0;  ///< the median of the bytes at the edges: what comes in where pictures are moved
};

/// Looks at up to 100 pictures spread evenly over the folder, fewer where they are large. Throws FormatError
/// for one that is no sound picture.
SPLOT_API PictureSurvey survey(const ImageFolder& pictures);

/// Something that was chosen, and why.
struct Choice {
  std::string key;     ///< of the recipe: "data.size"
  std::string reason;  ///< one line
};

struct ChosenRecipe {
  Recipe recipe;
  std::vector<Choice> choices;  ///< in the order of the recipe's keys
};

/// A recipe that learns to tell the classes of a folder of pictures apart: size and channels as most pictures
/// have them, a test part and a validation part where the folders do not say which, changes by chance that
/// such pictures bear, a network of convolutions with batch norm that fits their size and number, one cycle
/// of AdamW, and an end when validation no longer improves. It depends on names and pictures alone. `path` is
/// the folder as it will be read again.
///
/// Throws ValueError where there is one class alone or a class has fewer than five pictures to learn from,
/// and what survey() throws.
///
///   ChosenRecipe chosen = recipe_for_images(ImageFolder("flowers"), "flowers");
///   RecipeRun run = run_recipe(chosen.recipe);
SPLOT_API ChosenRecipe recipe_for_images(const ImageFolder& pictures, const std::string& path);

/// The recipe as TOML to be edited: the keys that matter, under each comment why they are what they are.
/// parse_recipe() gives the same recipe again.
SPLOT_API std::string to_toml(const ChosenRecipe& chosen);

}  // namespace splot
