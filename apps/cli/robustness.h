// splot eval --robustness: accuracy against shift, scale and rotation.
#pragma once

#include <string>
#include <vector>

#include "splot/core/index.h"

namespace splot::cli {

struct RobustnessCommand {
  std::string data;    ///< as find_test_part() takes it
  std::string folder;  ///< where the figure goes; empty: nowhere
  Index examples = 0;  ///< the first ones alone; 0: all
  bool json = false;
};

/// Measures the models on the same pictures and shows what came out; returns the exit status.
int show_robustness(const std::vector<std::string>& models, const RobustnessCommand& command);

}  // namespace splot::cli
