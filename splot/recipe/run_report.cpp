#include "splot/recipe/run_report.h"

#include <filesystem>
#include <optional>

#include "splot/core/error.h"
#include "splot/core/messages.h"
#include "splot/nn/summary.h"
#include "splot/recipe/recipe.h"
#include "splot/train/model_file.h"

namespace splot {
namespace {

std::string inside(const std::string& folder, const char* name) {
  return (std::filesystem::path(folder) / name).string();
}

struct Collected {
  RunReport report;
  Recipe recipe;
  std::optional<ModelFile> model;
};

Collected collect(const std::string& folder) {
  Collected out;
  out.report.run = read_run(folder);
  out.recipe = load_recipe(inside(folder, "recipe.toml"));
  out.report.title = out.recipe.title;
  out.report.configuration = recipe_values(out.recipe);
  const std::string model = inside(folder, "model.safetensors");
  std::error_code ignored;
  if (!std::filesystem::exists(model, ignored)) {
    out.report.note = say(Message::report_no_model);
    return out;
  }
  out.model = load_model(model);
  out.report.layers = summarize(*out.model->model, out.model->info.sample, out.model->dtype);
  return out;
}

void look(Collected& collected, const RecipeData& data) {
  Layer& model = *collected.model->model;
  const std::string& loss = collected.model->info.loss;
  // Nobody looks at the test part before the training is over.
  if (data.test && !collected.report.run.stopped) {
    collected.report.seen = examine(model, *data.test, "test", loss);
  } else if (data.validation) {
    collected.report.seen = examine(model, *data.validation, "validation", loss);
  } else {
    collected.report.seen = examine(model, data.train, "train", loss);
  }
}

}  // namespace

RunReport collect_report(const std::string& folder, const RecipeData* data) {
  Collected collected = collect(folder);
  if (!collected.model) return std::move(collected.report);
  collected.report.weights = first_weights(*collected.model->model, collected.model->info.sample);
  if (data != nullptr) {
    look(collected, *data);
    return std::move(collected.report);
  }
  std::optional<RecipeData> read;
  try {
    read = load_data(collected.recipe.data);
  } catch (const IoError& error) {
    collected.report.note = say(Message::report_no_data, error.what());
    return std::move(collected.report);
  }
  look(collected, *read);
  return std::move(collected.report);
}

RunReport collect_summary(const std::string& folder) { return collect(folder).report; }

}  // namespace splot
