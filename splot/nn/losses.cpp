#include "splot/nn/losses.h"

#include <algorithm>
#include <string_view>
#include <vector>

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
  return sum(values) * (1.0 / static_cast<double>(values.numel()));
}

Tensor squared(const char* loss, const Tensor& prediction, const Tensor& target) {
  require_same_shape(loss, "prediction", prediction, target);
  const Tensor difference = prediction - target;
  return difference * difference;
}

// [n, classes, rest...] -> [rows, classes], the classes last.
Tensor classes_last(const Tensor& x, int axis) {
  Axes order;
  for (int i = 0; i < x.rank(); ++i) {
    if (i != axis) order.push_back(i);
  }
  order.push_back(axis);
  const Index classes = x.shape()[axis];
  return reshape(permute(x, order), {classes == 0 ? 0 : x.numel() / classes, classes});
}

// The largest of each row, as a constant: subtracting it changes no derivative of the softmax.
Tensor row_maximum(const Tensor& x) {
  const Index rows = x.shape()[0], columns = x.shape()[1];
  const std::vector<double> values = x.to_vector<double>();
  std::vector<double> largest(static_cast<std::size_t>(rows));
  for (Index i = 0; i < rows; ++i) {
    const auto first = values.begin() + i * columns;
    largest[static_cast<std::size_t>(i)] = *std::max_element(first, first + columns);
  }
  return cast(Tensor::from(largest, {rows, 1}), x.dtype());
}

// [n, ...] class indices -> [rows, classes] with a one at each.
Tensor probabilities_of(const Tensor& target, Index classes, DType dtype) {
  const std::vector<std::int64_t> indices = target.to_vector<std::int64_t>();
  std::vector<double> values(indices.size() * static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < indices.size(); ++i) {
    require<IndexError>(indices[i] >= 0 && indices[i] < classes, "cross_entropy", "there is no class ",
                        indices[i], " among ", classes);
    values[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(indices[i])] = 1.0;
  }
  return cast(Tensor::from(values, {static_cast<Index>(indices.size()), classes}), dtype);
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
  const Index classes = logits.shape()[axis];
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
  const Tensor x = classes_last(logits, axis);
  const Tensor p = indices ? probabilities_of(target, classes, x.dtype()) : classes_last(target, axis);
  const Tensor shifted = x - row_maximum(x);
  const Tensor log_softmax = shifted - log(sum(exp(shifted), {1}, true));
  return reduced(reshape(-sum(p * log_softmax, {1}), samples), options);
}

Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                        const LossOptions& options) {
  require_same_shape("binary_cross_entropy_with_logits", "logits", logits, target);
  // log(1 + exp(x)) - t x with exp of nothing positive.
  const Tensor positive = relu(logits);
  const Tensor magnitude = positive + relu(-logits);
  return reduced(positive - logits * target + log(1.0 + exp(-magnitude)), options);
}

}  // namespace splot
