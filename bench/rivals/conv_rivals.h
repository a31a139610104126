// A rival's convolution, to be timed beside ours.
#pragma once

#include <functional>
#include <string>

#include "splot/backend/cpu/conv.h"

namespace splot::bench {

enum class ConvPart { forward, input_gradient, weight_gradient };

/// oneDNN's convolution of that shape on numbers of its own, or nothing where oneDNN is not there. `plain`:
/// images as PyTorch passes them, NCHW; otherwise in the order that oneDNN likes best, the rearranging not
/// counted.
std::function<void()> dnnl_conv(const cpu::ConvShape& shape, ConvPart part, bool plain);

}  // namespace splot::bench
