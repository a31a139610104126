// TrainingProfile: where the time of a training's plans goes, and what it could be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "splot/compiler/plan.h"
#include "splot/core/export.h"

namespace splot {

/// One plan of a training.
struct PlanProfile {
  std::string why;  ///< what it is for: "steps of 32 examples"
  std::uint64_t runs = 0;
  double seconds = 0.0;  ///< in its calls
  double floor = 0.0;    ///< what they take at least, see TrainingProfile
  std::size_t calls = 0;
  PlanMemory memory = {};
};

/// All calls of one op, in all plans.
struct OpProfile {
  std::string op;  ///< "relu", or of ops that are made together "add+relu"
  std::uint64_t calls = 0;
  double seconds = 0.0;
  double floor = 0.0;
};

/// A call takes at least as long as its multiplications and additions at `flops` a second on every thread,
/// and as its operands and results (cost_of()) at the speed at which as many bytes as the plan and the state
/// hold are copied: in a cache, where they fit into one.
struct TrainingProfile {
  std::vector<PlanProfile> plans;  ///< in the order in which they were made
  std::vector<OpProfile> ops;      ///< what takes longest first
  double flops = 0.0;              ///< of all threads, measured
  double bandwidth = 0.0;          ///< bytes read or written in a second, of the largest plan
  std::size_t state = 0;           ///< bytes of weights, statistics, moments and rates
};

}  // namespace splot
