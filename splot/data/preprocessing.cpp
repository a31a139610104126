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
  // What is stored as it is asked for need not be copied.
  const bool in_place = data.in_memory() && data.sample_shape() == data.uncut_shape();
  const Index most = in_place ? data.size() : 1000;
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
  if (!by_feature()) return {};
  if (shared == 0 || numbers % shared != 0) {
    return join("preprocessing has a mean for every ", shared, " numbers, which do not divide the ", numbers,
                " of an example of shape ", sample);
  }
  if (means.size() == numbers / shared && deviations.size() == numbers / shared) return {};
  return join("preprocessing has ", means.size(), " means and ", deviations.size(),
              " deviations; examples of shape ", sample, " need ", numbers / shared, " of each");
}

namespace {

struct Moments {
  double mean = 0.0;
  double deviation = 0.0;
};

// Of `groups` equal parts of every example, one after the other.
std::vector<Moments> moments_of(const Dataset& train, std::size_t groups) {
  const std::size_t each = static_cast<std::size_t>(train.sample_shape().numel()) / groups;
  const double divisor = train.preprocessing().divisor;
  const double count = numbers_in(train) / static_cast<double>(groups);
  struct Bounds {
    double least = std::numeric_limits<double>::infinity();
    double most = -std::numeric_limits<double>::infinity();
  };
  std::vector<Moments> out(groups);
  std::vector<Bounds> bounds(groups);
  const auto visit_groups = [&](auto&& body) {
    visit_inputs(train, [&](auto values) {
      for (std::size_t g = 0; !values.empty(); values = values.subspan(each), g = (g + 1) % groups) {
        body(g, values.first(each));
      }
    });
  };
  // The mean first: the sum of squares minus the square of the sum loses figures where the mean is large.
  visit_groups([&](std::size_t g, auto values) {
    for (const auto& v : values) {
      const double x = convert<double>(v) / divisor;
      out[g].mean += x;
      bounds[g] = {std::min(bounds[g].least, x), std::max(bounds[g].most, x)};
    }
  });
  for (Moments& m : out) m.mean /= count;
  visit_groups([&](std::size_t g, auto values) {
    for (const auto& v : values) {
      const double d = convert<double>(v) / divisor - out[g].mean;
      out[g].deviation += d * d;
    }
  });
  for (std::size_t g = 0; g < groups; ++g) {
    // The mean of equal numbers may miss them by its rounding.
    if (bounds[g].least == bounds[g].most) out[g].deviation = 0.0;
    out[g].deviation = usable(std::sqrt(out[g].deviation / count));
  }
  return out;
}

}  // namespace

Preprocessing standardised(const Dataset& train) {
  require<ValueError>(numbers_in(train) > 0.0, "standardised", train.name(), " has no examples");
  const Moments all = moments_of(train, 1).front();
  return {.divisor = train.preprocessing().divisor, .mean = all.mean, .deviation = all.deviation};
}

Preprocessing standardised_by_channel(const Dataset& train) {
  require<ValueError>(numbers_in(train) > 0.0, "standardised_by_channel", train.name(), " has no examples");
  const Shape sample = train.sample_shape();
  require(sample.rank() >= 2, "standardised_by_channel", train.name(), ": examples of shape ", sample,
          " have no channels");
  Preprocessing out{.divisor = train.preprocessing().divisor};
  out.shared = static_cast<std::size_t>(sample.numel() / sample[0]);
  for (const Moments& m : moments_of(train, static_cast<std::size_t>(sample[0]))) {
    out.means.push_back(m.mean);
    out.deviations.push_back(m.deviation);
  }
  return out;
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
