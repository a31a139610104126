#include "splot/nn/losses.h"

#include <string_view>

#include "splot/ops/ops.h"

namespace splot {
namespace {

void require_same_shape(const char* loss, const char* name, const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) fail(loss, name, a, " and target", b, " differ in shape");
}

Tensor reduced(const Tensor& values, const LossOptions& options) {
  switch (options.reduction) {
    case Reduction::none:
      return values;
    case Reduction::sum:
      return sum(values);
    case Reduction::mean:
      break;
  }
  return mean(values);
}

Tensor squared(const char* loss, const Tensor& prediction, const Tensor& target) {
  require_same_shape(loss, "prediction", prediction, target);
  const Tensor difference = prediction - target;
  return difference * difference;
}

// [n, classes, rest...] -> [n, rest..., classes]
Tensor classes_last(const Tensor& x, int axis) {
  if (axis == x.rank() - 1) return x;
  Axes order;
  for (int i = 0; i < x.rank(); ++i) {
    if (i != axis) order.push_back(i);
  }
  order.push_back(axis);
  return permute(x, order);
}

}  // namespace

Tensor mse_loss(const Tensor& prediction, const Tensor& target, const LossOptions& options) {
  return reduced(squared("mse_loss", prediction, target), options);
}

Tensor quadratic_cost(const Tensor& prediction, const Tensor& target) {
  require(prediction.rank() >= 1, "quadratic_cost", "needs an axis of samples, got ", prediction);
  const Tensor squares = squared("quadratic_cost", prediction, target);
  return sum(squares) * (0.5 / static_cast<double>(prediction.shape()[0]));
}

Tensor half_sum_squares(const Tensor& prediction, const Tensor& target) {
  return sum(squared("half_sum_squares", prediction, target)) * 0.5;
}

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const LossOptions& options) {
  require(logits.rank() >= 1, "cross_entropy", "needs an axis of classes, got ", logits);
  const int axis = logits.rank() == 1 ? 0 : 1;
  Ints samples;
  for (int i = 0; i < logits.rank(); ++i) {
    if (i != axis) samples.push_back(logits.shape()[i]);
  }
  const bool indices = target.dtype().is_integral();
  if (target.shape() != (indices ? Shape(samples) : logits.shape())) {
    fail("cross_entropy", "target", target, " does not fit logits", logits,
         indices ? ": class indices" : ": probabilities", " have shape ",
         indices ? Shape(samples) : logits.shape());
  }
  return softmax_cross_entropy(classes_last(logits, axis), indices ? target : classes_last(target, axis),
                               options.reduction);
}

Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                        const LossOptions& options) {
  require_same_shape("binary_cross_entropy_with_logits", "logits", logits, target);
  return reduced(sigmoid_cross_entropy(logits, target), options);
}

}  // namespace splot
