// Schedules: how the learning rate changes while a network learns.
#pragma once

#include <functional>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot {

/// What the learning rate is multiplied by at a step, counted from 0: a pure function of it, so that a run
/// can be continued anywhere. The optimiser's own rate is the one at factor 1; PyTorch's schedulers, which
/// set rates, give the same ones.
using Schedule = std::function<double(Index step)>;

namespace schedule {

// All throw ValueError for arguments outside what is said.

SPLOT_API Schedule constant();
/// Multiplied by `factor` after every `every` steps; both positive. PyTorch's StepLR.
SPLOT_API Schedule step(Index every, double factor);
/// Multiplied by `factor`, positive, after every step. PyTorch's ExponentialLR.
SPLOT_API Schedule exponential(double factor);
/// Falls from 1 to `final` over `steps` steps along half a period of a cosine, and stays there: Loshchilov
/// and Hutter 2017, without restarts. `steps` is positive. PyTorch's CosineAnnealingLR.
SPLOT_API Schedule cosine(Index steps, double final = 0.0);
/// From `start` to `final` on a line over `steps` steps, and stays there; `steps` is positive, both factors
/// are 0 or more. PyTorch's LinearLR.
SPLOT_API Schedule linear(Index steps, double start, double final = 1.0);
/// Rises linearly to 1 over `steps` steps, the first of which is 1 / steps; then `after`, which counts from 0
/// again. `steps` is 0 or more.
SPLOT_API Schedule warmup(Index steps, Schedule after);

enum class CyclicMode {
  triangular,   ///< all peaks are 1
  triangular2,  ///< each peak is half as high above `low` as the one before
  exp_range,    ///< the height above `low` is multiplied by gamma after every step
};
struct CyclicOptions {
  double low = 0.1;  ///< where cycles begin and end, 0 or more
  Index up = 2000;   ///< steps from low to the peak, positive
  Index down = 0;    ///< and back; 0: as many
  CyclicMode mode = CyclicMode::triangular;
  double gamma = 1.0;  ///< exp_range: positive
};
/// Up and down between `low` and 1 on lines: Smith 2017, "Cyclical learning rates". PyTorch's CyclicLR.
SPLOT_API Schedule cyclic(const CyclicOptions& options);

struct OneCycleOptions {
  Index steps = 0;             ///< of the whole training, positive
  double rise = 0.3;           ///< the share of them in which the rate rises, in (0, 1)
  double start = 1.0 / 25.0;   ///< the first factor, 0 or more
  double final = 1.0 / 250e3;  ///< the last factor, 0 or more
  bool linear = false;         ///< lines instead of halves of cosines
};
/// Up to 1 once, and down to almost nothing: Smith and Topin 2019, "Super-convergence". After its steps it
/// stays at `final`. PyTorch's OneCycleLR with two phases.
SPLOT_API Schedule one_cycle(const OneCycleOptions& options);

/// A schedule and how many steps it is in force.
struct Part {
  Index steps = 0;
  Schedule schedule;
};
/// One after the other, each counting from 0; the last one goes on for ever. There is at least one part, and
/// none lasts less than 0 steps. PyTorch's SequentialLR.
///
///   schedule::sequence({{500, schedule::linear(500, 0.1)}, {2000, schedule::constant()}, {0,
///   schedule::cosine(1000)}})
SPLOT_API Schedule sequence(std::vector<Part> parts);

}  // namespace schedule
}  // namespace splot
