#include "splot/recipe/run_report.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "splot/core/error.h"
#include "splot/core/messages.h"
#include "splot/explain/saliency.h"
#include "splot/nn/summary.h"
#include "splot/ops/ops.h"
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

// Of each class the picture it knew most surely; where it knew none, the first.
std::vector<SeenExample> one_of_each(const Examination& seen) {
  std::vector<SeenExample> out;
  for (std::size_t c = 0; c < seen.classes.size(); ++c) {
    const auto is_class = [&](const SeenExample& e) {
      return e.target == static_cast<Index>(c) && e.picture;
    };
    const auto right = std::find_if(seen.cells.begin(), seen.cells.end(), [&](const SeenExample& e) {
      return is_class(e) && e.predicted == e.target;
    });
    const auto any = std::find_if(seen.by_class.begin(), seen.by_class.end(), is_class);
    if (right != seen.cells.end()) {
      out.push_back(*right);
    } else if (any != seen.by_class.end()) {
      out.push_back(*any);
    }
  }
  return out;
}

// What the network's surest mistakes came from.
std::vector<SeenCause> causes_of(Layer& model, DType dtype, const Examination& seen,
                                 const Dataset& examined) {
  constexpr std::size_t kMost = 8;
  std::vector<SeenCause> out;
  for (const SeenExample& example : seen.worst) {
    if (!example.picture || examined.sample_shape().rank() != 3 || out.size() == kMost) break;
    const Tensor x = cast(examined.batch(example.number, 1).inputs, dtype);
    SeenCause cause{example, heat_picture(*example.picture, occlusion(model, x, example.predicted)), {}};
    try {
      cause.gradient = heat_picture(*example.picture, gradient_saliency(model, x, example.predicted));
    } catch (const GradientError&) {
      // A network may hold layers that have no derivative; what it saw can be shown without.
    }
    out.push_back(std::move(cause));
  }
  return out;
}

void look_at_pictures(Collected& collected, const RecipeData& data, const Dataset& examined) {
  constexpr std::size_t kMostClasses = 10;  // the page would become long, and large
  RunReport& report = collected.report;
  Layer& model = *collected.model->model;
  for (const SeenExample& example : one_of_each(*report.seen)) {
    if (report.maps.size() == kMostClasses) break;
    std::vector<FeatureMaps> layers = feature_maps(model, examined, example.number);
    if (!layers.empty()) report.maps.push_back({example, std::move(layers)});
  }
  report.causes = causes_of(model, collected.model->dtype, *report.seen, examined);
  const std::string& text = report.run.seed;
  std::uint64_t seed = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), seed).ec == std::errc()) {
    report.changed = changed_pictures(data.train, seed);
  }
}

void look(Collected& collected, const RecipeData& data) {
  Layer& model = *collected.model->model;
  const std::string& loss = collected.model->info.loss;
  const auto take = [&](const Dataset& part, const char* name) {
    collected.report.seen = examine(model, part, name, loss);
    look_at_pictures(collected, data, part);
  };
  // Nobody looks at the test part before the training is over.
  if (data.test && !collected.report.run.stopped) {
    take(*data.test, "test");
  } else if (data.validation) {
    take(*data.validation, "validation");
  } else {
    take(data.train, "train");
  }
}

}  // namespace

RunReport collect_report(const std::string& folder, const RecipeData* data) {
  Collected collected = collect(folder);
  if (!collected.model) return std::move(collected.report);
  collected.report.fields = receptive_fields(*collected.model->model, collected.model->info.sample);
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
