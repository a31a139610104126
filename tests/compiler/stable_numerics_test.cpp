// Every form that stable-numerics rewrites, on 200 vectors of logits up to the limits of float32: no NaN, and
// little error. The references are the stable formulas of the textbooks in long double.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/compiler/passes.h"
#include "splot/compiler/plan.h"
#include "splot/graph/trace.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

using Real = long double;
using Row = std::vector<Real>;
using In = std::span<const Tensor>;

constexpr int kVectors = 200;
constexpr int kSize = 10;
constexpr float kLargest = std::numeric_limits<float>::max();

// Logits, weights of the results in what is derived, and a target: each [200, 10].
struct Vectors {
  std::vector<float> x, dy, t;

  Row row(const std::vector<float>& all, int i) const {
    return {all.begin() + i * kSize, all.begin() + (i + 1) * kSize};
  }
  TensorList tensors() const {
    const Shape shape{kVectors, kSize};
    return {Tensor::from(x, shape), Tensor::from(dy, shape), Tensor::from(t, shape)};
  }
};

// Of eight kinds, by turns: +-1e4, +-100, anything between the limits of float32, one limit ten times, one
// logit far above the rest, logits where exp leaves float32 at either end, and tiny ones. Targets are by
// turns one class, and probabilities; those of vectors with limits are one class.
Vectors extreme_vectors(float limit = kLargest) {
  std::mt19937 random(11);
  const auto uniform = [&](double low, double high) {
    return static_cast<float>(std::uniform_real_distribution<double>(low, high)(random));
  };
  const float limits[] = {limit, -limit, limit / 2, -limit / 2, 0.0f, -0.0f, 1.0f, -1.0f, 1e-38f, -1e-45f};
  const auto any_limit = [&] { return limits[random() % std::size(limits)]; };
  Vectors out;
  for (int i = 0; i < kVectors; ++i) {
    const float same = any_limit();
    const auto high = static_cast<int>(random() % kSize);
    const int kind = i % 8;
    float total = 0.0f;
    for (int j = 0; j < kSize; ++j) {
      const float logits[] = {uniform(-1e4, 1e4),
                              uniform(-100, 100),
                              any_limit(),
                              same,
                              j == high ? 1e4f : -1e4f,
                              uniform(80, 110) * (random() % 2 == 0 ? 1.0f : -1.0f),
                              uniform(-1e-6, 1e-6),
                              uniform(-5, 5)};
      out.x.push_back(logits[kind]);
      out.dy.push_back(uniform(0.5, 2.0) * (random() % 2 == 0 ? 1.0f : -1.0f));
      const bool one_class = kind == 2 || i % 16 < 8;
      out.t.push_back(one_class ? (j == static_cast<int>(i % kSize) ? 1.0f : 0.0f) : uniform(0.01, 1.0));
      total += out.t.back();
    }
    for (int j = 0; j < kSize; ++j) out.t[static_cast<std::size_t>(i * kSize + j)] /= total;
  }
  return out;
}

// --- references

Real largest(const Row& x) { return *std::max_element(x.begin(), x.end()); }
Real log_sum(const Row& x) {
  const Real m = largest(x);
  Real total = 0;
  for (const Real v : x) total += std::exp(v - m);
  return m + std::log(total);
}
Row log_softmax_of(const Row& x) {
  const Real m = largest(x);
  Row shifted = x;
  for (Real& v : shifted) v -= m;
  const Real total = log_sum(shifted);
  for (Real& v : shifted) v -= total;
  return shifted;
}
Row softmax_of(const Row& x) {
  Row out = log_softmax_of(x);
  for (Real& v : out) v = std::exp(v);
  return out;
}
Real softplus_of(Real x) { return std::max(x, Real(0)) + std::log1p(std::exp(-std::fabs(x))); }
Real sigmoid_of(Real x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }
Row each(const Row& x, const std::function<Real(Real)>& f) {
  Row out;
  for (const Real v : x) out.push_back(f(v));
  return out;
}
Real dot(const Row& a, const Row& b) {
  Real total = 0;
  for (std::size_t i = 0; i < a.size(); ++i) total += a[i] * b[i];
  return total;
}
Row combined(const Row& a, const Row& b, const std::function<Real(Real, Real)>& f) {
  Row out;
  for (std::size_t i = 0; i < a.size(); ++i) out.push_back(f(a[i], b[i]));
  return out;
}

// --- the patterns

struct Pattern {
  const char* name;
  /// x[200, 10], t[200, 10] -> [200, 10] or [200].
  std::function<Tensor(const Tensor& x, const Tensor& t)> function;
  /// Of one vector.
  std::function<Row(const Row& x, const Row& t)> value;
  /// What dy of the result makes of x; null: the derivative is not rewritten.
  std::function<Row(const Row& x, const Row& dy, const Row& t)> derivative;
  /// The most that |got - reference| / max(|reference|, floor) may be.
  double value_error, derivative_error;
  double floor = 1.0;
  float limit = kLargest;
};

