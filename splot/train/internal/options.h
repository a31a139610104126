// Whether what a caller asks for can be done.
#pragma once

#include "splot/train/trainer.h"

namespace splot::train_detail {

/// Throws ValueError, in the name of `who`, for a metric that cannot be calculated.
void check_metric(const MetricFunction& metric, const char* who);

/// Throws ValueError for options outside their range. `needs_closure`: the optimiser looks at the loss
/// itself.
void check_options(const TrainerOptions& options, bool needs_closure);

}  // namespace splot::train_detail
