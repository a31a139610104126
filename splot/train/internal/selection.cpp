#include "splot/train/internal/selection.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "splot/core/error.h"

namespace splot::train_detail {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

bool has(const std::vector<Metric>& metrics, const std::string& name) {
  return std::any_of(metrics.begin(), metrics.end(), [&](const Metric& m) { return m.name == name; });
}

// Whether a is ahead of b by more than delta. Nothing is ahead of a number that is not there, but a number.
bool ahead(double a, double b, double delta, bool higher) {
  if (std::isnan(a)) return false;
  if (std::isnan(b)) return true;
  return higher ? a > b + delta : a < b - delta;
}

}  // namespace

bool higher_is_better(const std::string& metric) {
  const char* const lower[] = {"loss", "error", "mse", "rmse", "mae"};
  return std::none_of(std::begin(lower), std::end(lower),
                      [&](const char* word) { return metric.find(word) != std::string::npos; });
}

Selection::Selection(const TrainerOptions& options, bool watched)
    : options_(options), chooses_(watched || !options.monitor.empty()), reference_(kNone) {
  require<ValueError>(chooses_ || options.patience == 0, "Trainer",
                      "patience needs a second data set or a monitor to go by");
}

std::string Selection::monitored(const std::vector<Metric>& metrics) const {
  if (options_.monitor.empty()) {
    const std::string accuracy = options_.watch + "_accuracy";
    return has(metrics, accuracy) ? accuracy : options_.watch + "_loss";
  }
  std::string names;
  for (const Metric& m : metrics) names += (names.empty() ? "" : ", ") + m.name;
  require<ValueError>(has(metrics, options_.monitor), "Trainer", "there is no metric ", options_.monitor,
                      " to go by; there are ", names);
  return options_.monitor;
}

bool Selection::is_better(const std::vector<Metric>& candidate, const std::string& name) const {
  const double is = metric(candidate, name);
  const double was = metric(best_, name);
  if (ahead(is, was, 0.0, higher_is_better(name))) return true;
  // Among equal accuracies the lower loss decides, unless one metric alone was asked for.
  const std::string loss = options_.watch + "_loss";
  return options_.monitor.empty() && is == was &&
         ahead(metric(candidate, loss), metric(best_, loss), 0.0, false);
}

bool Selection::take(const EpochRecord& record) {
  if (!chooses_) return false;
  const std::string name = monitored(record.metrics);
  const double value = metric(record.metrics, name);
  if (ahead(value, reference_, options_.min_delta, higher_is_better(name))) {
    reference_ = value;
    waited_ = 0;
  } else {
    ++waited_;
  }
  if (!best_.empty() && !is_better(record.metrics, name)) return false;
  best_ = record.metrics;
  return true;
}

void Selection::restore(std::vector<Metric> best, double reference, Index waited) {
  best_ = std::move(best);
  reference_ = reference;
  waited_ = waited;
}

}  // namespace splot::train_detail
