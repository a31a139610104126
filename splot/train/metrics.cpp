#include "splot/train/metrics.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "splot/core/error.h"

namespace splot::metrics {
namespace {

void check_same_shape(const char* name, const Tensor& output, const Tensor& target) {
  require(output.shape() == target.shape() && output.rank() >= 1, name, "output", output, " and target",
          target, " need the same shape [n, ...]");
}

double count_right_classes(const Tensor& output, const Tensor& target) {
  require(output.rank() == 2 && target.rank() == 1 && output.shape()[0] == target.shape()[0], "accuracy",
          "needs output[n, classes] and target[n], got output", output, " and target", target);
  require<DTypeError>(target.dtype() == kInt64, "accuracy", "needs int64 class numbers, got ",
                      target.dtype());
  const Index classes = output.shape()[1];
  require(classes > 0, "accuracy", "output", output, " has no classes");
  const Tensor dense_output = contiguous(output);
  const Tensor dense_target = contiguous(target);
  return visit_floats(output.dtype(), "accuracy", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* row = dense_output.data<T>();
    const auto* wanted = dense_target.data<std::int64_t>();
    Index right = 0;
    for (Index i = 0; i < output.shape()[0]; ++i, row += classes) {
      right += std::max_element(row, row + classes) - row == wanted[i] ? 1 : 0;
    }
    return static_cast<double>(right);
  });
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

MetricFunction mse() {
  return {"mse", [](const Tensor& output, const Tensor& target) {
            check_same_shape("mse", output, target);
            const std::vector<double> is = output.to_vector<double>();
            const std::vector<double> wanted = target.to_vector<double>();
            double sum = 0.0;
            for (std::size_t i = 0; i < is.size(); ++i) sum += (is[i] - wanted[i]) * (is[i] - wanted[i]);
            // Of the mean over the elements of an example: elements / examples of them.
            return is.empty() ? 0.0
                              : sum * static_cast<double>(output.shape()[0]) / static_cast<double>(is.size());
          }};
}

}  // namespace splot::metrics
