// Cutting a data set into parts, by chance but always alike.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot {

struct SplitOptions {
  double validation = 0.0;  ///< the share of examples in the validation part
  double test = 0.2;        ///< and in the test part
  std::uint64_t seed = 1;
  /// Each class is split on its own, so that all parts have the classes in the same shares. Otherwise all
  /// examples are shuffled and cut, and a rare class may be missing in a part.
  bool stratified = true;
};

/// Which examples go where.
struct SplitIndices {
  std::vector<Index> train;
  std::vector<Index> validation;
  std::vector<Index> test;
};

/// Each example goes into one part; the order within the parts is random too. Depends on labels and options
/// alone. A part gets its share of the examples, or of each class, rounded; of a class of at least two
/// examples one is left for training. Throws ValueError for shares that are negative or come to 1 or more.
///
///   SplitIndices parts = split_indices(folder.labels(), {.test = 0.2, .seed = 1});
SPLOT_API SplitIndices split_indices(std::span<const Index> labels, const SplitOptions& options = {});

}  // namespace splot
