#include "splot/nn/losses.h"

#include <limits>

#include "splot/core/node.h"
#include "splot/core/recorder.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

void require_same_shape(const char* loss, const char* name, const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) fail(loss, name, a, " and target", b, " differ in shape");
}

Tensor reduced(const Tensor& values, Reduction reduction) {
  switch (reduction) {
    case Reduction::none:
      return values;
    case Reduction::sum:
      return sum(values);
    case Reduction::mean:
      break;
  }
  return mean(values);
}

Tensor difference(const char* loss, const Tensor& prediction, const Tensor& target) {
  require_same_shape(loss, "prediction", prediction, target);
  return prediction - target;
}

// Throws when outputs leave the range. While a function is traced nothing can be looked at: then it returns
// whether they do, and the loss has to go through or_nan(). NaN passes: it is for the training to find and to
// name its origin.
Tensor require_between(const char* loss, const Tensor& x, double low, double high) {
  if (x.numel() == 0) return {};
  const NoGrad off;
  if (recorder() != nullptr) {
    const Tensor below = min(x) < low;
    return high < std::numeric_limits<double>::max() ? logical_or(below, max(x) > high) : below;
  }
  const auto least = min(x).item<double>(), most = max(x).item<double>();
  require<ValueError>(!(least < low) && !(most > high), loss, "needs outputs of at least ", low,
                      high < std::numeric_limits<double>::max() ? join(" and at most ", high) : "", ", got ",
                      least < low ? least : most, "; are they logits?");
  return {};
}

// NaN where outputs have left the range: whoever sees it may calculate once more, untraced, and hears why.
Tensor or_nan(const Tensor& outside, const Tensor& loss) {
  if (!outside.defined()) return loss;
  return where(outside, std::numeric_limits<double>::quiet_NaN(), loss);
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

// Outputs and target of a loss of classes, checked, with the axis of classes last in both.
struct Classes {
  Tensor outputs;
  Tensor target;
  bool indices;
  Index count;

  Classes(const char* loss, const char* name, const Tensor& x, const Tensor& t)
      : indices(t.dtype().is_integral()) {
    require(x.rank() >= 1, loss, "needs an axis of classes, got ", x);
    const int axis = x.rank() == 1 ? 0 : 1;
    Ints samples;
    for (int i = 0; i < x.rank(); ++i) {
      if (i != axis) samples.push_back(x.shape()[i]);
    }
    if (t.shape() != (indices ? Shape(samples) : x.shape())) {
      fail(loss, "target", t, " does not fit ", name, x, indices ? ": class indices" : ": probabilities",
           " have shape ", indices ? Shape(samples) : x.shape());
    }
    outputs = classes_last(x, axis);
    target = indices ? t : classes_last(t, axis);
    count = outputs.shape()[-1];
  }

  DType dtype() const { return outputs.dtype().is_floating() ? outputs.dtype() : kFloat32; }
  Tensor probabilities() const { return indices ? one_hot(target, count, dtype()) : target; }
  // In the dtype of the outputs.
  Tensor weights(const char* loss, const Tensor& given) const {
    require(given.shape() == Shape{count}, loss, "class_weights", given, " must have shape [", count, ']');
    return cast(given, dtype());
  }
};

// The weight of each target's class, in the shape of the target.
Tensor of_targets(const Tensor& weights, const Tensor& target) {
  const Tensor flat = index_select(weights, 0, reshape(target, {target.numel()}));
  return reshape(flat, Ints(std::span<const Index>(target.shape().begin(), target.shape().end())));
}

Tensor huber(const char* loss, const Tensor& prediction, const Tensor& target, double delta) {
  require<ValueError>(delta > 0.0, loss, "delta must be positive, got ", delta);
  const Tensor distance = abs(difference(loss, prediction, target));
  const Tensor within = clamp(distance, {}, delta);
  return within * (distance - 0.5 * within);
}

}  // namespace

// --- of numbers

Tensor mse_loss(const Tensor& prediction, const Tensor& target, const LossOptions& options) {
  return reduced(square(difference("mse_loss", prediction, target)), options.reduction);
}

Tensor mae_loss(const Tensor& prediction, const Tensor& target, const LossOptions& options) {
  return reduced(abs(difference("mae_loss", prediction, target)), options.reduction);
}

Tensor rmse_loss(const Tensor& prediction, const Tensor& target) {
  const Tensor squares = mean(square(difference("rmse_loss", prediction, target)));
  const Tensor zero = squares == 0.0;
  return where(zero, 0.0, sqrt(where(zero, 1.0, squares)));
}

Tensor quadratic_cost(const Tensor& prediction, const Tensor& target) {
  require(prediction.rank() >= 1, "quadratic_cost", "needs an axis of samples, got ", prediction);
  const Tensor squares = square(difference("quadratic_cost", prediction, target));
  return sum(squares) * (0.5 / static_cast<double>(prediction.shape()[0]));
}

Tensor half_sum_squares(const Tensor& prediction, const Tensor& target) {
  return sum(square(difference("half_sum_squares", prediction, target))) * 0.5;
}

Tensor huber_loss(const Tensor& prediction, const Tensor& target, const HuberOptions& options) {
  return reduced(huber("huber_loss", prediction, target, options.delta), options.reduction);
}

Tensor smooth_l1_loss(const Tensor& prediction, const Tensor& target, const HuberOptions& options) {
  return reduced(huber("smooth_l1_loss", prediction, target, options.delta) / options.delta,
                 options.reduction);
}

