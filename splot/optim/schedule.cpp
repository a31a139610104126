#include "splot/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "splot/core/error.h"

namespace splot::schedule {
namespace {

double ratio(Index a, Index b) { return static_cast<double>(a) / static_cast<double>(b); }

double between(double from, double to, double share) { return from + (to - from) * share; }
// Along half a period of a cosine.
double gently_between(double from, double to, double share) {
  return to + (from - to) * 0.5 * (1.0 + std::cos(std::numbers::pi * share));
}

void require_not_negative(const char* schedule, const char* name, double factor) {
  require<ValueError>(factor >= 0.0 && std::isfinite(factor), schedule, name, " must be 0 or more, got ",
                      factor);
}

}  // namespace

Schedule constant() {
  return [](Index) { return 1.0; };
}

Schedule step(Index every, double factor) {
  require<ValueError>(every > 0, "schedule::step", "every must be positive, got ", every);
  require<ValueError>(factor > 0.0, "schedule::step", "factor must be positive, got ", factor);
  return [=](Index at) { return std::pow(factor, static_cast<double>(at / every)); };
}

Schedule exponential(double factor) {
  require<ValueError>(factor > 0.0, "schedule::exponential", "factor must be positive, got ", factor);
  return [=](Index at) { return std::pow(factor, static_cast<double>(at)); };
}

Schedule cosine(Index steps, double final) {
  require<ValueError>(steps > 0, "schedule::cosine", "steps must be positive, got ", steps);
  return [=](Index at) { return gently_between(1.0, final, ratio(std::min(at, steps), steps)); };
}

Schedule linear(Index steps, double start, double final) {
  require<ValueError>(steps > 0, "schedule::linear", "steps must be positive, got ", steps);
  require_not_negative("schedule::linear", "start", start);
  require_not_negative("schedule::linear", "final", final);
  return [=](Index at) { return between(start, final, ratio(std::min(at, steps), steps)); };
}

Schedule warmup(Index steps, Schedule after) {
  require<ValueError>(steps >= 0, "schedule::warmup", "steps must not be negative, got ", steps);
  return [=](Index at) { return at < steps ? ratio(at + 1, steps) : after(at - steps); };
}

Schedule cyclic(const CyclicOptions& o) {
  const Index down = o.down == 0 ? o.up : o.down;
  require<ValueError>(o.up > 0 && down > 0, "schedule::cyclic", "up and down must be positive, got ", o.up,
                      " and ", o.down);
  require_not_negative("schedule::cyclic", "low", o.low);
  require<ValueError>(o.gamma > 0.0, "schedule::cyclic", "gamma must be positive, got ", o.gamma);
  return [=](Index at) {
    const Index cycle = at / (o.up + down);
    const Index place = at % (o.up + down);
    double height = place <= o.up ? ratio(place, o.up) : ratio(o.up + down - place, down);
    if (o.mode == CyclicMode::triangular2) height *= std::pow(0.5, static_cast<double>(cycle));
    if (o.mode == CyclicMode::exp_range) height *= std::pow(o.gamma, static_cast<double>(at));
    return between(o.low, 1.0, height);
  };
}

Schedule one_cycle(const OneCycleOptions& o) {
  require<ValueError>(o.steps > 0, "schedule::one_cycle", "steps must be positive, got ", o.steps);
  require<ValueError>(o.rise > 0.0 && o.rise < 1.0, "schedule::one_cycle", "rise must be in (0, 1), got ",
                      o.rise);
  require_not_negative("schedule::one_cycle", "start", o.start);
  require_not_negative("schedule::one_cycle", "final", o.final);
  // As in PyTorch, the peak need not fall on a step.
  const double peak = o.rise * static_cast<double>(o.steps) - 1.0;
  const auto last = static_cast<double>(o.steps - 1);
  const auto move = o.linear ? between : gently_between;
  return [=](Index step) {
    const auto at = static_cast<double>(std::min(step, o.steps - 1));
    if (at <= peak && peak > 0.0) return move(o.start, 1.0, at / peak);
    return last > peak ? move(1.0, o.final, (at - peak) / (last - peak)) : o.final;
  };
}

Schedule sequence(std::vector<Part> parts) {
  require<ValueError>(!parts.empty(), "schedule::sequence", "needs at least one part");
  for (const Part& part : parts) {
    require<ValueError>(part.steps >= 0 && part.schedule, "schedule::sequence",
                        "every part needs a schedule and 0 steps or more, got ", part.steps, " steps",
                        part.schedule ? "" : " and no schedule");
  }
  return [parts = std::move(parts)](Index at) {
    std::size_t i = 0;
    for (; i + 1 < parts.size() && at >= parts[i].steps; ++i) at -= parts[i].steps;
    return parts[i].schedule(at);
  };
}

}  // namespace splot::schedule
