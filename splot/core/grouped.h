// Large numbers for people.
#pragma once

#include <string>

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot {

/// "1,234,567". The value must not be negative.
SPLOT_API std::string grouped(Index value);

}  // namespace splot
