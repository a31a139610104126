#include "splot/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "splot/core/error.h"

namespace splot::schedule {

Schedule constant() {
  return [](Index) { return 1.0; };
}

Schedule step(Index every, double factor) {
  require<ValueError>(every > 0, "schedule::step", "every must be positive, got ", every);
  require<ValueError>(factor > 0.0, "schedule::step", "factor must be positive, got ", factor);
  return [=](Index at) { return std::pow(factor, static_cast<double>(at / every)); };
}

Schedule cosine(Index steps, double final) {
  require<ValueError>(steps > 0, "schedule::cosine", "steps must be positive, got ", steps);
  return [=](Index at) {
    const double share = static_cast<double>(std::min(at, steps)) / static_cast<double>(steps);
    return final + (1.0 - final) * 0.5 * (1.0 + std::cos(std::numbers::pi * share));
  };
}

Schedule warmup(Index steps, Schedule after) {
  require<ValueError>(steps >= 0, "schedule::warmup", "steps must not be negative, got ", steps);
  return [=](Index at) {
    return at < steps ? static_cast<double>(at + 1) / static_cast<double>(steps) : after(at - steps);
  };
}

}  // namespace splot::schedule
