// The one integer type for sizes, positions and strides.
#pragma once

#include <cstdint>

namespace splot {

/// Signed, so that differences and "-1 means the last axis" need no casts.
using Index = std::int64_t;

}  // namespace splot
