// Losses: how far an output is from what it should be. Minimised by training.
#pragma once

#include "splot/core/export.h"
#include "splot/core/parameter.h"
#include "splot/core/tensor.h"
#include "splot/ops/losses.h"

namespace splot {

/// What becomes of the values of the single elements or samples: all of them, their mean or their sum.
struct LossOptions {
  Reduction reduction = Reduction::mean;
};

// --- of numbers. Prediction and target have the same shape: nothing is stretched. Throws ShapeError
// otherwise.

/// (prediction - target)^2, element by element; mean divides by the number of elements.
///
///   Tensor loss = mse_loss(net(x), y);
SPLOT_API Tensor mse_loss(const Tensor& prediction, const Tensor& target, const LossOptions& options = {});

/// |prediction - target|, element by element; mean divides by the number of elements. The derivative where
/// they are equal is 0.
SPLOT_API Tensor mae_loss(const Tensor& prediction, const Tensor& target, const LossOptions& options = {});

/// The root of mse_loss(): one number. The derivative at 0, where the root has none, is 0.
SPLOT_API Tensor rmse_loss(const Tensor& prediction, const Tensor& target);

/// 1/(2n) sum of (prediction - target)^2, n the number of samples: the size of the first axis. Nielsen's
/// quadratic cost.
SPLOT_API Tensor quadratic_cost(const Tensor& prediction, const Tensor& target);

/// 1/2 sum of (prediction - target)^2.
SPLOT_API Tensor half_sum_squares(const Tensor& prediction, const Tensor& target);

struct HuberOptions {
  double delta = 1.0;  ///< where the square turns into a line
  Reduction reduction = Reduction::mean;
};
/// With d = |prediction - target|: d^2 / 2 up to delta, delta (d - delta / 2) beyond (Huber 1964).
/// Throws ValueError unless delta is positive.
SPLOT_API Tensor huber_loss(const Tensor& prediction, const Tensor& target, const HuberOptions& options = {});
/// huber_loss() divided by delta, which PyTorch calls beta: d^2 / (2 delta) up to delta, d - delta / 2
/// beyond.
SPLOT_API Tensor smooth_l1_loss(const Tensor& prediction, const Tensor& target,
                                const HuberOptions& options = {});

// --- of classes

struct ClassLossOptions {
  Reduction reduction = Reduction::mean;
  /// [classes]: how much each class counts; undefined: all the same. With class indices the mean is then the
  /// sum divided by the weights of the targets' classes, with probabilities by the number of samples, both as
  /// in PyTorch.
  Tensor class_weights = {};
  /// The target becomes (1 - s) target + s / classes (Szegedy et al. 2016); cross_entropy() alone.
  double label_smoothing = 0.0;
};

/// -log of the probability that softmax over the axis of classes gives the right class: axis 1, or axis 0 of
/// a single sample, as in PyTorch.
///
///   logits[n, classes, ...]  target[n, ...] integer: the index of the class
///                            target[n, classes, ...] floating: a probability for each class (one-hot or
///                            soft)
///   -> [n, ...], or its mean (over n ...) or sum
///
/// Throws ShapeError when the target or the class weights do not fit, IndexError for a class outside
/// 0 .. classes - 1, ValueError for a smoothing outside 0 .. 1. Probabilities are taken as they are.
///
///   Tensor loss = cross_entropy(net(x), labels, {.label_smoothing = 0.1});
SPLOT_API Tensor cross_entropy(const Tensor& logits, const Tensor& target,
                               const ClassLossOptions& options = {});

/// The same of log_softmax()'s output and class indices: -log_probabilities[n, target[n]]. Throws what
/// cross_entropy() throws, and ValueError for a label smoothing.
SPLOT_API Tensor nll_loss(const Tensor& log_probabilities, const Tensor& target,
                          const ClassLossOptions& options = {});

/// -t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x)), element by element, arranged so that it never overflows.
///
///   Tensor loss = binary_cross_entropy_with_logits(net(x), y, {.reduction = Reduction::sum});
SPLOT_API Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                                  const LossOptions& options = {});

/// Their sum over all outputs, divided by the number of samples, the size of the first axis: the
/// cross-entropy cost of M. Nielsen's book (chapter 3, equation 63), of sigmoid outputs told by their logits.
///
///   logits[n, ...]  target[n, ...] probabilities  -> []
SPLOT_API Tensor cross_entropy_cost(const Tensor& logits, const Tensor& target);

/// binary_cross_entropy_with_logits() from probabilities, for networks that end in a sigmoid: -t log(x) - (1
/// - t) log(1 - x) with both logarithms held above -100, as in PyTorch. Learns worse than the one above where
/// the sigmoid is saturated. Throws ValueError for a probability outside 0 .. 1.
SPLOT_API Tensor binary_cross_entropy(const Tensor& probabilities, const Tensor& target,
                                      const LossOptions& options = {});

/// Keras's categorical cross-entropy of outputs that need not add up to 1, such as ten sigmoids: each
/// sample's outputs are divided by their sum, held within 1e-7 .. 1 - 1e-7, and -sum t log of them is taken.
///
///   outputs[n, classes, ...]   target: class indices or probabilities, as for cross_entropy()
///
/// This is what Keras's formula says, and what Keras computes where it is given plain numbers (Keras 3; the
/// backend of 2.x for tensors that do not come from an activation). In TensorFlow 2 with Keras 2 an output
/// layer `Dense(10, activation="sigmoid")` carries its logits with it, and the loss is taken from them:
/// categorical_cross_entropy_from_sigmoid() below. Throws ValueError for a negative output.
SPLOT_API Tensor categorical_cross_entropy(const Tensor& outputs, const Tensor& target,
                                           const LossOptions& options = {});

/// cross_entropy() of the logits behind sigmoid outputs, log(p) - log(1 - p): what TensorFlow 2 with Keras 2
/// computes for categorical_crossentropy after a layer with a sigmoid. Outputs are held away from 0 and 1 by
/// the smallest step of their dtype, beyond which no logit is left to be seen. Throws ValueError for an
/// output outside 0 .. 1.
SPLOT_API Tensor categorical_cross_entropy_from_sigmoid(const Tensor& outputs, const Tensor& target,
                                                        const LossOptions& options = {});

// --- penalties

/// The sum of |w| over all elements of all parameters; its derivative at 0 is 0.
SPLOT_API Tensor l1_penalty(const NamedParameters& parameters);
/// Half the sum of w^2 over all elements of all parameters: its gradient is w.
///
/// Added to the loss, or given to an optimiser as weight_decay, the penalty shrinks a weight through its
/// gradient. For SGD both are the same as decoupled decay, which multiplies the weight itself; Adam divides
/// the gradient, and the penalty in it, by the gradient's usual size, so that weights with large gradients
/// shrink less. AdamW's decay is decoupled.
///
///   backward(cross_entropy(net(x), y) + 5.0 / 50'000 * l2_penalty(weights_of(named_parameters(net))));
SPLOT_API Tensor l2_penalty(const NamedParameters& parameters);
/// Those with two axes or more: what is usually penalised, without biases, slopes and gains.
SPLOT_API NamedParameters weights_of(const NamedParameters& parameters);
/// The others.
SPLOT_API NamedParameters biases_of(const NamedParameters& parameters);

}  // namespace splot
