// One run of a recipe: data, training, and the figures at the end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/recipe/build.h"
#include "splot/recipe/recipe.h"
#include "splot/train/trainer.h"

namespace splot {

struct RunOptions {
  std::uint64_t seed = 1;
  std::vector<std::shared_ptr<Callback>> callbacks = {};
  ProgressSink progress = {};
  std::function<void(const EpochRecord&)> on_epoch = {};
  std::function<void(const TrainingWarning&)> on_warning = {};
  /// Asked after every step and, after the last, after every batch the network is judged by; true ends the
  /// run there, in good order, with RecipeRun::training.stopped.
  std::function<bool()> stop = {};
  /// Where checkpoints are written, as often as the recipe says; empty: none are. They hold the recipe too.
  std::string checkpoint = {};
  /// The checkpoint to go on from; empty: the run begins with its first step.
  std::string resume = {};
  /// TrainerOptions::profile.
  std::shared_ptr<TrainingProfile> profile = {};
  /// A run that diverges comes back with RecipeRun::diverged instead of throwing DivergenceError.
  bool keep_diverged = false;
};

/// A network that a recipe has taught, and how that went.
struct RecipeRun {
  Recipe recipe;
  std::uint64_t seed = 1;
  Shape sample;  ///< of one example
  Preprocessing preprocessing;
  std::vector<std::string> classes;
  LayerPtr model;
  TrainingResult training;
  std::string diverged;  ///< what was found, and where; empty unless NaN or infinity ended the training
  /// Each evaluated on the part it is named after, with the weights the run ended with. `before` is the
  /// training part with the first weights, for tables alone; empty where there is no such part.
  std::vector<Metric> before, train, validation, test;
};

/// Reads the data and trains. The test part is looked at once, at the end, unless train.watch = "test".
/// Throws what reading and training throw. A run that was stopped has no test figures, also when it was only
/// then, while it was judged after its last epoch: resumed, it is judged. One that diverged has figures only
/// when there was a best epoch, whose weights it then has.
///
///   RecipeRun run = run_recipe(load_recipe("mine.toml"), {.seed = 1});
///   metric(run.test, "accuracy");
SPLOT_API RecipeRun run_recipe(const Recipe& recipe, const RunOptions& options = {});
/// The same with data that were read before.
SPLOT_API RecipeRun run_recipe(const Recipe& recipe, const RecipeData& data, const RunOptions& options);

/// The recipe a checkpoint of run_recipe() was made with. Throws IoError and FormatError.
SPLOT_API Recipe recipe_of_checkpoint(const std::string& path);

}  // namespace splot
