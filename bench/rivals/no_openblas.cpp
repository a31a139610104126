#include "bench/rivals/rivals.h"

namespace splot::bench {

const Rival* openblas() { return nullptr; }

}  // namespace splot::bench
