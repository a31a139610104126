// A network with the training that its recipe says, as C99 for a device that goes on learning.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "splot/compiler/c/c_training.h"
#include "splot/core/export.h"
#include "splot/recipe/recipe.h"
#include "splot/train/export_c.h"

namespace splot {

struct TrainingExportOptions {
  CExportOptions answers = {};  ///< what model_run() is tested with
  Index batch = 1;              ///< examples that a step of the device learns from
  Index steps = 10;             ///< of the test
  /// Where the examples come from that the test learns from, under the model's own preprocessing. None:
  /// inputs and targets are drawn by chance.
  std::optional<Dataset> learned = {};
};

/// The network of the file with loss, optimiser and clipping of the recipe: write_c_training() of one step.
/// The optimiser begins anew, with the learning rate of the recipe; a schedule is the device's own affair.
/// Afterwards the network is as it was.
///
/// Throws what write_c_training() throws, ValueError for an optimiser whose step is none (lbfgs) and for
/// options outside their range, and ShapeError when data or network do not fit.
///
///   const ModelFile file = load_model("runs/lenet/model.safetensors");
///   const CTrainingProgram c = export_training(file, load_recipe("runs/lenet/recipe.toml"), {.batch = 8});
///   write_c_folder("device", c.program);
SPLOT_API CTrainingProgram export_training(const ModelFile& file, const Recipe& recipe,
                                           const TrainingExportOptions& options = {});

struct CTrainingCheckOptions {
  Index steps = 100;
  std::uint64_t seed = 1;  ///< of the order of examples
  /// Asked after every step; true ends it there.
  std::function<bool()> stop = {};
};

/// What check_c_training() found. Differences are the largest over all steps.
struct SPLOT_API CTrainingCheck {
  Index steps = 0;
  double loss = 0.0;                             ///< of single steps, by its size, at least kCLeastLoss
  double tensors = 0.0;                          ///< of an updated tensor, by its largest entry
  std::string tensor;                            ///< the name of that tensor
  Index elements = 0;                            ///< that were compared
  Index outside = 0;                             ///< of them, those that differ by more than is allowed
  std::map<std::string, Index> outside_of = {};  ///< the same by tensor, where there are any
  Index last_outside = 0;  ///< the last step, from 1 on, in which there were any; 0: none
  double free_loss = 0.0;  ///< of steps one after the other

  bool is_within_bounds() const {
    return loss <= kCLossTolerance && outside == 0 && free_loss <= kCFreeLossTolerance;
  }
};

/// Answers the input of step_driver() with its output.
using CStepRunner = std::function<std::string(const std::string& input)>;

/// Makes the recipe's steps call by call, on batches of the data, and each of them also in C, from the
/// library's state: weights, moments, rate and number of the step. Then all of them in C, one after the other
/// from the first state. Begins with the weights of the file, which is as it was afterwards. Throws
/// ValueError when the data have no whole batch or the runner answers with something else, and what it
/// throws.
SPLOT_API CTrainingCheck check_c_training(const ModelFile& file, const Recipe& recipe,
                                          const CTrainingProgram& program, const Dataset& data,
                                          const CStepRunner& run, const CTrainingCheckOptions& options = {});

}  // namespace splot
