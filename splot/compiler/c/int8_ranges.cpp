#include "splot/compiler/c/internal/int8_ranges.h"

#include <algorithm>
#include <cmath>

#include "splot/core/error.h"

namespace splot::compiler {
namespace {

constexpr int kLowest = -128, kHighest = 127;
constexpr std::size_t kBins = 8192;
// Ranges are cut off by 32nds, to 3/8 of what was seen.
constexpr int kCuts = 20;
constexpr double kCut = 1.0 / 32.0;
// Below it the inverse is no float.
constexpr double kSmallestScale = 1e-30;

}  // namespace

Multiplier multiplier_of(double ratio) {
  constexpr std::int32_t kMost = 2147483647;
  int exponent = 0;
  const double fraction = std::frexp(ratio, &exponent);  // 0.5 .. 1
  std::int64_t factor = std::llround(std::ldexp(fraction, 31));
  if (factor > kMost) {
    factor /= 2;
    ++exponent;
  }
  const int shift = 31 - exponent;
  if (factor == 0 || shift > 62) return {0, 1};
  if (shift < 1) return {kMost, 1};
  return {static_cast<std::int32_t>(factor), shift};
}

Quantisation quantisation_of(double low, double high) {
  low = std::min(low, 0.0);
  high = std::max(high, 0.0);
  if (low == high) return {};
  const double scale = std::max((high - low) / (kHighest - kLowest), kSmallestScale);
  const double zero = std::round(kLowest - low / scale);
  return {scale, static_cast<int>(std::clamp(zero, double{kLowest}, double{kHighest}))};
}

int nearest_step(const Quantisation& q, double x) {
  const double step = std::round(x / q.scale) + q.zero;
  return static_cast<int>(std::clamp(step, double{kLowest}, double{kHighest}));
}

int step_of_float(const Quantisation& q, float x) {
  const auto low = static_cast<float>(kLowest - q.zero), high = static_cast<float>(kHighest - q.zero);
  float v = std::rint(x * inverse_of(q));
  if (!(v >= low)) v = low;
  if (v > high) v = high;
  return static_cast<int>(v) + q.zero;
}

void SeenNumbers::widen(std::span<const float> numbers) {
  for (const float x : numbers) {
    if (!std::isfinite(x)) fail<ValueError>("export", "the network makes ", x, " of the calibration data");
    low_ = std::min(low_, static_cast<double>(x));
    high_ = std::max(high_, static_cast<double>(x));
  }
}

double SeenNumbers::bin_width() const { return (high_ - low_) / static_cast<double>(kBins); }

void SeenNumbers::count(std::span<const float> numbers) {
  bins_.resize(kBins);
  if (low_ == high_) return;
  const double inverse = 1.0 / bin_width();
  for (const float x : numbers) {
    const double place = std::clamp((x - low_) * inverse, 0.0, static_cast<double>(kBins - 1));
    bins_[static_cast<std::size_t>(place)] += 1.0;
  }
}

Quantisation SeenNumbers::best(const NumberFunction& function) const {
  if (low_ == high_) return {};
  std::vector<double> seen, times;
  for (std::size_t i = 0; i < bins_.size(); ++i) {
    if (bins_[i] == 0.0) continue;
    seen.push_back(low_ + (static_cast<double>(i) + 0.5) * bin_width());
    times.push_back(bins_[i]);
  }
  const std::vector<double> wanted = function ? function(seen) : seen;
  const auto error_of = [&](const Quantisation& q) {
    std::vector<double> made;
    for (int step = kLowest; step <= kHighest; ++step) made.push_back(real_of(q, step));
    if (function) made = function(made);
    double sum = 0.0;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      const double e = made[static_cast<std::size_t>(nearest_step(q, seen[i]) - kLowest)] - wanted[i];
      sum += times[i] * e * e;
    }
    return sum;
  };
  Quantisation best = quantisation_of(low_, high_);
  double least = error_of(best);
  for (int above = 0; above <= (high_ > 0.0 ? kCuts : 0); ++above) {
    for (int below = 0; below <= (low_ < 0.0 ? kCuts : 0); ++below) {
      const Quantisation q = quantisation_of(low_ * (1.0 - below * kCut), high_ * (1.0 - above * kCut));
      const double error = error_of(q);
      if (error < least) {
        least = error;
        best = q;
      }
    }
  }
  return best;
}

}  // namespace splot::compiler
