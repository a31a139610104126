#include "splot/train/regression.h"

#include <cmath>
#include <limits>

#include "splot/core/error.h"

namespace splot {

void RegressionTally::add(const Tensor& output, const Tensor& target) {
  require(output.defined() && target.defined() && output.shape() == target.shape() && output.rank() >= 1,
          "RegressionTally", "output", output, " and target", target, " need the same shape [n, ...]");
  const Index n = output.shape()[0];
  if (n == 0) return;
  const auto width = static_cast<std::size_t>(output.numel() / n);
  if (examples_ == 0) columns_.resize(width);
  require(columns_.size() == width, "RegressionTally", "output", output, " has ", width,
          " numbers for each example, those before had ", columns_.size());
  const std::vector<double> is = output.to_vector<double>();
  const std::vector<double> wanted = target.to_vector<double>();
  for (std::size_t i = 0; i < is.size(); i += width) {
    ++examples_;
    for (std::size_t j = 0; j < width; ++j) {
      Column& column = columns_[j];
      const double error = is[i + j] - wanted[i + j];
      column.absolute += std::abs(error);
      column.squares += error * error;
      // B. P. Welford, "Note on a method for calculating corrected sums of squares and products", 1962: the
      // sum of squares minus the square of the sum would lose everything for targets far from zero.
      const double from_mean = wanted[i + j] - column.mean;
      column.mean += from_mean / static_cast<double>(examples_);
      column.spread += from_mean * (wanted[i + j] - column.mean);
    }
  }
}

RegressionScores RegressionTally::scores() const {
  RegressionScores out;
  out.examples = examples_;
  out.r2 = std::numeric_limits<double>::quiet_NaN();
  if (examples_ == 0 || columns_.empty()) return out;
  double r2 = 0.0;
  for (const Column& column : columns_) {
    out.mae += column.absolute;
    out.mse += column.squares;
    const bool constant = column.spread == 0.0;
    const double missed = constant ? (column.squares == 0.0 ? 0.0 : 1.0) : column.squares / column.spread;
    r2 += 1.0 - missed;
  }
  const auto width = static_cast<double>(columns_.size());
  const double numbers = static_cast<double>(examples_) * width;
  out.mae /= numbers;
  out.mse /= numbers;
  out.rmse = std::sqrt(out.mse);
  if (examples_ >= 2) out.r2 = r2 / width;
  return out;
}

std::vector<double> RegressionTally::state() const {
  std::vector<double> out{static_cast<double>(examples_)};
  for (const Column& c : columns_) out.insert(out.end(), {c.absolute, c.squares, c.mean, c.spread});
  return out;
}

RegressionTally RegressionTally::from_state(std::span<const double> state) {
  RegressionTally out;
  if (state.empty()) return out;
  const bool whole = state[0] >= 0.0 && state[0] < 0x1p53 && state[0] == std::floor(state[0]);
  require<ValueError>(whole && (state.size() - 1) % 4 == 0, "RegressionTally", "these ", state.size(),
                      " numbers are not the state of a tally");
  out.examples_ = static_cast<Index>(state[0]);
  for (std::size_t i = 1; i < state.size(); i += 4) {
    out.columns_.push_back({state[i], state[i + 1], state[i + 2], state[i + 3]});
  }
  return out;
}

}  // namespace splot