Row log_softmax_derivative(const Row& x, const Row& dy) {
  Real total = 0;
  for (const Real v : dy) total += v;
  return combined(dy, softmax_of(x), [&](Real d, Real p) { return d - p * total; });
}
Row softmax_derivative(const Row& x, const Row& dy) {
  const Row y = softmax_of(x);
  const Real total = dot(y, dy);
  return combined(dy, y, [&](Real d, Real p) { return p * (d - total); });
}

std::vector<Pattern> patterns() {
  const auto of_x = [](Real (*f)(Real)) { return [f](const Row& x, const Row&) { return each(x, f); }; };
  const auto slope = [](Real (*f)(Real)) {
    return [f](const Row& x, const Row& dy, const Row&) {
      return combined(x, dy, [f](Real v, Real d) { return f(v) * d; });
    };
  };
  const auto log_sigmoid = of_x([](Real v) { return -softplus_of(-v); });
  const auto log_sigmoid_slope = slope([](Real v) { return sigmoid_of(-v); });
  const auto log_rest = of_x([](Real v) { return -softplus_of(v); });
  const auto log_rest_slope = slope([](Real v) { return -sigmoid_of(v); });
  const auto log_one_exp = of_x([](Real v) { return softplus_of(v); });
  const auto log_one_exp_slope = slope([](Real v) { return sigmoid_of(v); });
  const auto of_log_softmax = [](const Row& x, const Row&) { return log_softmax_of(x); };
  const auto log_softmax_slope = [](const Row& x, const Row& dy, const Row&) {
    return log_softmax_derivative(x, dy);
  };
  const auto cross_entropy_of = [](const Row& x, const Row& t) {
    const Row logs = log_softmax_of(x);
    Real total = 0;
    for (std::size_t i = 0; i < x.size(); ++i) total -= t[i] == 0 ? 0 : t[i] * logs[i];
    return Row{total};
  };
  const auto cross_entropy_slope = [](const Row& x, const Row& dy, const Row& t) {
    Real shares = 0;
    for (const Real v : t) shares += v;
    return combined(softmax_of(x), t, [&](Real p, Real target) { return (shares * p - target) * dy[0]; });
  };
  return {
      {"log(softmax(x))", [](const Tensor& x, const Tensor&) { return log(softmax(x)); }, of_log_softmax,
       log_softmax_slope, 2e-7, 1e-6},
      {"log(sigmoid(x))", [](const Tensor& x, const Tensor&) { return log(sigmoid(x)); }, log_sigmoid,
       log_sigmoid_slope, 2e-7, 3e-7, 1e-30},
      {"log(1 - sigmoid(x))", [](const Tensor& x, const Tensor&) { return log(1.0 - sigmoid(x)); }, log_rest,
       log_rest_slope, 2e-7, 3e-7, 1e-30},
      {"log1p(-sigmoid(x))", [](const Tensor& x, const Tensor&) { return log1p(-sigmoid(x)); }, log_rest,
       log_rest_slope, 2e-7, 3e-7, 1e-30},
      {"log(1 + exp(x))", [](const Tensor& x, const Tensor&) { return log(1.0 + exp(x)); }, log_one_exp,
       log_one_exp_slope, 2e-7, 3e-7, 1e-30},
      {"log1p(exp(x))", [](const Tensor& x, const Tensor&) { return log1p(exp(x)); }, log_one_exp,
       log_one_exp_slope, 2e-7, 3e-7, 1e-30},
      {"log(exp(x))", [](const Tensor& x, const Tensor&) { return log(exp(x)); },
       of_x([](Real v) { return v; }), slope([](Real) { return Real(1); }), 0.0, 0.0},
      {"log(sum(exp(x)))", [](const Tensor& x, const Tensor&) { return log(sum(exp(x), {-1})); },
       [](const Row& x, const Row&) { return Row{log_sum(x)}; },
       [](const Row& x, const Row& dy, const Row&) {
         return each(softmax_of(x), [&](Real p) { return p * dy[0]; });
       },
       2e-7, 5e-7},
      {"exp(x) / sum(exp(x)), exp(x) written once",
       [](const Tensor& x, const Tensor&) {
         const Tensor e = exp(x);
         return e / sum(e, {-1}, /*keepdim=*/true);
       },
       [](const Row& x, const Row&) { return softmax_of(x); },
       [](const Row& x, const Row& dy, const Row&) { return softmax_derivative(x, dy); }, 5e-7, 1e-6},
      {"exp(x) / sum(exp(x)), written twice",
       [](const Tensor& x, const Tensor&) { return exp(x) / sum(exp(x), {-1}, /*keepdim=*/true); },
       [](const Row& x, const Row&) { return softmax_of(x); },
       [](const Row& x, const Row& dy, const Row&) { return softmax_derivative(x, dy); }, 5e-7, 1e-6},
      {"log(exp(x) / sum(exp(x)))",
       [](const Tensor& x, const Tensor&) { return log(exp(x) / sum(exp(x), {-1}, /*keepdim=*/true)); },
       of_log_softmax, log_softmax_slope, 2e-7, 2e-6},
      {"log(e / sum(e)), e = exp(x)",
       [](const Tensor& x, const Tensor&) {
         const Tensor e = exp(x);
         return log(e / sum(e, {-1}, /*keepdim=*/true));
       },
       of_log_softmax, log_softmax_slope, 2e-7, 2e-6},
      {"exp(x) - 1", [](const Tensor& x, const Tensor&) { return exp(-abs(x)) - 1.0; },
       of_x([](Real v) { return std::expm1(-std::fabs(v)); }), nullptr, 2e-7, 0.0, 1e-30},
      {"log(1 + x)", [](const Tensor& x, const Tensor&) { return log(1.0 + abs(x)); },
       of_x([](Real v) { return std::log1p(std::fabs(v)); }), nullptr, 2e-7, 0.0, 1e-30},
      {"log(1 - x)", [](const Tensor& x, const Tensor&) { return log(1.0 - -abs(x)); },
       of_x([](Real v) { return std::log1p(std::fabs(v)); }), nullptr, 2e-7, 0.0, 1e-30},
      {"-sum(t log(softmax(x)))",
       [](const Tensor& x, const Tensor& t) { return -sum(t * log(softmax(x)), {-1}); }, cross_entropy_of,
       cross_entropy_slope, 5e-7, 1e-6},
      {"-(t log(sigmoid(x)) + (1 - t) log(1 - sigmoid(x)))",
       [](const Tensor& x, const Tensor& t) {
         const Tensor p = sigmoid(x);
         return -(t * log(p) + (1.0 - t) * log(1.0 - p));
       },
       [](const Row& x, const Row& t) {
         return combined(x, t, [](Real v, Real s) { return s * softplus_of(-v) + (1 - s) * softplus_of(v); });
       },
       [](const Row& x, const Row& dy, const Row& t) {
         Row out;
         for (std::size_t i = 0; i < x.size(); ++i) {
           out.push_back(dy[i] * ((1 - t[i]) * sigmoid_of(x[i]) - t[i] * sigmoid_of(-x[i])));
         }
         return out;
       },
       3e-7, 5e-7},
  };
}

