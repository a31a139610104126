#include "splot/autodiff/check_gradients.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "splot/core/random.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

// Differences are lost in the rounding of values this much larger, so smaller derivatives count as this
// large.
constexpr double kFloor = 1e-5;

// Every element between 0.5 and 1.5 with a random sign: none is so small that its derivative goes unseen.
Tensor random_weights(const Shape& shape, RandomStream& random) {
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  for (double& value : values) {
    const double size = random.uniform(0.5, 1.5);
    value = random.uniform() < 0.5 ? -size : size;
  }
  return Tensor::from(values, shape);
}

// The sum of all products w x of floating tensors.
Tensor project(std::span<const Tensor> xs, std::span<const Tensor> weights) {
  Tensor total = zeros({}, kFloat64);
  std::size_t next = 0;
  for (const Tensor& x : xs) {
    if (x.dtype().is_floating()) total = total + sum(x * weights[next++]);
  }
  return total;
}

// The scalar functions whose derivatives are compared. The point is made of the inputs x and the cotangents
// u:
//   order 1: s1(x, u) = u . f(x)          order k: sk(x, u) = w_k . ds_{k-1}/dx, with random constants w_k
class Scalars {
 public:
  Scalars(const Function& f, std::span<const Tensor> inputs, const CheckGradientsOptions& options)
      : f_(f), inputs_(inputs.size()) {
    RandomStream random({.seed = options.seed, .stream = stream_of("check_gradients/weights")});
    const NoGrad off;
    for (const Tensor& x : inputs) {
      point_.push_back(x.dtype().is_floating() ? contiguous(cast(x, kFloat64)).detach() : x);
    }
    for (const Tensor& y : f(point_)) {
      if (y.dtype().is_floating()) point_.push_back(random_weights(y.shape(), random));
    }
    for (int order = 2; order <= options.orders; ++order) {
      for (std::size_t i = 0; i < inputs_; ++i) {
        if (point_[i].dtype().is_floating())
          weights_[order - 2].push_back(random_weights(inputs[i].shape(), random));
      }
    }
  }

  const TensorList& point() const { return point_; }

  Tensor value(int order, std::span<const Tensor> point) const {
    if (order == 1) return project(f_(point.first(inputs_)), point.subspan(inputs_));
    TensorList variables, xs;
    for (std::size_t i = 0; i < point.size(); ++i) {
      const bool floating = point[i].dtype().is_floating();
      variables.push_back(floating && !point[i].requires_grad() ? point[i].variable() : point[i]);
      if (floating && i < inputs_) xs.push_back(variables[i]);
    }
    const Tensor inner = value(order - 1, variables);
    if (!inner.requires_grad()) return zeros({}, kFloat64);
    return project(grad(inner, xs, {.create_graph = true, .allow_unused = true}), weights_[order - 2]);
  }

  // d value / d point[i] for the wanted entries.
  TensorList gradients(int order, const std::vector<std::size_t>& wanted) const {
    TensorList variables = point_, xs;
    for (const std::size_t i : wanted) {
      variables[i] = point_[i].variable();
      xs.push_back(variables[i]);
    }
    const Tensor s = value(order, variables);
    if (s.requires_grad()) return grad(s, xs, {.allow_unused = true});
    TensorList none;
    for (const Tensor& x : xs) none.push_back(zeros(x.shape(), kFloat64));
    return none;
  }

 private:
  const Function& f_;
  std::size_t inputs_;
  TensorList point_;
  TensorList weights_[2];
};

struct Difference {
  double slope;
  double magnitude;  // the largest value met
};

