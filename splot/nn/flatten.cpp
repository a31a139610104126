#include "splot/nn/flatten.h"

#include "splot/ops/ops.h"

namespace splot {

Tensor Flatten::forward(const Tensor& x, Context&) {
  const Shape& shape = x.shape();
  const int first = shape.axis(options_.first, "flatten");
  const int last = shape.axis(options_.last, "flatten");
  if (first > last) fail("flatten", "axis ", first, " comes after axis ", last, " in ", shape);
  // Not -1 for the size: with no samples nothing could be worked out.
  Ints sizes;
  Index together = 1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (i < first || i > last) {
      sizes.push_back(shape[i]);
      continue;
    }
    together *= shape[i];
    if (i == last) sizes.push_back(together);
  }
  return reshape(x, sizes);
}

void Flatten::visit(Visitor& v) {
  v.argument("first", options_.first);
  v.argument("last", options_.last);
}

}  // namespace splot
