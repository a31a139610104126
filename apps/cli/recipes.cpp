#include "apps/cli/recipes.h"

#include <filesystem>

#include <nlohmann/json.hpp>

#include "splot/core/error.h"
#include "splot/core/messages.h"

#include "apps/cli/command.h"

namespace splot::cli {
namespace {

Recipe read_recipe(const std::string& name) {
  for (const BuiltinRecipe& builtin : builtin_recipes()) {
    if (builtin.id == name) return parse_recipe(builtin.text, join(builtin.id, ".toml"));
  }
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(name, ignored);
  if (!folder && std::filesystem::exists(name, ignored)) return load_recipe(name);
  std::string ids;
  for (const BuiltinRecipe& builtin : builtin_recipes()) ids += join(ids.empty() ? "" : ", ", builtin.id);
  throw UsageError(say(folder ? Message::folder_no_recipe : Message::no_recipe, name, ids));
}

int list_recipes(bool json) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  std::size_t width = 0;
  for (const BuiltinRecipe& builtin : builtin_recipes()) width = std::max(width, builtin.id.size());
  for (const BuiltinRecipe& builtin : builtin_recipes()) {
    const Recipe recipe = parse_recipe(builtin.text, join(builtin.id, ".toml"));
    if (json) {
      all.push_back({{"id", recipe.id}, {"title", recipe.title}, {"data", recipe.data.name}});
    } else {
      print(fmt::format("{:<{}}  {}\n", recipe.id, width, recipe.title));
    }
  }
  if (json) print(all.dump(2) + '\n');
  return kOk;
}

}  // namespace

void assign(Recipe& recipe, const std::string& name, const std::vector<std::string>& assignments) {
  try {
    for (const std::string& assignment : assignments) set_value(recipe, assignment);
    if (!assignments.empty()) check_recipe(recipe, name);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

Recipe find_recipe(const std::string& name, const std::vector<std::string>& assignments) {
  Recipe recipe = read_recipe(name);
  assign(recipe, name, assignments);
  return recipe;
}

void add_recipes(Command root) {
  Command command = root.add("recipes", Message::recipes_help, Message::recipes_example);
  const auto json = std::make_shared<bool>(false);
  command.add_json(*json);
  command.runs([json] { return list_recipes(*json); });
}

}  // namespace splot::cli
