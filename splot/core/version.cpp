#include "splot/core/version.h"

namespace splot {

const char* version() { return SPLOT_VERSION; }

}  // namespace splot
