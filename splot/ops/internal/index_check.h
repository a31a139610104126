// What ops with index inputs share.
#pragma once

#include "splot/core/op.h"

namespace splot {

/// For a rule: raises DTypeError unless input i holds int64 or int32.
void require_index(const RuleArgs& r, std::size_t i);

/// For a kernel: the indices as dense int64; raises IndexError naming `op` when one is outside 0 .. size - 1.
Tensor checked_indices(const Tensor& index, Index size, std::string_view op);

}  // namespace splot
