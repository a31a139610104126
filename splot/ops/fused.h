// Calls that run together, for those above that plan them: elementwise ones, and behind them at most one
// reduction of what they make.
#pragma once

#include "splot/backend/cpu/fused.h"

namespace splot {

using cpu::FusedCall;
using cpu::kFusedBuffers;
using cpu::kFusedSteps;

/// Whether a call of the op on x can run together with the elementwise call that makes x: a sum or mean of
/// floats that goes over x in runs. Only shape, strides and dtype of x count.
SPLOT_API bool reduces_what_is_made(const OpDef& op, const Attrs& attrs, const Tensor& x);

/// Makes all calls block by block, as cpu::run_fused(). The last may be a reduction: then what it reads,
/// which is made by the call `made_by` says, is kept nowhere.
SPLOT_API void run_together(std::span<const FusedCall> calls);

}  // namespace splot
