#include "splot/report/internal/scale.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "splot/report/markup.h"

namespace splot::report_detail {
namespace {

constexpr double kLargest = 1e300;

// 1, 2 or 5 times a power of ten: the smallest step that needs no more than `ticks` of them.
double nice_step(double range, int ticks) {
  const double rough = range / std::max(1, ticks);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * (1.0 - 1e-9)) return factor * power;
  }
  return 10.0 * power;
}

// All ticks of an axis with the same number of decimals.
std::string tick_text(double value, double step, double largest) {
  if (std::abs(value) < 1e-9 * step) value = 0.0;
  if (step < 1e-4 || largest >= 1e6) return figure_text(value, 6);
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  return fmt::format("{:.{}f}", value, decimals);
}

}  // namespace

AxisScale::AxisScale(const Axis& axis, const std::vector<double>& values, int ticks) : log_(axis.log) {
  low_ = std::numeric_limits<double>::infinity();
  high_ = -low_;
  for (const double value : values) {
    // Beyond kLargest the length of the axis itself would overflow.
    if (!(std::abs(value) <= kLargest) || (log_ && value <= 0.0)) continue;
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
    empty_ = false;
  }
  if (empty_) {
    low_ = log_ ? 0.1 : 0.0;
    high_ = 1.0;
  }
  if (axis.low) low_ = *axis.low;
  if (axis.high) high_ = *axis.high;
  if (log_) {
    logarithmic(axis);
  } else {
    linear(axis, ticks);
  }
}

void AxisScale::linear(const Axis& axis, int ticks) {
  const double factor = axis.percent ? 100.0 : 1.0;
  if (!(high_ > low_)) {
    // One value alone stands in the middle.
    const double around = axis.whole ? 0.5 : std::max(std::abs(low_) * 0.1, low_ == 0.0 ? 1.0 : 0.0);
    low_ -= around;
    high_ += around;
  }
  double step = nice_step((high_ - low_) * factor, ticks);
  if (axis.whole) step = std::max(1.0, step);
  if (!axis.whole && !axis.low) low_ = std::floor(low_ * factor / step + 1e-9) * step / factor;
  if (!axis.whole && !axis.high) high_ = std::ceil(high_ * factor / step - 1e-9) * step / factor;
  const double first = std::ceil(low_ * factor / step - 1e-9);
  const double last = std::floor(high_ * factor / step + 1e-9);
  const double largest = std::max(std::abs(low_), std::abs(high_)) * factor;
  for (double i = first; i <= last && i < first + 100.0; ++i) {
    ticks_.push_back({i * step / factor, tick_text(i * step, step, largest)});
  }
}

void AxisScale::logarithmic(const Axis& axis) {
  if (!(low_ > 0.0)) low_ = std::numeric_limits<double>::min();
  if (!(high_ > low_)) {
    low_ /= 2.0;
    high_ = low_ * 4.0;
  }
  const double pad = std::exp(0.03 * (std::log(high_) - std::log(low_)));
  if (!axis.low) low_ /= pad;
  if (!axis.high) high_ *= pad;
  const int first = static_cast<int>(std::floor(std::log10(low_)));
  const int last = static_cast<int>(std::ceil(std::log10(high_)));
  const int every = std::max(1, (last - first + 6) / 7);
  const bool powers = first < -3 || last > 5;
  const bool between = last - first <= 2;
  for (int exponent = first; exponent <= last; ++exponent) {
    if (every > 1 && exponent % every != 0) continue;
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double value = factor * std::pow(10.0, exponent);
      if (factor > 1.0 && !between) break;
      if (!shows(value)) continue;
      ticks_.push_back({value, figure_text(value), exponent, powers && factor == 1.0});
    }
  }
}

double AxisScale::at(double value) const {
  if (!(std::abs(value) <= kLargest) || (log_ && value <= 0.0))
    return std::numeric_limits<double>::quiet_NaN();
  if (log_) return (std::log(value) - std::log(low_)) / (std::log(high_) - std::log(low_));
  return (value - low_) / (high_ - low_);
}

bool AxisScale::shows(double value) const {
  const double place = at(value);
  return place >= -1e-9 && place <= 1.0 + 1e-9;
}

std::string value_text(const Axis& axis, double value) {
  if (axis.percent) return percent_text(value);
  const std::string number = figure_text(value, 6);
  return axis.unit.empty() ? number : number + ' ' + axis.unit;
}

std::string axis_title(const Axis& axis) {
  const std::string_view unit = axis.percent ? "%" : std::string_view(axis.unit);
  return unit.empty() ? axis.label : fmt::format("{} [{}]", axis.label, unit);
}

double text_width(std::string_view text) {
  // Letters, not bytes: the bytes after the first of a UTF-8 sequence take no room.
  const auto letters = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
  return 15.0 * 0.56 * static_cast<double>(letters);
}

}  // namespace splot::report_detail
