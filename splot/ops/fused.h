// Elementwise calls that run together, for those above that plan them.
#pragma once

#include "splot/backend/cpu/fused.h"

namespace splot {

using cpu::FusedCall;
using cpu::kFusedBuffers;
using cpu::kFusedSteps;
using cpu::run_fused;

}  // namespace splot
