#include "splot/nn/linear.h"

#include "splot/ops/ops.h"

namespace splot {
namespace {

// [out, in], checked before anything is made of it.
Shape weight_shape(Index in, Index out) {
  require<ValueError>(in > 0 && out > 0, "linear", "needs positive sizes, got in = ", in, ", out = ", out);
  return {out, in};
}

}  // namespace

Linear::Linear(Index in, Index out, const LinearOptions& options)
    : in_(in),
      out_(out),
      weight_init_(options.weight_init),
      bias_init_(options.bias_init.with_fans(weight_shape(in, out))),
      weight_(weight_shape(in, out), options.dtype),
      bias_(options.bias ? Parameter({out}, options.dtype) : Parameter()) {}

Tensor Linear::forward(const Tensor& x, Context&) {
  return bias_.defined() ? linear(x, weight_, bias_) : linear(x, weight_);
}

// y[..., out] = x[..., in] W^T: each output takes `in` of them.
Index Linear::multiply_adds(const Shape& output) const { return output.numel() * in_; }

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
