// A traced training step, made ready to be written as C: as lowered.h, with weights and state that change
// where they are, and each update made where the gradient is, so that no gradient of a weight is kept.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "splot/compiler/c/internal/lowered.h"

namespace splot::compiler {

struct CLoweredStep {
  CLowered lowered;  ///< input: argument 0; output: the loss
  ValueId targets = 0;
  /// Class numbers run from 0 to this, without it; none: targets are no class numbers.
  std::optional<Index> classes = {};
  std::vector<bool> backward;      ///< of each step: it comes after the loss
  std::set<std::string> changing;  ///< names of the slots that the step writes
  double learning_rate = 0.0;
};

/// Of a step of two arguments, inputs and targets, whose only result is the loss. Throws ValueError, naming
/// op and layer, for what is not written as C: running statistics, optimisers other than those with an update
/// op, learning rates that differ between groups.
CLoweredStep lower_step_for_c(const Graph& traced);

}  // namespace splot::compiler
