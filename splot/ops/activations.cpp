// Activations. Their gradients, one pass each, are in activation_grads.cpp.
#include "splot/ops/internal/activations.h"

#include "splot/backend/cpu/elementwise.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

struct BinaryStep {
  SPLOT_FORMULA((V x), { return select(x >= V(0), V(1), V(0)); })
};
struct Sigmoid {
  // Where exp overflows, 1 / infinity is the 0 that is due.
  SPLOT_FORMULA((V x), { return V(1) / (V(1) + exp(-x)); })
};
struct Tanh {
  SPLOT_FORMULA((V x), { return tanh(x); })
};
struct Relu {
  // Not max(x, 0), whose result for NaN differs between instruction sets: NaN must stay NaN.
  SPLOT_FORMULA((V x), { return select(x <= V(0), V(0), x); })
};
struct LeakyRelu {
  double slope;
  explicit LeakyRelu(const Attrs& attrs) : slope(attrs.number("slope")) {}
  SPLOT_FORMULA((V x), { return select(x > V(0), x, V(slope) * x); })
};
struct Prelu {
  SPLOT_FORMULA((V x, V slope), { return select(x > V(0), x, slope * x); })
};
struct Elu {
  double alpha;
  explicit Elu(const Attrs& attrs) : alpha(attrs.number("alpha")) {}
  SPLOT_FORMULA((V x), { return select(x > V(0), x, V(alpha) * expm1(x)); })
};
struct Softplus {
  // Same function as log(1 + exp(x)), arranged so that exp cannot overflow.
  SPLOT_FORMULA((V x), { return select(x > V(0), x, V(0)) + log1p(exp(-abs(x))); })
};
struct Silu {
  SPLOT_FORMULA((V x), { return x / (V(1) + exp(-x)); })
};
struct GeluFormula {
  bool tanh_form;
  explicit GeluFormula(const Attrs& attrs) : tanh_form(attrs.flag("tanh")) {}
  SPLOT_FORMULA((V x), {
    if (tanh_form) return V(0.5) * x * (V(1) + tanh(V(kGeluInner) * (x + V(kGeluCubic) * x * x * x)));
    return V(0.5) * x * (V(1) + erf(x * V(kSqrtHalf)));
  })
};

TensorList sigmoid_vjp(const VjpArgs& v) { return {sigmoid_grad(v.dy(), v.output())}; }
TensorList tanh_vjp(const VjpArgs& v) { return {tanh_grad(v.dy(), v.output())}; }
TensorList relu_vjp(const VjpArgs& v) { return {relu_grad(v.dy(), v.output())}; }
TensorList leaky_relu_vjp(const VjpArgs& v) {
  return {leaky_relu_grad(v.dy(), v.input(0), v.attrs().number("slope"))};
}
TensorList elu_vjp(const VjpArgs& v) { return {elu_grad(v.dy(), v.input(0), v.attrs().number("alpha"))}; }
TensorList softplus_vjp(const VjpArgs& v) { return {softplus_grad(v.dy(), v.input(0))}; }
TensorList silu_vjp(const VjpArgs& v) { return {silu_grad(v.dy(), v.input(0))}; }
TensorList gelu_vjp(const VjpArgs& v) { return {gelu_grad(v.dy(), v.input(0), gelu_form(v.attrs()))}; }

// y = x where x > 0, else s x: dx = dy or s dy, ds = 0 or x dy
TensorList prelu_vjp(const VjpArgs& v) {
  const Tensor& x = v.input(0);
  const Tensor& slope = v.input(1);
  const Tensor positive = x > 0.0;
  return {v.needs(0) ? unbroadcast(v, 0, where(positive, v.dy(), v.dy() * slope)) : Tensor(),
          v.needs(1) ? unbroadcast(v, 1, where(positive, 0.0, v.dy() * x)) : Tensor()};
}

// The same functions written with other ops.
using Inputs = std::span<const Tensor>;
TensorList sigmoid_composed(Inputs in, const Attrs&) { return {1.0 / (1.0 + exp(-in[0]))}; }
TensorList leaky_relu_composed(Inputs in, const Attrs& attrs) {
  return {where(in[0] > 0.0, in[0], attrs.number("slope") * in[0])};
}
TensorList prelu_composed(Inputs in, const Attrs&) { return {where(in[0] > 0.0, in[0], in[1] * in[0])}; }
TensorList elu_composed(Inputs in, const Attrs& attrs) {
  return {where(in[0] > 0.0, in[0], attrs.number("alpha") * expm1(in[0]))};
}
TensorList softplus_composed(Inputs in, const Attrs&) { return {relu(in[0]) + log1p(exp(-abs(in[0])))}; }
TensorList silu_composed(Inputs in, const Attrs&) { return {in[0] / (1.0 + exp(-in[0]))}; }
TensorList gelu_composed(Inputs in, const Attrs& attrs) {
  const Tensor& x = in[0];
  const Tensor inner =
      attrs.flag("tanh") ? tanh(kGeluInner * (x + kGeluCubic * x * x * x)) : erf(x * kSqrtHalf);
  return {0.5 * x * (1.0 + inner)};
}

}  // namespace

