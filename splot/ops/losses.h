// The two losses of classification as single ops: one pass forward, one pass back. splot/nn/losses.h has the
// losses that users call; these are what they are made of.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// What becomes of the values of the single elements or samples.
enum class Reduction { none, mean, sum };

/// -sum_j t_j log(softmax(x)_j) over the last axis, where t is 1 at the target's class, or the target's
/// probabilities.
///
///   logits[..., classes]   target[...] integer, or [..., classes] floating   -> [...], or its mean or sum
///
/// Integers other than int64 and floats of another dtype are converted. Throws ShapeError when target does
/// not fit, IndexError for a class outside 0 .. classes - 1. Differentiable in logits and in probabilities.
///
/// With class numbers a loss near 0 keeps its digits, and so does the gradient: the exponentials of the other
/// classes are added up by themselves, for log(1 + others) and for others / (1 + others).
///
///   Tensor loss = softmax_cross_entropy(logits, labels);   // logits[64, 10]  labels[64]  ->  []
SPLOT_API Tensor softmax_cross_entropy(const Tensor& logits, const Tensor& target,
                                       Reduction reduction = Reduction::mean);
/// Its gradient with respect to the logits: (sum(t) softmax(x) - t) dy, over the number of samples for mean.
/// `dy` has the shape of the loss.
SPLOT_API Tensor softmax_cross_entropy_grad(const Tensor& dy, const Tensor& logits, const Tensor& target,
                                            Reduction reduction = Reduction::mean);

/// max(x, 0) - x t + log(1 + exp(-|x|)), element by element: the cross-entropy of sigmoid(x) with the
/// probability t, arranged so that it never overflows.
SPLOT_API Tensor sigmoid_cross_entropy(const Tensor& logits, const Tensor& target);
/// Its gradient with respect to the logits: (sigmoid(x) - t) dy.
SPLOT_API Tensor sigmoid_cross_entropy_grad(const Tensor& dy, const Tensor& logits, const Tensor& target);

/// -t max(log(x), -100) - (1 - t) max(log(1 - x), -100), element by element: the cross-entropy of the
/// probability x with the probability t, bounded as PyTorch does; in the derivative by x the divisor
/// x (1 - x) is at least 1e-12. NaN where x is outside 0 .. 1.
SPLOT_API Tensor probability_cross_entropy(const Tensor& probabilities, const Tensor& target);

}  // namespace splot
