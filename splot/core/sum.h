// Sums over many elements in float64, as norms and scalar products need them.
#pragma once

#include <array>

#include "splot/core/index.h"

namespace splot {

/// term(0) + ... + term(n - 1) in float64, in an order that depends on n alone: eight running sums, which
/// need not wait for each other's additions, then what is left over, then the eight from the first to the
/// last. Not for the inside of a network, where cpu::reduce() is faster.
///
///   const double squares = sum_of(n, [&](Index i) { return double{x[i]} * double{x[i]}; });
template <typename Term>
double sum_of(Index n, const Term& term) {
  constexpr Index kLanes = 8;
  std::array<double, kLanes> lanes{};
  Index i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (Index lane = 0; lane < kLanes; ++lane) lanes[static_cast<std::size_t>(lane)] += term(i + lane);
  }
  double total = 0.0;
  for (; i < n; ++i) total += term(i);
  for (const double lane : lanes) total += lane;
  return total;
}

}  // namespace splot
