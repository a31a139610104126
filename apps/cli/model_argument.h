// MODEL|RECIPE arguments, and the parts of a run that more than one command shows.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "splot/recipe/recipe.h"
#include "splot/train/model_file.h"
#include "splot/train/progress.h"

namespace splot::cli {

/// A network and what it was made for: from a model file, a run's folder, or a recipe (then untrained).
struct Subject {
  ModelFile file;
  bool trained = false;
};

/// Whether the name is that of a model file or of a run's folder, and of no recipe.
bool is_model_file(const std::string& name);

/// Throws UsageError when the name is neither.
Subject find_subject(const std::string& name, const std::vector<std::string>& assignments);

/// A model file, or a run's folder that holds one.
ModelFile find_model(const std::string& name);

nlohmann::ordered_json as_json(const std::vector<Metric>& metrics);

/// "98.31 %"
std::string percent(double share);

}  // namespace splot::cli
