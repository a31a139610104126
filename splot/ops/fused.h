// What those above who plan calls need of the kernels: calls that run together - elementwise ones, and behind
// them at most one reduction of what they make - and what is fetched while they run.
#pragma once

#include "splot/backend/cpu/fetch_ahead.h"
#include "splot/backend/cpu/fused.h"

namespace splot {

using cpu::FetchAhead;
using cpu::FusedCall;
using cpu::kFusedBuffers;
using cpu::kFusedSteps;
using cpu::PreparedCalls;

/// Whether a call of the op on x can run together with the elementwise call that makes x: a sum or mean of
/// floats that goes over x in runs. Only shape, strides and dtype of x count.
SPLOT_API bool reduces_what_is_made(const OpDef& op, const Attrs& attrs, const Tensor& x);

/// Makes the calls block by block; the last is such a reduction: what it reads, which is made by the call
/// that `made_by` says, is kept nowhere. `prepared` is that of these calls alone.
SPLOT_API void run_with_reduction(PreparedCalls& prepared, std::span<const FusedCall> calls);

}  // namespace splot
