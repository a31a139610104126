// Which epoch is the best so far, and for how long none has been better.
#pragma once

#include <string>
#include <vector>

#include "splot/train/records.h"
#include "splot/train/trainer.h"

namespace splot::train_detail {

/// False for losses and errors, true for accuracies and all else.
bool higher_is_better(const std::string& metric);

class Selection {
 public:
  /// Holds the options by reference. `watched`: there is a second data set.
  Selection(const TrainerOptions& options, bool watched);

  /// Whether anything is chosen at all: there is a figure to choose by.
  bool chooses() const { return chooses_; }
  /// Takes a finished epoch in; true when it is better than all before it. Throws ValueError when the metric
  /// to go by is not among its figures.
  bool take(const EpochRecord& record);
  bool is_patience_over() const { return options_.patience > 0 && waited_ >= options_.patience; }

  // What a checkpoint keeps.
  const std::vector<Metric>& best() const { return best_; }
  double reference() const { return reference_; }
  Index waited() const { return waited_; }
  void restore(std::vector<Metric> best, double reference, Index waited);

 private:
  std::string monitored(const std::vector<Metric>& metrics) const;
  bool is_better(const std::vector<Metric>& candidate, const std::string& name) const;

  const TrainerOptions& options_;
  bool chooses_;
  std::vector<Metric> best_;  // empty: there was no epoch yet
  double reference_;          // what has to be beaten by min_delta; NaN: nothing yet
  Index waited_ = 0;
};

}  // namespace splot::train_detail
