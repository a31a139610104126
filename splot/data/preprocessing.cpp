#include "splot/data/preprocessing.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "splot/core/error.h"
#include "splot/data/dataset.h"

namespace splot {
namespace {

// Calls body(numbers) for the inputs as they are stored, some examples at a time and in their order.
template <typename Body>
void visit_inputs(const Dataset& data, Body&& body) {
  const Index most = data.in_memory() ? data.size() : 1000;
  for (Index first = 0; first < data.size(); first += most) {
    const Tensor inputs = data.stored(first, std::min(most, data.size() - first)).inputs;
    visit_any(inputs.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      body(std::span<const T>(inputs.data<T>(), static_cast<std::size_t>(inputs.numel())));
    });
  }
}

double numbers_in(const Dataset& data) {
  return static_cast<double>(data.size()) * static_cast<double>(data.sample_shape().numel());
}

// What stays the same is only moved to zero.
double usable(double deviation) { return deviation > 0.0 ? deviation : 1.0; }

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

}  // namespace

bool Preprocessing::is_finite() const {
  return std::isfinite(divisor) && std::isfinite(mean) && std::isfinite(deviation) && all_finite(means) &&
         all_finite(deviations);
}

std::string Preprocessing::problem(const Shape& sample) const {
  const bool zero = divisor == 0.0 || deviation == 0.0 ||
                    std::find(deviations.begin(), deviations.end(), 0.0) != deviations.end();
  if (zero) return "preprocessing divides by zero";
  const auto numbers = static_cast<std::size_t>(sample.numel());
  if (!by_feature() || (means.size() == numbers && deviations.size() == numbers)) return {};
  return join("preprocessing has ", means.size(), " means and ", deviations.size(),
              " deviations; examples of shape ", sample, " need ", numbers, " of each");
}

Preprocessing standardised(const Dataset& train) {
  const double count = numbers_in(train);
  require<ValueError>(count > 0.0, "standardised", train.name(), " has no examples");
  const double divisor = train.preprocessing().divisor;
  // The mean first: the sum of squares minus the square of the sum loses figures where the mean is large.
  double mean = 0.0;
  double least = std::numeric_limits<double>::infinity();
  double most = -least;
  visit_inputs(train, [&](auto values) {
    for (const auto& v : values) {
      const double x = convert<double>(v) / divisor;
      mean += x;
      least = std::min(least, x);
      most = std::max(most, x);
    }
  });
  mean /= count;
  double spread = 0.0;
  visit_inputs(train, [&](auto values) {
    for (const auto& v : values) {
      const double d = convert<double>(v) / divisor - mean;
      spread += d * d;
    }
  });
  // The mean of equal numbers may miss them by its rounding.
  if (least == most) spread = 0.0;
  return {.divisor = divisor, .mean = mean, .deviation = usable(std::sqrt(spread / count))};
}

Preprocessing standardised_by_feature(const Dataset& train) {
  require<ValueError>(numbers_in(train) > 0.0, "standardised_by_feature", train.name(), " has no examples");
  const auto features = static_cast<std::size_t>(train.sample_shape().numel());
  Preprocessing out{.divisor = train.preprocessing().divisor};
  out.means.assign(features, 0.0);
  out.deviations.assign(features, 0.0);
  double examples = 0.0;
  visit_inputs(train, [&](auto values) {
    for (auto row = values; !row.empty(); row = row.subspan(features)) {
      examples += 1.0;
      // B. P. Welford 1962, as in RegressionTally: equal numbers leave a spread of exactly zero.
      for (std::size_t j = 0; j < features; ++j) {
        const double x = convert<double>(row[j]) / out.divisor;
        const double from_mean = x - out.means[j];
        out.means[j] += from_mean / examples;
        out.deviations[j] += from_mean * (x - out.means[j]);
      }
    }
  });
  for (double& d : out.deviations) d = usable(std::sqrt(d / examples));
  return out;
}

}  // namespace splot
