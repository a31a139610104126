// Networks that go on learning in C: splot export --train, and splot verify --steps.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "splot/recipe/export_training.h"

#include "apps/cli/command.h"

namespace splot::cli {

/// Which training: of --train.
struct LearningOptions {
  bool train = false;
  Index batch = 0;  ///< 0: one
  std::string recipe;

  /// Adds --train, --batch and --recipe.
  void add_to(Command& command);
  /// Throws UsageError for what belongs to --train where that was not asked for.
  void check() const;
};

/// A network and the training that its recipe says.
struct Learning {
  ModelFile file;
  Recipe recipe;
  std::optional<Dataset> data;  ///< to learn from, as the network sees them
  std::string reason;           ///< why there are none; empty: there are
};

/// Of a run's folder, of a model file with the recipe named, or of a recipe, whose network is then untrained.
/// Throws UsageError where there is no recipe, and what loading throws.
Learning find_learning(const std::string& model, const std::string& recipe);

/// What export writes beside --train.
struct LearningExport {
  std::string model;
  std::string folder;
  std::string data;
  Index examples = 8;
  bool json = false;
};
int export_learning(const LearningOptions& options, const LearningExport& asked);

/// Steps of the export in `folder` beside those of the library: builds a driver with `build`, which is given
/// its source and answers with the program's path, and runs it on files in `scratch`.
CTrainingCheck check_learning(const std::string& folder, const std::string& model, Index steps,
                              const std::string& scratch,
                              const std::function<std::string(const std::string& driver)>& build);

}  // namespace splot::cli
