// Where the command finds recipes: those built into it, and files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "splot/recipe/recipe.h"

namespace splot::cli {

struct BuiltinRecipe {
  std::string_view id;
  std::string_view text;
};

/// recipes/*.toml as they were when the command was built.
const std::vector<BuiltinRecipe>& builtin_recipes();

/// The recipe with that id or in that file, with the --set assignments made. Throws UsageError when there is
/// none or an assignment is wrong, FormatError when the file is not a recipe.
Recipe find_recipe(const std::string& name, const std::vector<std::string>& assignments);

/// Makes --set assignments. Throws UsageError when one is wrong; `name` is what the recipe is called by.
void assign(Recipe& recipe, const std::string& name, const std::vector<std::string>& assignments);

}  // namespace splot::cli
