#include "apps/cli/model_argument.h"

#include <filesystem>

#include "splot/core/error.h"
#include "splot/recipe/build.h"

#include "apps/cli/command.h"
#include "apps/cli/recipes.h"

namespace splot::cli {
bool is_model_file(const std::string& name) {
  const std::filesystem::path path(name);
  std::error_code ignored;
  return path.extension() == ".safetensors" || std::filesystem::exists(path / "model.safetensors", ignored);
}

ModelFile find_model(const std::string& name) {
  const std::filesystem::path inside = std::filesystem::path(name) / "model.safetensors";
  std::error_code ignored;
  return load_model(std::filesystem::exists(inside, ignored) ? inside.string() : name);
}

Subject find_subject(const std::string& name, const std::vector<std::string>& assignments) {
  if (is_model_file(name)) {
    if (!assignments.empty()) throw UsageError(say(Message::set_needs_recipe, name));
    return {find_model(name), true};
  }
  std::error_code ignored;
  if (std::filesystem::is_directory(name, ignored)) {
    throw UsageError(say(Message::folder_without_model, name));
  }
  const Recipe recipe = find_recipe(name, assignments);
  Subject out;
  out.file.info.sample = sample_shape(recipe);
  out.file.info.uncut = uncut_shape(recipe);
  out.file.info.loss = recipe.loss.name;
  out.file.info.data = recipe.data.name;
  out.file.info.recipe = recipe.id;
  out.file.dtype = recipe.train.dtype;
  out.file.model = build_model(recipe.model, out.file.info.sample, recipe.train.dtype, 1);
  return out;
}

nlohmann::ordered_json as_json(const std::vector<Metric>& metrics) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const Metric& m : metrics) out[m.name] = m.value;
  return out;
}

std::string percent(double share) { return fmt::format("{:.2f} %", 100.0 * share); }

}  // namespace splot::cli
