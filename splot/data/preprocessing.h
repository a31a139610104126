// Preprocessing: from the numbers that are stored to those a network sees.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/shape.h"

namespace splot {

class Dataset;

/// How stored inputs become the numbers a network sees: (x / divisor - mean) / deviation. Part of the model
/// file: whoever predicts must do the same.
///
/// Threads: a value; many may read one object, or one change it.
struct SPLOT_API Preprocessing {
  double divisor = 1.0;
  double mean = 0.0;
  double deviation = 1.0;
  /// Instead of mean and deviation, one of each for every `shared` numbers of an example, in row-major order.
  /// Both are empty, or their length times `shared` is how many numbers an example has.
  std::vector<double> means = {};
  std::vector<double> deviations = {};
  std::size_t shared = 1;  ///< 1: every number has its own; height * width: every channel

  bool by_feature() const { return !means.empty() || !deviations.empty(); }
  double mean_of(std::size_t feature) const { return means.empty() ? mean : means[feature / shared]; }
  double deviation_of(std::size_t feature) const {
    return deviations.empty() ? deviation : deviations[feature / shared];
  }
  /// Whether finite numbers stay finite, but for overflow.
  bool is_finite() const;
  /// What is wrong with it for examples of this shape: "preprocessing divides by zero". Empty: nothing.
  std::string problem(const Shape& sample) const;

  friend bool operator==(const Preprocessing&, const Preprocessing&) = default;
};

/// The preprocessing after which the inputs of `train` have mean 0 and standard deviation 1 over all their
/// numbers: its own divisor, then mean and deviation of what that gives. Learned on the training part alone
/// and used for all parts; what the other parts hold must not be known beforehand. Where all numbers are the
/// same the deviation stays 1. Throws ValueError for a data set without examples.
///
///   Preprocessing p = standardised(data.train);   // MNIST: divisor 255, mean 0.1307, deviation 0.3081
SPLOT_API Preprocessing standardised(const Dataset& train);

/// The same for every number of an example on its own: each column of a table, each pixel. Columns in other
/// units become comparable. One that is the same in all examples becomes 0, its deviation stays 1; one that
/// hardly ever changes (a pixel at the edge) can become large in an example that changes it.
///
///   train.with_preprocessing(standardised_by_feature(train))
SPLOT_API Preprocessing standardised_by_feature(const Dataset& train);

/// The same for every channel of pictures, over all examples and pixels: what is published as "mean and std"
/// of a set. Channels are the first axis of an example; ShapeError when it has none.
///
///   Preprocessing p = standardised_by_channel(data.train);   // CIFAR-10: means 0.491, 0.482, 0.447
SPLOT_API Preprocessing standardised_by_channel(const Dataset& train);

}  // namespace splot
