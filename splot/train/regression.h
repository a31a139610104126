// How close numbers come to what they should be: MAE, RMSE, R2.
#pragma once

#include <span>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/tensor.h"

namespace splot {

struct RegressionScores {
  double mae = 0.0;   ///< mean of |output - target|
  double mse = 0.0;   ///< mean of (output - target)^2
  double rmse = 0.0;  ///< its root: in the targets' unit
  /// 1 - sum (output - target)^2 / sum (target - mean target)^2, for every column on its own, and the mean of
  /// that: 1 is perfect, 0 no better than always answering the mean, less is worse. A column whose targets
  /// are all the same counts 1 when it is met exactly and else 0, as in scikit-learn; NaN for fewer than two
  /// examples.
  double r2 = 0.0;
  Index examples = 0;
};

/// Adds up batches of numbers. The sums do not depend on how the examples are cut into batches.
///
///   RegressionTally tally;
///   tally.add(net(x), y);          // both [n, ...]
///   tally.scores().r2;
///
/// Threads: one at a time.
class SPLOT_API RegressionTally {
 public:
  /// Throws ShapeError unless both have the same shape [n, ...], with as many numbers for each example as
  /// those before.
  void add(const Tensor& output, const Tensor& target);
  /// All zero but for r2, which is NaN, when nothing was added.
  RegressionScores scores() const;

  /// All that it has added up, as numbers: from_state(state()) goes on exactly. Throws ValueError for numbers
  /// that are no state.
  std::vector<double> state() const;
  static RegressionTally from_state(std::span<const double> state);

 private:
  struct Column {
    double absolute = 0.0;  // sum of |output - target|
    double squares = 0.0;   // sum of (output - target)^2
    double mean = 0.0;      // of the targets
    double spread = 0.0;    // sum of (target - mean)^2
  };
  Index examples_ = 0;
  std::vector<Column> columns_;
};

}  // namespace splot
