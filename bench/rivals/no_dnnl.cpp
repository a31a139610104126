#include "bench/rivals/rivals.h"

namespace splot::bench {

const Rival* dnnl() { return nullptr; }

}  // namespace splot::bench
