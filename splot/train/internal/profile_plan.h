// What a plan has taken, into a profile.
#pragma once

#include <string>

#include "splot/compiler/plan.h"
#include "splot/train/profile.h"

namespace splot::train_detail {

/// With the plan's times so far; TrainingProfile::state has to be known. Measures what the machine can do.
void add_plan(TrainingProfile& profile, const Plan& plan, std::string why);

}  // namespace splot::train_detail
