// Pictures as text, for terminals.
#pragma once

#include <string>

#include "splot/core/tensor.h"

namespace splot::cli {

/// [height, width] uint8 pixels, ink 255 on 0, as lines of text: two rows of pixels to a line, darker
/// characters for more ink, four spaces in front. Lines without ink are kept out when `trim` is set.
std::string drawing(const Tensor& pixels, bool trim);

}  // namespace splot::cli
