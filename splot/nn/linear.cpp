#include "splot/nn/linear.h"

#include "splot/ops/ops.h"

namespace splot {

Linear::Linear(Index in, Index out, const LinearOptions& options)
    : in_(in),
      out_(out),
      weight_init_(options.weight_init),
      bias_init_(options.bias_init.with_fans({out, in})),
      weight_({out, in}, options.dtype),
      bias_(options.bias ? Parameter({out}, options.dtype) : Parameter()) {
  require<ValueError>(in > 0 && out > 0, "linear", "needs positive sizes, got in = ", in, ", out = ", out);
}

Tensor Linear::forward(const Tensor& x, Context&) {
  return bias_.defined() ? linear(x, weight_, bias_) : linear(x, weight_);
}

void Linear::visit(Visitor& v) {
  v.argument("in", in_);
  v.argument("out", out_);
  v.argument("bias", bias_.defined());
  v.argument("weight_init", weight_init_.to_string());
  v.argument("bias_init", bias_init_.to_string());
  v.argument("dtype", weight_.dtype());
  v.parameter("weight", weight_, weight_init_);
  v.parameter("bias", bias_, bias_init_);
}

}  // namespace splot
