// The gradients of the activations, one pass each: g(dy, y) or g(dy, x). All are linear in dy, so their
// derivative by dy is g itself with another dy.
#include "splot/backend/cpu/elementwise.h"
#include "splot/ops/internal/activations.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

struct ReluGrad {
  // A NaN in y lets dy through, as in PyTorch.
  SPLOT_FORMULA((V dy, V y), { return select(y <= V(0), V(0), dy); })
};
struct SigmoidGrad {
  SPLOT_FORMULA((V dy, V y), { return dy * ((V(1) - y) * y); })
};
struct TanhGrad {
  SPLOT_FORMULA((V dy, V y), { return dy * (V(1) - y * y); })
};
struct LeakyReluGrad {
  double slope;
  explicit LeakyReluGrad(const Attrs& attrs) : slope(attrs.number("slope")) {}
  SPLOT_FORMULA((V dy, V x), { return select(x > V(0), dy, V(slope) * dy); })
};
struct EluGrad {
  double alpha;
  explicit EluGrad(const Attrs& attrs) : alpha(attrs.number("alpha")) {}
  SPLOT_FORMULA((V dy, V x), { return select(x > V(0), dy, dy * (V(alpha) * exp(x))); })
};
struct SoftplusGrad {
  SPLOT_FORMULA((V dy, V x), { return dy / (V(1) + exp(-x)); })
};
struct SiluGrad {
  SPLOT_FORMULA((V dy, V x), {
    const V s = V(1) / (V(1) + exp(-x));
    return dy * (s * (V(1) + x * (V(1) - s)));
  })
};
struct GeluGrad {
  bool tanh_form;
  explicit GeluGrad(const Attrs& attrs) : tanh_form(attrs.flag("tanh")) {}
  SPLOT_FORMULA((V dy, V x), {
    if (tanh_form) {
      const V t = tanh(V(kGeluInner) * (x + V(kGeluCubic) * x * x * x));
      const V inner = V(kGeluInner) * (V(1) + V(3 * kGeluCubic) * x * x);
      return dy * (V(0.5) * (V(1) + t) + V(0.5) * x * (V(1) - t * t) * inner);
    }
    const V below = V(0.5) * (V(1) + erf(x * V(kSqrtHalf)));
    return dy * (below + x * (V(kNormalPeak) * exp(V(-0.5) * x * x)));
  })
};

// g = dy [y > 0]: constant in y
TensorList relu_grad_vjp(const VjpArgs& v) {
  return {v.needs(0) ? relu_grad(v.dy(), v.input(1)) : Tensor(),
          v.needs(1) ? zeros(v.shape(1), v.dtype(1)) : Tensor()};
}
// g = dy y (1 - y): dg/dy = dy (1 - 2y)
TensorList sigmoid_grad_vjp(const VjpArgs& v) {
  const Tensor& y = v.input(1);
  return {v.needs(0) ? sigmoid_grad(v.dy(), y) : Tensor(),
          v.needs(1) ? v.dy() * v.input(0) * (1.0 - 2.0 * y) : Tensor()};
}
// g = dy (1 - y^2): dg/dy = -2 dy y
TensorList tanh_grad_vjp(const VjpArgs& v) {
  const Tensor& y = v.input(1);
  return {v.needs(0) ? tanh_grad(v.dy(), y) : Tensor(),
          v.needs(1) ? -2.0 * v.dy() * v.input(0) * y : Tensor()};
}
TensorList leaky_relu_grad_vjp(const VjpArgs& v) {
  return {v.needs(0) ? leaky_relu_grad(v.dy(), v.input(1), v.attrs().number("slope")) : Tensor(),
          v.needs(1) ? zeros(v.shape(1), v.dtype(1)) : Tensor()};
}
// g = dy alpha exp(x) below 0: its own derivative there, 0 above
TensorList elu_grad_vjp(const VjpArgs& v) {
  const Tensor& x = v.input(1);
  const double alpha = v.attrs().number("alpha");
  return {v.needs(0) ? elu_grad(v.dy(), x, alpha) : Tensor(),
          v.needs(1) ? where(x > 0.0, 0.0, elu_grad(v.dy() * v.input(0), x, alpha)) : Tensor()};
}
// g = dy s with s = sigmoid(x): dg/dx = dy s (1 - s)
TensorList softplus_grad_vjp(const VjpArgs& v) {
  const Tensor& x = v.input(1);
  return {v.needs(0) ? softplus_grad(v.dy(), x) : Tensor(),
          v.needs(1) ? sigmoid_grad(v.dy() * v.input(0), sigmoid(x)) : Tensor()};
}
// g = dy s (1 + x (1 - s)): dg/dx = dy s (1 - s) (2 + x (1 - 2s))
TensorList silu_grad_vjp(const VjpArgs& v) {
  const Tensor& x = v.input(1);
  TensorList out(2);
  if (v.needs(0)) out[0] = silu_grad(v.dy(), x);
  if (v.needs(1)) {
    const Tensor s = sigmoid(x);
    out[1] = v.dy() * v.input(0) * s * (1.0 - s) * (2.0 + x * (1.0 - 2.0 * s));
  }
  return out;
}
// With the normal density p: d2/dx2 x P(x) = p (2 - x^2).
// With t = tanh(u(x)): d2/dx2 x (1 + t) / 2 = t' + x t'' / 2, t' = (1 - t^2) u', t'' = (1 - t^2) (u'' - 2 t
// u'^2).
TensorList gelu_grad_vjp(const VjpArgs& v) {
  const Tensor& x = v.input(1);
  const Gelu form = gelu_form(v.attrs());
  TensorList out(2);
  if (v.needs(0)) out[0] = gelu_grad(v.dy(), x, form);
  if (!v.needs(1)) return out;
  const Tensor xx = x * x;
  Tensor curvature;
  if (form == Gelu::erf) {
    curvature = kNormalPeak * exp(-0.5 * xx) * (2.0 - xx);
  } else {
    const Tensor t = tanh(kGeluInner * (x + kGeluCubic * x * xx));
    const Tensor u1 = kGeluInner * (1.0 + 3.0 * kGeluCubic * xx);
    const Tensor u2 = 6.0 * kGeluInner * kGeluCubic * x;
    curvature = (1.0 - t * t) * (u1 + 0.5 * x * (u2 - 2.0 * t * u1 * u1));
  }
  out[1] = v.dy() * v.input(0) * curvature;
  return out;
}