// The first derivative of the polynomial through six points at +-1, +-2 and +-3 steps.
Difference difference(const Scalars& scalars, int order, std::size_t i, const Tensor& direction,
                      double step) {
  constexpr double kWeights[] = {45.0, -9.0, 1.0};
  Difference out{0, 0};
  for (int k = 1; k <= 3; ++k) {
    for (const double side : {1.0, -1.0}) {
      TensorList point = scalars.point();
      point[i] = point[i] + direction * (side * k * step);
      const double value = scalars.value(order, point).item<double>();
      out.slope += side * kWeights[k - 1] * value;
      out.magnitude = std::max(out.magnitude, std::abs(value));
    }
  }
  out.slope /= 60.0 * step;
  return out;
}

double relative_error(double analytic, double numeric, double magnitude) {
  const double size = std::max({std::abs(analytic), std::abs(numeric), kFloor * magnitude});
  const double error = std::abs(analytic - numeric);
  if (std::isnan(error)) return std::numeric_limits<double>::infinity();
  return error == 0 ? 0 : error / size;
}

void add(GradientCheck& check, const GradientComparison& found, double tolerance, double& worst_ratio) {
  const auto at = static_cast<std::size_t>(found.order - 1);
  ++check.comparisons;
  ++check.comparisons_of_order[at];
  check.worst_error[at] = std::max(check.worst_error[at], found.error);
  check.passed = check.passed && found.error <= tolerance;
  if (check.worst.order == 0 || found.error / tolerance > worst_ratio) {
    check.worst = found;
    worst_ratio = found.error / tolerance;
  }
}

}  // namespace

std::string GradientCheck::to_string() const {
  if (comparisons == 0) return "nothing to compare";
  return join("order ", worst.order, ", input ", worst.input, ": the derivative is ", worst.analytic,
              ", differences give ", worst.numeric, " (relative error ", worst.error, ")");
}

GradientCheck check_gradients(const Function& f, std::span<const Tensor> inputs,
                              const CheckGradientsOptions& options) {
  require<ValueError>(options.orders >= 1 && options.orders <= 3, "check_gradients",
                      "orders is 1, 2 or 3, got ", options.orders);
  const Scalars scalars(f, inputs, options);
  std::vector<std::size_t> wanted;
  for (std::size_t i = 0; i < scalars.point().size(); ++i) {
    const bool chosen =
        options.of.empty() || i >= inputs.size() ||
        std::find(options.of.begin(), options.of.end(), static_cast<int>(i)) != options.of.end();
    if (chosen && scalars.point()[i].dtype().is_floating()) wanted.push_back(i);
  }
  require<ValueError>(!wanted.empty() && wanted[0] < inputs.size(), "check_gradients",
                      "none of the inputs it is to differentiate by is floating");

  RandomStream random({.seed = options.seed, .stream = stream_of("check_gradients/directions")});
  GradientCheck check;
  double worst_ratio = 0;
  double tolerance = options.tolerance;
  for (int order = 1; order <= options.orders; ++order, tolerance *= 10) {
    std::vector<std::size_t> by;
    for (const std::size_t i : wanted) {
      if (order > 1 || i < inputs.size()) by.push_back(i);
    }
    const TensorList together = scalars.gradients(order, by);
    for (std::size_t k = 0; k < by.size(); ++k) {
      const Tensor alone = scalars.gradients(order, {by[k]})[0];
      for (int d = 0; d < options.directions; ++d) {
        const Tensor direction = random_weights(alone.shape(), random);
        const Difference numeric = difference(scalars, order, by[k], direction, options.step);
        for (const Tensor& gradient : {together[k], alone}) {
          const double analytic = sum(gradient * direction).item<double>();
          add(check,
              {relative_error(analytic, numeric.slope, numeric.magnitude), order, static_cast<int>(by[k]),
               analytic, numeric.slope},
              tolerance, worst_ratio);
        }
      }
    }
  }
  return check;
}

GradientCheck check_gradients(const Function& f, std::initializer_list<Tensor> inputs,
                              const CheckGradientsOptions& options) {
  return check_gradients(f, std::span<const Tensor>(inputs.begin(), inputs.size()), options);
}

}  // namespace splot