extern constinit const OpDef binary_step_op = {
    .name = "binary_step",
    .rule = same_as_input,
    .elementwise = elementwise<BinaryStep>(),
    .vjp = zero_vjp,
};

extern constinit const OpDef sigmoid_op = {
    .name = "sigmoid",
    .rule = same_as_input,
    .elementwise = elementwise<Sigmoid>(),
    .vjp = sigmoid_vjp,
    .keeps = {.outputs = keep(0)},
    .composed = sigmoid_composed,
    .onnx = "Sigmoid",
};

extern constinit const OpDef tanh_op = {
    .name = "tanh",
    .rule = same_as_input,
    .elementwise = elementwise<Tanh>(),
    .vjp = tanh_vjp,
    .keeps = {.outputs = keep(0)},
    .onnx = "Tanh",
};

extern constinit const OpDef relu_op = {
    .name = "relu",
    .rule = same_as_input,
    .elementwise = elementwise<Relu>(),
    .vjp = relu_vjp,
    .keeps = {.outputs = keep(0)},
    .onnx = "Relu",
};

extern constinit const OpDef leaky_relu_op = {
    .name = "leaky_relu",
    .attrs = {{"slope", AttrKind::number}},
    .rule = same_as_input,
    .elementwise = elementwise<LeakyRelu>(),
    .vjp = leaky_relu_vjp,
    .keeps = {.inputs = keep(0)},
    .composed = leaky_relu_composed,
    .onnx = "LeakyRelu",
};

extern constinit const OpDef prelu_op = {
    .name = "prelu",
    .inputs = 2,
    .rule = broadcast_inputs,
    .elementwise = elementwise<Prelu>(),
    .vjp = prelu_vjp,
    .keeps = {.inputs = keep(0, 1)},
    .composed = prelu_composed,
    .onnx = "PRelu",
};

extern constinit const OpDef elu_op = {
    .name = "elu",
    .attrs = {{"alpha", AttrKind::number}},
    .rule = same_as_input,
    .elementwise = elementwise<Elu>(),
    .vjp = elu_vjp,
    .keeps = {.inputs = keep(0)},
    .composed = elu_composed,
    .onnx = "Elu",
};

extern constinit const OpDef softplus_op = {
    .name = "softplus",
    .rule = same_as_input,
    .elementwise = elementwise<Softplus>(),
    .vjp = softplus_vjp,
    .keeps = {.inputs = keep(0)},
    .composed = softplus_composed,
    .onnx = "Softplus",
};

extern constinit const OpDef silu_op = {
    .name = "silu",
    .rule = same_as_input,
    .elementwise = elementwise<Silu>(),
    .vjp = silu_vjp,
    .keeps = {.inputs = keep(0)},
    .composed = silu_composed,
};

extern constinit const OpDef gelu_op = {
    .name = "gelu",
    .attrs = {{"tanh", AttrKind::boolean}},
    .rule = same_as_input,
    .elementwise = elementwise<GeluFormula>(),
    .vjp = gelu_vjp,
    .keeps = {.inputs = keep(0)},
    .composed = gelu_composed,
    .onnx = "Gelu",
};

Tensor identity(const Tensor& x) { return as_floating(x); }
Tensor binary_step(const Tensor& x) { return apply(binary_step_op, {as_floating(x)}); }
Tensor sigmoid(const Tensor& x) { return apply(sigmoid_op, {as_floating(x)}); }
Tensor tanh(const Tensor& x) { return apply(tanh_op, {as_floating(x)}); }
Tensor arctan(const Tensor& x) { return atan(x); }
Tensor relu(const Tensor& x) { return apply(relu_op, {as_floating(x)}); }
Tensor elu(const Tensor& x, double alpha) { return apply(elu_op, {as_floating(x)}, {elu_op.attrs, {alpha}}); }
Tensor softplus(const Tensor& x) { return apply(softplus_op, {as_floating(x)}); }
Tensor silu(const Tensor& x) { return apply(silu_op, {as_floating(x)}); }

Tensor leaky_relu(const Tensor& x, double slope) {
  return apply(leaky_relu_op, {as_floating(x)}, {leaky_relu_op.attrs, {slope}});
}

Tensor prelu(const Tensor& x, const Tensor& slope) {
  const bool one_for_all = slope.numel() == 1;
  const bool one_each = x.rank() >= 2 && slope.rank() == 1 && slope.numel() == x.shape()[1];
  require(one_for_all || one_each, "prelu", "the slope", slope,
          " must have one element, or one for each channel of x", x, ", which is axis 1");
  // One slope for each channel, stretched over the axes behind it.
  Ints sizes(one_for_all ? 0 : x.rank() - 1, 1);
  if (!one_for_all) sizes[0] = slope.numel();
  const Pair p = promoted_floating(x, reshape(slope, sizes));
  return apply(prelu_op, {p.a, p.b});
}

Tensor softsign(const Tensor& x) {
  const Tensor floating = as_floating(x);
  return floating / (1.0 + abs(floating));
}

Tensor gelu(const Tensor& x, Gelu form) {
  return apply(gelu_op, {as_floating(x)}, {gelu_op.attrs, {form == Gelu::tanh}});
}

}  // namespace splot
