#include "splot/recipe/published.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

#include "splot/core/error.h"

namespace splot {
namespace {

constexpr std::string_view kStatistics[] = {"mean", "median", "min", "max", "sd", "stuck"};

std::string_view next_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace

std::string Bound::to_string() const { return join(statistic, at_least ? " >= " : " <= ", limit); }

Bound Bound::parse(std::string_view text) {
  std::string_view rest = text;
  const std::string_view statistic = next_word(rest);
  const std::string_view sign = next_word(rest);
  const std::string_view number = next_word(rest);
  Bound out{std::string(statistic), sign == ">=", 0.0};
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), out.limit);
  const bool known =
      std::find(std::begin(kStatistics), std::end(kStatistics), statistic) != std::end(kStatistics);
  require<ValueError>(known && (sign == ">=" || sign == "<=") && error == std::errc() &&
                          end == number.data() + number.size() && std::isfinite(out.limit) &&
                          next_word(rest).empty(),
                      "bound", '"', text,
                      "\" should be mean, median, min, max, sd or stuck, then >= or <=, then a number, as in "
                      "\"mean >= 96.0\"");
  return out;
}

bool in_per_cent(const PublishedRecipe& published) {
  constexpr std::string_view kAccuracy = "accuracy";
  const std::string_view metric = published.metric;
  return published.norms.empty() && metric.size() >= kAccuracy.size() &&
         metric.substr(metric.size() - kAccuracy.size()) == kAccuracy;
}

Spread spread_of(std::span<const double> values) {
  if (values.empty()) {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    return {kNone, kNone, kNone, kNone, kNone};
  }
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const std::size_t n = sorted.size();
  Spread out;
  out.mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / static_cast<double>(n);
  out.median = 0.5 * (sorted[(n - 1) / 2] + sorted[n / 2]);
  out.min = sorted.front();
  out.max = sorted.back();
  double squares = 0.0;
  for (const double value : sorted) squares += (value - out.mean) * (value - out.mean);
  out.sd = n > 1 ? std::sqrt(squares / static_cast<double>(n - 1)) : 0.0;
  return out;
}

}  // namespace splot