// --- the comparison

struct Error {
  double largest = 0.0;
  int not_numbers = 0;
};

Error error_of(const Tensor& got, const std::vector<Row>& expected, double floor) {
  const std::vector<float> all = got.to_vector<float>();
  Error out;
  std::size_t at = 0;
  for (const Row& row : expected) {
    for (const Real reference : row) {
      const float value = all[at++];
      const auto rounded = static_cast<float>(reference);
      if (std::isnan(value)) {
        ++out.not_numbers;
      } else if (value != rounded) {  // infinity where the reference is beyond float32
        const Real distance = std::fabs(static_cast<Real>(value) - reference);
        const Real scale = std::max(std::fabs(reference), static_cast<Real>(floor));
        out.largest = std::max(out.largest, static_cast<double>(distance / scale));
      }
    }
  }
  EXPECT_EQ(at, all.size());
  return out;
}

struct Errors {
  Error value, derivative;
};

// dy of a function with one result for each vector is the first of ten.
Errors errors_of(const Pattern& pattern, const std::vector<std::string>& without) {
  const Vectors vectors = extreme_vectors(pattern.limit);
  const TensorList arguments = vectors.tensors();
  const std::span<const Tensor> given(arguments.data(), arguments.size());
  std::vector<Row> values, derivatives;
  for (int i = 0; i < kVectors; ++i) {
    const Row x = vectors.row(vectors.x, i), dy = vectors.row(vectors.dy, i), t = vectors.row(vectors.t, i);
    values.push_back(pattern.value(x, t));
    if (pattern.derivative) derivatives.push_back(pattern.derivative(x, dy, t));
  }
  const TracedFunction function = [&](In in, std::uint64_t) {
    const Tensor x = in[0].variable();
    const Tensor y = pattern.function(x, in[2]);
    if (!pattern.derivative) return TensorList{y.detach()};
    const Tensor dy = y.rank() == 2 ? in[1] : reshape(slice(in[1], 1, 0, 1), {kVectors});
    return TensorList{y.detach(), grad(sum(y * dy), {x})[0]};
  };
  Plan plan(optimize(trace(function, given), {.without = without}).graph);
  const TensorList got = plan.run(given);
  Errors out{error_of(got[0], values, pattern.floor), {}};
  if (pattern.derivative) out.derivative = error_of(got[1], derivatives, pattern.floor);
  return out;
}

