// Sums of products over the elements of parameters: for norms, and for the angle between gradient and step.
#pragma once

#include <array>
#include <cstddef>

#include "splot/core/index.h"

namespace splot::train_detail {

/// The sum of term(i), i = 0 .. n - 1, in float64. Eight running sums in a fixed order: one alone would wait
/// for each addition to end before the next one.
template <typename Term>
double sum_of(Index n, const Term& term) {
  std::array<double, 8> sums{};
  Index i = 0;
  for (; i + 8 <= n; i += 8) {
    for (Index j = 0; j < 8; ++j) sums[static_cast<std::size_t>(j)] += term(i + j);
  }
  for (; i < n; ++i) sums[0] += term(i);
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

}  // namespace splot::train_detail
