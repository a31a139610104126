#include "splot/nn/dropout.h"

#include "splot/ops/ops.h"

namespace splot {

Dropout::Dropout(const DropoutOptions& options) : options_(options) {
  require<ValueError>(options.p >= 0.0 && options.p <= 1.0, "dropout", "p must be from 0 to 1, got ",
                      options.p);
}

Tensor Dropout::forward(const Tensor& x, Context& context) {
  if (!context.training || options_.p == 0.0) return x;
  return dropout(x, options_.p, context.next_key());
}

void Dropout::visit(Visitor& v) { v.argument("p", options_.p); }

}  // namespace splot
