#include "splot/train/metrics.h"

#include <cmath>
#include <vector>

#include "splot/core/error.h"
#include "splot/train/classification.h"
#include "splot/train/internal/class_rows.h"
#include "splot/train/regression.h"

namespace splot::metrics {
namespace {

void check_same_shape(const char* name, const Tensor& output, const Tensor& target) {
  require(output.shape() == target.shape() && output.rank() >= 1, name, "output", output, " and target",
          target, " need the same shape [n, ...]");
}

double count_right_classes(const Tensor& output, const Tensor& target) {
  Index right = 0;
  train_detail::for_each_row("accuracy", output, target, [&](const auto* row, Index classes, Index wanted) {
    right += train_detail::largest(row, classes) == wanted ? 1 : 0;
  });
  return static_cast<double>(right);
}

// The sum over examples of the mean of difference(output, target) over the elements of an example.
template <typename Difference>
MetricFunction mean_difference(const char* name, Difference difference) {
  return {name, [=](const Tensor& output, const Tensor& target) {
            check_same_shape(name, output, target);
            const std::vector<double> is = output.to_vector<double>();
            const std::vector<double> wanted = target.to_vector<double>();
            double sum = 0.0;
            for (std::size_t i = 0; i < is.size(); ++i) sum += difference(is[i] - wanted[i]);
            return is.empty() ? 0.0
                              : sum * static_cast<double>(output.shape()[0]) / static_cast<double>(is.size());
          }};
}

// A score over all examples; what is kept is a RegressionTally.
MetricFunction regression(const char* name, double RegressionScores::*score) {
  return {.name = name,
          .add =
              [](std::vector<double>& state, const Tensor& output, const Tensor& target) {
                RegressionTally tally = RegressionTally::from_state(state);
                tally.add(output, target);
                state = tally.state();
              },
          .figure =
              [score](const std::vector<double>& state) {
                return RegressionTally::from_state(state).scores().*score;
              }};
}

}  // namespace

MetricFunction accuracy() { return {"accuracy", count_right_classes}; }

MetricFunction binary_accuracy(double threshold) {
  return {"accuracy", [threshold](const Tensor& output, const Tensor& target) {
            check_same_shape("binary_accuracy", output, target);
            const std::vector<double> is = output.to_vector<double>();
            const std::vector<double> wanted = target.to_vector<double>();
            const auto n = static_cast<std::size_t>(output.shape()[0]);
            const std::size_t each = n == 0 ? 0 : is.size() / n;
            double right = 0.0;
            for (std::size_t i = 0; i < n; ++i) {
              bool all = true;
              for (std::size_t j = i * each; j < (i + 1) * each; ++j) {
                all = all && (is[j] > threshold) == (wanted[j] > 0.5);
              }
              right += all ? 1.0 : 0.0;
            }
            return right;
          }};
}

MetricFunction top_k_accuracy(Index k) {
  require<ValueError>(k >= 1, "top_k_accuracy", "k must be at least 1, got ", k);
  return {join("top_", k, "_accuracy"), [k](const Tensor& output, const Tensor& target) {
            return static_cast<double>(count_top_k(output, target, k));
          }};
}

MetricFunction mse() {
  return mean_difference("mse", [](double d) { return d * d; });
}

MetricFunction mae() {
  return mean_difference("mae", [](double d) { return std::abs(d); });
}

MetricFunction rmse() { return regression("rmse", &RegressionScores::rmse); }

MetricFunction r2() { return regression("r2", &RegressionScores::r2); }

}  // namespace splot::metrics
