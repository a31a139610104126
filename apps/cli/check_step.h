// splot check --step: training steps as plans beside the same steps made call by call.
#pragma once

#include <string>
#include <vector>

#include "splot/core/index.h"

namespace splot::cli {

struct CheckStepOptions {
  std::vector<std::string> recipes;  ///< empty: all that are built in
  std::vector<std::string> set;
  Index states = 0;  ///< 0: as many as compare_steps() chooses
  bool json = false;
};

/// Returns the exit status: kFailed where a step differs by more than it may.
int run_check_step(const CheckStepOptions& options);

}  // namespace splot::cli
