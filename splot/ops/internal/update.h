// What the updates by a gradient and by a product that is the gradient have in common.
#pragma once

#include <cstddef>

#include "splot/core/op.h"

namespace splot {

/// Refuses what no update takes: the inputs from `weight` up to `end` are to be alike and floating, those
/// from `end` on 0-d and floating. ShapeError, DTypeError.
void check_update(const RuleArgs& r, std::size_t weight, std::size_t end);

}  // namespace splot