// The same functions written with other ops.
using Inputs = std::span<const Tensor>;
TensorList relu_grad_composed(Inputs in, const Attrs&) { return {where(in[1] <= 0.0, 0.0, in[0])}; }
TensorList sigmoid_grad_composed(Inputs in, const Attrs&) { return {in[0] * in[1] * (1.0 - in[1])}; }
TensorList tanh_grad_composed(Inputs in, const Attrs&) { return {in[0] * (1.0 - in[1] * in[1])}; }
TensorList leaky_relu_grad_composed(Inputs in, const Attrs& attrs) {
  return {where(in[1] > 0.0, in[0], attrs.number("slope") * in[0])};
}
TensorList elu_grad_composed(Inputs in, const Attrs& attrs) {
  return {where(in[1] > 0.0, in[0], in[0] * attrs.number("alpha") * exp(in[1]))};
}
TensorList softplus_grad_composed(Inputs in, const Attrs&) { return {in[0] * sigmoid(in[1])}; }
TensorList silu_grad_composed(Inputs in, const Attrs&) {
  const Tensor s = sigmoid(in[1]);
  return {in[0] * (s + in[1] * s * (1.0 - s))};
}
TensorList gelu_grad_composed(Inputs in, const Attrs& attrs) {
  const Tensor& x = in[1];
  if (!attrs.flag("tanh")) {
    return {in[0] * (0.5 * (1.0 + erf(x * kSqrtHalf)) + x * kNormalPeak * exp(-0.5 * x * x))};
  }
  const Tensor t = tanh(kGeluInner * (x + kGeluCubic * x * x * x));
  return {in[0] *
          (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * kGeluInner * (1.0 + 3.0 * kGeluCubic * x * x))};
}

void same_shapes(RuleArgs& r) {
  require(r.shape(0) == r.shape(1), r.op(), "shapes differ: ", r.shape(0), " and ", r.shape(1));
  broadcast_inputs(r);
}

}  // namespace

#define SPLOT_ACTIVATION_GRAD(op_name, Formula, kept, ...) \
  extern constinit const OpDef op_name##_op = {            \
      .name = #op_name,                                    \
      .attrs = {__VA_ARGS__},                              \
      .inputs = 2,                                         \
      .rule = same_shapes,                                 \
      .elementwise = elementwise<Formula>(),               \
      .vjp = op_name##_vjp,                                \
      .keeps = {.inputs = kept},                           \
      .composed = op_name##_composed,                      \
  };
using Spec = AttrSpec;
SPLOT_ACTIVATION_GRAD(relu_grad, ReluGrad, keep(1))
SPLOT_ACTIVATION_GRAD(sigmoid_grad, SigmoidGrad, keep(0, 1))
SPLOT_ACTIVATION_GRAD(tanh_grad, TanhGrad, keep(0, 1))
SPLOT_ACTIVATION_GRAD(leaky_relu_grad, LeakyReluGrad, keep(1), Spec{"slope", AttrKind::number})
SPLOT_ACTIVATION_GRAD(elu_grad, EluGrad, keep(0, 1), Spec{"alpha", AttrKind::number})
SPLOT_ACTIVATION_GRAD(softplus_grad, SoftplusGrad, keep(0, 1))
SPLOT_ACTIVATION_GRAD(silu_grad, SiluGrad, keep(0, 1))
SPLOT_ACTIVATION_GRAD(gelu_grad, GeluGrad, keep(0, 1), Spec{"tanh", AttrKind::boolean})
#undef SPLOT_ACTIVATION_GRAD

Tensor relu_grad(const Tensor& dy, const Tensor& y) { return apply(relu_grad_op, {dy, y}); }
Tensor sigmoid_grad(const Tensor& dy, const Tensor& y) { return apply(sigmoid_grad_op, {dy, y}); }
Tensor tanh_grad(const Tensor& dy, const Tensor& y) { return apply(tanh_grad_op, {dy, y}); }
Tensor leaky_relu_grad(const Tensor& dy, const Tensor& x, double slope) {
  return apply(leaky_relu_grad_op, {dy, x}, {leaky_relu_grad_op.attrs, {slope}});
}
Tensor elu_grad(const Tensor& dy, const Tensor& x, double alpha) {
  return apply(elu_grad_op, {dy, x}, {elu_grad_op.attrs, {alpha}});
}
Tensor softplus_grad(const Tensor& dy, const Tensor& x) { return apply(softplus_grad_op, {dy, x}); }
Tensor silu_grad(const Tensor& dy, const Tensor& x) { return apply(silu_grad_op, {dy, x}); }
Tensor gelu_grad(const Tensor& dy, const Tensor& x, Gelu form) {
  return apply(gelu_grad_op, {dy, x}, {gelu_grad_op.attrs, {form == Gelu::tanh}});
}

}  // namespace splot
