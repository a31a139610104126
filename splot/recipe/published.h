// What was published of an experiment, and what counts as having found the same.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot {

/// One thing that has to hold of the runs: "mean >= 96.0".
struct SPLOT_API Bound {
  std::string statistic;  ///< mean, median, min, max, sd, or stuck: how many runs are
  bool at_least = true;
  double limit = 0.0;

  std::string to_string() const;
  /// Throws ValueError unless the text is a statistic, >= or <=, and a number.
  static Bound parse(std::string_view text);
};

/// A recipe's [published] section. Accuracies are in per cent.
struct PublishedRecipe {
  std::string source;  ///< who published it, where; empty: the recipe reproduces nothing
  double value = 0.0;  ///< as it was published
  /// The figure of one run: a metric of its epochs ("test_accuracy", "val_loss", "loss") ...
  std::string metric = "test_accuracy";
  /// ... of the best of them, of the last, or of the weights the run keeps, measured once at its end.
  std::string epoch = "kept";
  std::string statistic = "mean";   ///< of the runs' figures: mean, median, min or max
  double stuck = 0.0;               ///< a run whose figure is below has got stuck
  bool leave_out_stuck = false;     ///< statistics are of the other runs then
  std::vector<std::string> bounds;  ///< what has to hold for the experiment to count as reproduced
  std::string reason;               ///< why these bounds
  double minutes = 1.0;             ///< of one core that a run takes, about
  /// Instead of a metric: norms of the gradient by each hidden layer's biases before the first step; row i is
  /// of the network that has the first i + 1 hidden layers alone, empty where nothing was published.
  std::vector<std::vector<double>> norms;
};

/// Whether the figures are shares, told in per cent: accuracies of any part.
SPLOT_API bool in_per_cent(const PublishedRecipe& published);

/// Mean, median, extremes and the sample's standard deviation (n - 1 below the line; 0 for a single value).
/// All are NaN when there are no values.
struct Spread {
  double mean = 0.0;
  double median = 0.0;
  double min = 0.0;
  double max = 0.0;
  double sd = 0.0;
};
SPLOT_API Spread spread_of(std::span<const double> values);

}  // namespace splot
