// Schedules: how the learning rate changes while a network learns.
#pragma once

#include <functional>

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot {

/// What the learning rate is multiplied by at a step, counted from 0: a pure function of it, so that a run
/// can be continued anywhere.
using Schedule = std::function<double(Index step)>;

namespace schedule {

SPLOT_API Schedule constant();
/// Multiplied by `factor` after every `every` steps. Throws ValueError unless both are positive.
SPLOT_API Schedule step(Index every, double factor);
/// Falls from 1 to `final` over `steps` steps along half a period of a cosine, and stays there: Loshchilov
/// and Hutter 2017, without restarts. Throws ValueError unless steps is positive.
SPLOT_API Schedule cosine(Index steps, double final = 0.0);
/// Rises linearly to 1 over `steps` steps, the first of which is 1 / steps; then `after`, which counts from 0
/// again. Throws ValueError when steps is negative.
SPLOT_API Schedule warmup(Index steps, Schedule after);

}  // namespace schedule
}  // namespace splot
