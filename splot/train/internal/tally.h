// Sums of loss and metrics over examples, and their means.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "splot/train/metrics.h"
#include "splot/train/progress.h"

namespace splot::train_detail {

class Tally {
 public:
  /// The metrics must outlive it.
  explicit Tally(const std::vector<MetricFunction>& metrics)
      : metrics_(&metrics), sums_(metrics.size() + 2, 0.0) {}

  void add(double loss, const Tensor& output, const Tensor& target) {
    const auto n = static_cast<double>(output.shape()[0]);
    sums_[0] += n;
    sums_[1] += loss * n;
    for (std::size_t i = 0; i < metrics_->size(); ++i) sums_[i + 2] += (*metrics_)[i].sum(output, target);
  }

  std::vector<Metric> means() const {
    std::vector<Metric> out{{"loss", sums_[1] / sums_[0]}};
    for (std::size_t i = 0; i < metrics_->size(); ++i) {
      out.push_back({(*metrics_)[i].name, sums_[i + 2] / sums_[0]});
    }
    return out;
  }

  /// Examples, then the sums: what a checkpoint keeps of an epoch that is not over.
  const std::vector<double>& sums() const { return sums_; }
  void set_sums(std::vector<double> sums) { sums_ = std::move(sums); }

 private:
  const std::vector<MetricFunction>* metrics_;
  std::vector<double> sums_;
};

}  // namespace splot::train_detail
