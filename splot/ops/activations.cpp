// Activations with records of their own; each gradient that training uses is one pass.
#include "splot/backend/cpu/elementwise.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

struct Relu {
  // Not max(x, 0), whose result for NaN differs between instruction sets: NaN must stay NaN.
  SPLOT_FORMULA((V x), { return select(x <= V(0), V(0), x); })
};
struct ReluGrad {
  // A NaN in y lets dy through, as in PyTorch.
  SPLOT_FORMULA((V dy, V y), { return select(y <= V(0), V(0), dy); })
};

// y = relu(x): dx = dy where y > 0
TensorList relu_vjp(const VjpArgs& v) { return {relu_grad(v.dy(), v.output())}; }

// g = dy [y > 0]: linear in dy, constant in y
TensorList relu_grad_vjp(const VjpArgs& v) {
  return {v.needs(0) ? relu_grad(v.dy(), v.input(1)) : Tensor(),
          v.needs(1) ? zeros(v.shape(1), v.dtype(1)) : Tensor()};
}

}  // namespace

extern constinit const OpDef relu_op = {
    .name = "relu",
    .rule = same_as_input,
    .elementwise = elementwise<Relu>(),
    .vjp = relu_vjp,
    .keeps = {.outputs = keep(0)},
    .onnx = "Relu",
};

extern constinit const OpDef relu_grad_op = {
    .name = "relu_grad",
    .inputs = 2,
    .rule = broadcast_inputs,
    .elementwise = elementwise<ReluGrad>(),
    .vjp = relu_grad_vjp,
    .keeps = {.inputs = keep(1)},
};

Tensor relu(const Tensor& x) { return apply(relu_op, {as_floating(x)}); }
Tensor relu_grad(const Tensor& dy, const Tensor& y) { return apply(relu_grad_op, {dy, y}); }

}  // namespace splot