TEST(StableNumerics, NeitherNaNNorLargeErrorsAtTheLimits) {
  for (const Pattern& pattern : patterns()) {
    SCOPED_TRACE(pattern.name);
    const Errors stable = errors_of(pattern, {});
    EXPECT_EQ(stable.value.not_numbers, 0);
    EXPECT_EQ(stable.derivative.not_numbers, 0);
    EXPECT_LE(stable.value.largest, pattern.value_error);
    EXPECT_LE(stable.derivative.largest, pattern.derivative_error);
    // The vectors are extreme enough: as it is written, the function fails on them.
    const auto fails = [](const Error& error, double allowed) {
      return error.not_numbers > 0 || error.largest > 1000.0 * allowed;
    };
    const Errors plain = errors_of(pattern, {"stable-numerics"});
    EXPECT_TRUE(fails(plain.value, pattern.value_error) || fails(plain.derivative, pattern.derivative_error));
  }
}

// mean(x^2) - mean(x)^2 cancels where the mean is large. Values go to 1e19, where squares leave float32. What
// is left is the rounding of the mean itself, some units in its last place.
TEST(StableNumerics, VariancesDoNotCancel) {
  std::mt19937 random(5);
  std::vector<float> x;
  std::vector<Real> expected, rounding;
  for (int i = 0; i < kVectors; ++i) {
    const double centre = std::pow(10.0, i % 20) * (i % 3 - 1), spread = std::pow(10.0, i % 19 - 3);
    Row row;
    for (int j = 0; j < kSize; ++j) {
      x.push_back(static_cast<float>(centre + spread * std::normal_distribution<double>()(random)));
      row.push_back(x.back());
    }
    Real mean = 0, squares = 0, far = 0;
    for (const Real v : row) mean += v / kSize;
    for (const Real v : row) squares += (v - mean) * (v - mean) / kSize;
    for (const Real v : row) far = std::max(far, std::fabs(v));
    expected.push_back(squares);
    rounding.push_back(std::pow(2e-7L * far, 2));
  }
  const TensorList arguments = {Tensor::from(x, Shape{kVectors, kSize})};
  const std::span<const Tensor> given(arguments.data(), arguments.size());
  const TracedFunction function = [](In in, std::uint64_t) {
    const Tensor m = mean(in[0], {1});
    return TensorList{mean(in[0] * in[0], {1}) - m * m};
  };
  const auto wrong = [&](const std::vector<std::string>& without) {
    Plan plan(optimize(trace(function, given), {.without = without}).graph);
    const std::vector<float> got = plan.run(given)[0].to_vector<float>();
    int count = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const bool right = std::fabs(got[i] - expected[i]) <= 1e-6L * expected[i] + rounding[i];
      count += right ? 0 : 1;
    }
    return count;
  };
  EXPECT_EQ(wrong({}), 0);
  EXPECT_GT(wrong({"stable-numerics"}), kVectors / 4);
}

Tensor square_of(const Tensor& x) { return slice(x, 0, 0, kSize); }

// What looks like a pattern and is none stays as it is.
TEST(StableNumerics, LeavesOtherFunctionsAlone) {
  const TracedFunction others = [](In in, std::uint64_t) {
    const Tensor &x = in[0], &t = in[2];
    const Tensor e = exp(x);
    return TensorList{
        log(2.0 + e), log(softmax(x) * t), e / sum(e, {0, 1}), mean(x * x, {1}) - mean(x, {1}) * mean(t, {1}),
        mean(x * x, {1}) - mean(x, {1}, true) * mean(x, {1}, true), sum(t * log_softmax(x, 0), {1}),
        (t / x) * x,
        // Rows divided by the totals of columns, and totals of rows stretched along columns.
        (t / sum(e, {0}, true)) * exp(t), sum(t / sum(e, {1}, true), {0}, true) * e,
        slice(reshape(t, {kSize, kVectors}), 1, 0, kSize) / sum(square_of(e), {1}) * square_of(e),
        e / sum(exp(t), {1}, true)};
  };
  const TensorList arguments = extreme_vectors().tensors();
  Graph graph = trace(others, std::span<const Tensor>(arguments.data(), arguments.size()));
  EXPECT_EQ(find_pass("stable-numerics")->run(graph), 0u) << graph.to_string();
}

}  // namespace
}  // namespace splot
