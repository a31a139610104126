// compare_steps(): a recipe's training step as a plan beside the same step made call by call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "splot/core/export.h"
#include "splot/core/index.h"
#include "splot/recipe/recipe.h"

namespace splot {

struct StepComparisonOptions {
  /// States along an eager run; 0: 100, and 10 of networks that take more than 2 million multiplications for
  /// an example.
  Index states = 0;
  Index batch = 16;  ///< at most; of the recipe's own data
  std::uint64_t seed = 1;
  /// Asked after every state; true ends it there.
  std::function<bool()> stop = {};
};

/// What compare_steps() found. Differences are the largest over all states.
struct SPLOT_API StepComparison {
  Index states = 0;
  Index equal = 0;          ///< states after which loss and every tensor had the same bits both ways
  double loss = 0.0;        ///< of the loss, by its size
  double tensors = 0.0;     ///< of an updated tensor, by its largest entry
  std::string tensor = {};  ///< the name of that tensor
  /// The most bytes of tensors that the last state's step had at once, beyond the batch and the state: call
  /// by call with the gradients that it leaves, and as a plan.
  std::size_t eager_bytes = 0;
  std::size_t plan_bytes = 0;
  std::string no_plan = {};  ///< why the step cannot be a plan; then nothing was compared

  static constexpr double kLossBound = 1e-6;
  static constexpr double kTensorBound = 1e-5;
  bool is_within_bounds() const { return loss <= kLossBound && tensors <= kTensorBound; }
};

/// Takes the recipe's first steps call by call on real batches, and each of them also as a plan, from the
/// same state: weights, running statistics, moments and rates. Throws what reading the data throws, and
/// ValueError for options outside their range.
///
///   StepComparison found = compare_steps(load_recipe("mine.toml"));
///   found.equal == found.states;   // the same bits
SPLOT_API StepComparison compare_steps(const Recipe& recipe, const StepComparisonOptions& options = {});

}  // namespace splot
