// From values to places along an axis, and where its ticks stand.
#pragma once

#include <string>
#include <vector>

#include "splot/report/plot.h"

namespace splot::report_detail {

struct Tick {
  double value;
  std::string text;
  int exponent = 0;
  bool power = false;  // drawn as 10 to the power of the exponent, instead of the text
};

class AxisScale {
 public:
  // `values` are all that is to be seen; those that are not finite, or cannot be on a log axis, do not count.
  AxisScale(const Axis& axis, const std::vector<double>& values, int ticks);

  // 0 at the low end, 1 at the high end; NaN for a value that has no place.
  double at(double value) const;
  bool shows(double value) const;
  const std::vector<Tick>& ticks() const { return ticks_; }
  bool empty() const { return empty_; }
  double low() const { return low_; }
  double high() const { return high_; }

 private:
  void linear(const Axis& axis, int ticks);
  void logarithmic(const Axis& axis);

  bool log_;
  bool empty_ = true;
  double low_ = 0.0;
  double high_ = 1.0;
  std::vector<Tick> ticks_;
};

// A number as it stands beside the plot: with the axis's unit where there is one.
std::string value_text(const Axis& axis, double value);
// "loss [nats]"
std::string axis_title(const Axis& axis);
// How wide a text is at most, in units, in the largest size that style sheets give it (15).
double text_width(std::string_view text);

}  // namespace splot::report_detail
