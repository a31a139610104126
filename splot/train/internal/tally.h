// Sums of loss and metrics over examples, and what they come to.
#pragma once

#include <string>
#include <vector>

#include "splot/core/error.h"
#include "splot/train/metrics.h"
#include "splot/train/progress.h"

namespace splot::train_detail {

class Tally {
 public:
  /// The metrics must outlive it.
  explicit Tally(const std::vector<MetricFunction>& metrics)
      : metrics_(&metrics), sums_(metrics.size() + 2, 0.0), states_(metrics.size()) {}

  void add(double loss, const Tensor& output, const Tensor& target) {
    const auto n = static_cast<double>(output.shape()[0]);
    sums_[0] += n;
    sums_[1] += loss * n;
    for (std::size_t i = 0; i < metrics_->size(); ++i) {
      const MetricFunction& metric = (*metrics_)[i];
      if (metric.sum) {
        sums_[i + 2] += metric.sum(output, target);
      } else {
        metric.add(states_[i], output, target);
      }
    }
  }

  std::vector<Metric> means() const {
    std::vector<Metric> out{{"loss", sums_[1] / sums_[0]}};
    for (std::size_t i = 0; i < metrics_->size(); ++i) {
      const MetricFunction& metric = (*metrics_)[i];
      out.push_back({metric.name, metric.sum ? sums_[i + 2] / sums_[0] : metric.figure(states_[i])});
    }
    return out;
  }

  /// What a checkpoint keeps of an epoch that is not over: the number of examples, the sum of the losses, for
  /// each metric its sum or how many numbers it keeps, then those numbers.
  std::vector<double> sums() const {
    std::vector<double> out = sums_;
    for (std::size_t i = 0; i < states_.size(); ++i) {
      if (!(*metrics_)[i].sum) out[i + 2] = static_cast<double>(states_[i].size());
      out.insert(out.end(), states_[i].begin(), states_[i].end());
    }
    return out;
  }
  /// Goes on from sums(). Throws ValueError when they are not those of such metrics.
  void set_sums(const std::vector<double>& sums) {
    Tally out(*metrics_);
    std::size_t at = out.sums_.size();
    bool fits = sums.size() >= at;
    for (std::size_t i = 0; fits && i < out.sums_.size(); ++i) {
      if (i < 2 || (*metrics_)[i - 2].sum) {
        out.sums_[i] = sums[i];
        continue;
      }
      fits = sums[i] >= 0.0 && sums[i] <= static_cast<double>(sums.size() - at);
      if (!fits) break;
      const auto begin = sums.begin() + static_cast<std::ptrdiff_t>(at);
      out.states_[i - 2].assign(begin, begin + static_cast<std::ptrdiff_t>(sums[i]));
      at += out.states_[i - 2].size();
    }
    require<ValueError>(fits && at == sums.size(), "resume",
                        "the sums of the checkpoint do not fit the metrics");
    *this = std::move(out);
  }

 private:
  const std::vector<MetricFunction>* metrics_;
  std::vector<double> sums_;                 // examples, losses, and one for each metric
  std::vector<std::vector<double>> states_;  // of metrics that are no mean
};

}  // namespace splot::train_detail
