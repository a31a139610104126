// How well classes are told apart: confusion matrix, accuracy with its interval, precision, recall, F1.
#pragma once

#include <vector>

#include "splot/core/export.h"
#include "splot/core/tensor.h"
#include "splot/data/dataset.h"
#include "splot/nn/layer.h"

namespace splot {

/// A range that a figure is likely to lie in.
struct Interval {
  double low = 0.0;
  double high = 0.0;
};

/// The interval for a share of which `right` of `total` were seen, by default with 95 % confidence: E. B.
/// Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the American
/// Statistical Association 22 (1927). With p = right / total and z the quantile of the normal distribution,
///
///   (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)
///
/// It stays within 0 and 1 and means something for p = 1 too, where the textbook's p -+ z sqrt(p (1 - p) / n)
/// has no width. It tells how much the figure depends on the examples it was measured on, and nothing about
/// how much another seed would change it. [0, 1] when nothing was seen; ValueError unless 0 <= right <= total
/// and z > 0.
///
///   Interval i = wilson_interval(9542, 10000);   // [0.9499, 0.9581]
SPLOT_API Interval wilson_interval(Index right, Index total, double z = 1.959963984540054);

/// One class, or a mean over classes. What would divide by zero is 0, as in scikit-learn.
struct ClassScores {
  double precision = 0.0;  ///< of those taken for the class, the share that is of it
  double recall = 0.0;     ///< of those of the class, the share taken for it
  double f1 = 0.0;         ///< harmonic mean of the two
  Index support = 0;       ///< examples of the class
};

/// Counts how often an example of one class was taken for another. The class an output stands for is the
/// first of its largest numbers; NaN counts as the largest, as in PyTorch.
///
///   ConfusionMatrix matrix = confusion_matrix(net, data.test);
///   matrix.accuracy();  matrix.count(4, 9);  matrix.scores()[4].recall;
///
/// Threads: a value; many may read one object, or one change it.
class SPLOT_API ConfusionMatrix {
 public:
  /// Throws ValueError unless there is at least one class.
  explicit ConfusionMatrix(Index classes);

  /// output[n, classes] floating; target[n] integer class numbers, or target[n, classes] floating (one-hot or
  /// soft), of which the largest counts. Throws ShapeError, DTypeError, and IndexError for a class there is
  /// not.
  void add(const Tensor& output, const Tensor& target);
  /// Two classes told by one number: output and target[n] or [n, 1]; above the threshold (0 for logits, 0.5
  /// for probabilities) means class 1. A target above 0.5 is class 1. Throws ValueError unless there are two
  /// classes.
  void add_binary(const Tensor& output, const Tensor& target, double threshold);
  void add(Index target, Index predicted, Index times = 1);

  Index classes() const { return classes_; }
  Index total() const { return total_; }
  Index right() const { return right_; }
  /// How many examples of class `target` were taken for class `predicted`; IndexError outside the classes.
  Index count(Index target, Index predicted) const;

  /// right() / total(); 0 when nothing was counted.
  double accuracy() const;
  Interval accuracy_interval() const { return wilson_interval(right_, total_); }
  std::vector<ClassScores> scores() const;
  /// The mean over classes that occur, as target or as prediction, each counting the same.
  ClassScores macro_average() const;
  /// The mean over classes, each counting as often as it has examples. Its recall is the accuracy.
  ClassScores weighted_average() const;

 private:
  void check(Index target, Index predicted) const;
  template <typename Weight>
  ClassScores average(Weight weight) const;

  Index classes_;
  std::vector<Index> counts_;  // [target][predicted]
  Index total_ = 0;
  Index right_ = 0;
};

/// How many of the examples have their class among the k largest outputs; among equal outputs the first
/// counts as larger. output[n, classes] and target as for ConfusionMatrix; ValueError unless 1 <= k <=
/// classes.
SPLOT_API Index count_top_k(const Tensor& output, const Tensor& target, Index k);

/// The confusion matrix of a network over a data set, as in use: no dropout, no history. The network's
/// outputs are [n, classes].
SPLOT_API ConfusionMatrix confusion_matrix(Layer& model, const Dataset& data, Index batch_size = 0);

}  // namespace splot
