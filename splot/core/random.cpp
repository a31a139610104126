#include "splot/core/random.h"

#include <cmath>
#include <numbers>

namespace splot {

std::uint32_t RandomStream::bits() {
  if (used_ == 4) {
    numbers_ = random_block(key_, block_++);
    used_ = 0;
  }
  return numbers_[static_cast<std::size_t>(used_++)];
}

double RandomStream::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::uint64_t RandomStream::below(std::uint64_t bound) {
  // Numbers under the remainder of 2^64 / bound are drawn again: the rest is a whole number of rounds.
  const std::uint64_t uneven = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t number = bits64();
    if (number >= uneven) return number % bound;
  }
}

}  // namespace splot
