// An experiment again: a recipe run over its seeds, and what comes out beside what was published.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/recipe/build.h"
#include "splot/recipe/published.h"
#include "splot/recipe/recipe.h"
#include "splot/recipe/run.h"
#include "splot/train/trainer.h"

namespace splot {

/// The figure of one seed. Accuracies are in per cent.
struct ReproducedRun {
  std::uint64_t seed = 1;
  double figure = 0.0;
  Index epoch = 0;  ///< whose figure it is; 0: the weights that were kept
  double seconds = 0.0;
  bool stuck = false;
  /// Of a stuck run whose last layer is a sigmoid or softmax: the outputs that are saturated - below 0.01, or
  /// above 0.99, for at least 99 % of the test examples - named by their class.
  std::vector<std::string> saturated_low, saturated_high;
  /// Of a stuck run: the classes that are never the answer.
  std::vector<std::string> never_answered;
  /// For published.norms: of every network, the norm by each hidden layer.
  std::vector<std::vector<double>> norms;
};

struct BoundResult {
  Bound bound;
  double value = 0.0;
  bool holds = false;
};

/// One hidden layer of the networks of published.norms.
struct NormResult {
  Index hidden = 0;        ///< how many hidden layers the network has
  Index layer = 0;         ///< which of them, from 1, the one beside the input first
  double published = 0.0;  ///< NaN where nothing was
  Spread spread;
  bool holds = false;  ///< the published value is one that the seeds cover
};

struct Reproduction {
  Recipe recipe;
  Index seeds = 0;                  ///< asked for
  std::vector<ReproducedRun> runs;  ///< finished, by seed
  Index stuck = 0;
  Spread spread;          ///< of the figures; without those of stuck runs where the recipe says so
  double obtained = 0.0;  ///< published.statistic of them
  std::vector<BoundResult> bounds;
  std::vector<NormResult> norms;
  bool pass = false;  ///< all seeds have run, and everything holds
};

/// The figures of runs beside what the recipe says was published. Marks the runs that got stuck.
SPLOT_API Reproduction compare(const Recipe& recipe, Index seeds, std::vector<ReproducedRun> runs);

struct ReproduceOptions {
  Index seeds = 0;  ///< 1 to this; 0: as many as the recipe says
  /// Called by the threads that run the seeds, never by two at a time.
  std::function<void(std::uint64_t seed, const EpochRecord&)> on_epoch = {};
  std::function<void(const ReproducedRun&)> on_run = {};
  /// Asked after every step, by several threads at once; true ends the seeds that run, whose figures are not
  /// counted.
  std::function<bool()> stop = {};
};

/// Runs the recipe with the seeds 1, 2, ... - never chosen - several at a time, each on one thread: the
/// figures do not depend on how many. Throws ValueError for a recipe without [published] and for a metric
/// that its runs do not have, and what reading and training throw.
///
///   Reproduction again = reproduce(load_recipe("nielsen-30.toml"));
///   again.spread.median;    // per cent
SPLOT_API Reproduction reproduce(const Recipe& recipe, const ReproduceOptions& options = {});

/// The norm of the mean gradient by the biases of each hidden layer, at first weights: chapter 5 of M.
/// Nielsen's book calls it the speed at which the layer learns. The mean is over all of `data`; the loss is
/// the recipe's. `hidden` layers of model.dense come before the last one.
SPLOT_API std::vector<double> bias_gradient_norms(const Recipe& recipe, Index hidden, const Dataset& data,
                                                  std::uint64_t seed);

}  // namespace splot
