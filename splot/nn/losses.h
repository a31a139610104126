// Losses: how far an output is from what it should be. Minimised by training.
#pragma once

#include "splot/core/export.h"
#include "splot/core/tensor.h"
#include "splot/ops/losses.h"

namespace splot {

struct LossOptions {
  Reduction reduction = Reduction::mean;
};

/// (prediction - target)^2, element by element; mean divides by the number of elements.
/// Both have the same shape: nothing is stretched. Throws ShapeError otherwise, here and below.
///
///   Tensor loss = mse_loss(net(x), y);
SPLOT_API Tensor mse_loss(const Tensor& prediction, const Tensor& target, const LossOptions& options = {});

/// 1/(2n) sum of (prediction - target)^2, n the number of samples: the size of the first axis.
SPLOT_API Tensor quadratic_cost(const Tensor& prediction, const Tensor& target);

/// 1/2 sum of (prediction - target)^2.
SPLOT_API Tensor half_sum_squares(const Tensor& prediction, const Tensor& target);

/// -log of the probability that softmax over the axis of classes gives the right class: axis 1, or axis 0 of
/// a single sample, as in PyTorch.
///
///   logits[n, classes, ...]  target[n, ...] integer: the index of the class
///                            target[n, classes, ...] floating: a probability for each class
///   -> [n, ...], or its mean (over n ...) or sum
///
/// Throws IndexError for a class outside 0 .. classes - 1.
SPLOT_API Tensor cross_entropy(const Tensor& logits, const Tensor& target, const LossOptions& options = {});

/// -t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x)), element by element, arranged so that it never overflows.
///
///   Tensor loss = binary_cross_entropy_with_logits(net(x), y, {.reduction = Reduction::sum});
SPLOT_API Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                                  const LossOptions& options = {});

}  // namespace splot