// --- of classes

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const ClassLossOptions& options) {
  const Classes c("cross_entropy", "logits", logits, target);
  const double smoothing = options.label_smoothing;
  require<ValueError>(smoothing >= 0.0 && smoothing <= 1.0, "cross_entropy",
                      "label_smoothing must be from 0 to 1, got ", smoothing);
  if (smoothing == 0.0 && !options.class_weights.defined()) {
    return softmax_cross_entropy(c.outputs, c.target, options.reduction);
  }
  Tensor shares = c.probabilities();
  if (smoothing > 0.0) shares = (1.0 - smoothing) * shares + smoothing / static_cast<double>(c.count);
  if (!options.class_weights.defined()) return softmax_cross_entropy(c.outputs, shares, options.reduction);
  const Tensor weights = c.weights("cross_entropy", options.class_weights);
  const Tensor each = softmax_cross_entropy(c.outputs, shares * weights, Reduction::none);
  if (options.reduction == Reduction::mean && c.indices) {
    return sum(each) / sum(of_targets(weights, c.target));
  }
  return reduced(each, options.reduction);
}

Tensor nll_loss(const Tensor& log_probabilities, const Tensor& target, const ClassLossOptions& options) {
  const Classes c("nll_loss", "log_probabilities", log_probabilities, target);
  require<DTypeError>(c.indices, "nll_loss", "takes class indices, got a target of ", target.dtype());
  require<ValueError>(options.label_smoothing == 0.0, "nll_loss",
                      "has no label smoothing: give cross_entropy() the logits");
  const Tensor picked = -squeeze(gather(c.outputs, -1, unsqueeze(c.target, -1)), {-1});
  if (!options.class_weights.defined()) return reduced(picked, options.reduction);
  const Tensor weights = of_targets(c.weights("nll_loss", options.class_weights), c.target);
  const Tensor each = picked * weights;
  return options.reduction == Reduction::mean ? sum(each) / sum(weights) : reduced(each, options.reduction);
}

Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                        const LossOptions& options) {
  require_same_shape("binary_cross_entropy_with_logits", "logits", logits, target);
  return reduced(sigmoid_cross_entropy(logits, target), options.reduction);
}

Tensor cross_entropy_cost(const Tensor& logits, const Tensor& target) {
  require(logits.rank() >= 1, "cross_entropy_cost", "needs an axis of samples, got ", logits);
  require_same_shape("cross_entropy_cost", "logits", logits, target);
  return sum(sigmoid_cross_entropy(logits, target)) * (1.0 / static_cast<double>(logits.shape()[0]));
}

Tensor binary_cross_entropy(const Tensor& probabilities, const Tensor& target, const LossOptions& options) {
  require_same_shape("binary_cross_entropy", "probabilities", probabilities, target);
  const Tensor outside = require_between("binary_cross_entropy", probabilities, 0.0, 1.0);
  return or_nan(outside, reduced(probability_cross_entropy(probabilities, target), options.reduction));
}

Tensor categorical_cross_entropy(const Tensor& outputs, const Tensor& target, const LossOptions& options) {
  constexpr double kEpsilon = 1e-7;  // Keras's
  const Classes c("categorical_cross_entropy", "outputs", outputs, target);
  const Tensor outside =
      require_between("categorical_cross_entropy", outputs, 0.0, std::numeric_limits<double>::max());
  const Tensor shares = c.outputs / sum(c.outputs, {-1}, /*keepdim=*/true);
  const Tensor logarithms = log(clamp(shares, kEpsilon, 1.0 - kEpsilon));
  return or_nan(outside, reduced(-sum(c.probabilities() * logarithms, {-1}), options.reduction));
}

Tensor categorical_cross_entropy_from_sigmoid(const Tensor& outputs, const Tensor& target,
                                              const LossOptions& options) {
  const Classes c("categorical_cross_entropy_from_sigmoid", "outputs", outputs, target);
  const Tensor outside = require_between("categorical_cross_entropy_from_sigmoid", outputs, 0.0, 1.0);
  const bool narrow = c.dtype() == kFloat32;
  const double least = narrow ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
  const double step =
      0.5 * (narrow ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon());
  const Tensor p = clamp(c.outputs, least, 1.0 - step);
  return or_nan(outside, softmax_cross_entropy(log(p) - log1p(-p), c.target, options.reduction));
}

// --- penalties

namespace {

template <typename Term>
Tensor total(const char* penalty, const NamedParameters& parameters, Term&& term) {
  require<ValueError>(!parameters.empty(), penalty, "needs at least one parameter");
  Tensor out;
  for (const NamedParameter& entry : parameters) {
    const Tensor part = sum(term(entry.parameter.value()));
    out = out.defined() ? out + part : part;
  }
  return out;
}

template <typename Choice>
NamedParameters chosen(const NamedParameters& parameters, Choice&& choice) {
  NamedParameters out;
  for (const NamedParameter& entry : parameters) {
    if (choice(entry.parameter.shape())) out.push_back(entry);
  }
  return out;
}

}  // namespace

Tensor l1_penalty(const NamedParameters& parameters) {
  return total("l1_penalty", parameters, [](const Tensor& w) { return abs(w); });
}

Tensor l2_penalty(const NamedParameters& parameters) {
  return 0.5 * total("l2_penalty", parameters, [](const Tensor& w) { return square(w); });
}

NamedParameters weights_of(const NamedParameters& parameters) {
  return chosen(parameters, [](const Shape& shape) { return shape.rank() >= 2; });
}

NamedParameters biases_of(const NamedParameters& parameters) {
  return chosen(parameters, [](const Shape& shape) { return shape.rank() < 2; });
}

}  // namespace splot
