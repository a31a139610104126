// Making tensors from nothing and converting them.
#include <algorithm>

#include "splot/core/strided.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

void full_rule(RuleArgs& r) { r.output(Shape(r.attrs.ints("shape")), r.attrs.dtype("dtype")); }

void full_kernel(const KernelArgs& k) {
  visit_any(k.outputs[0].dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::fill_n(k.out<T>(), k.outputs[0].numel(), convert<T>(k.attrs.number("value")));
  });
}

void cast_rule(RuleArgs& r) { r.output(r.shape(0), r.attrs.dtype("dtype")); }

void cast_kernel(const KernelArgs& k) { copy_dense(k.inputs[0], k.outputs[0].dtype(), k.raw_out()); }

TensorList cast_vjp(const VjpArgs& v) { return {cast(v.dy(), v.dtype(0))}; }

}  // namespace

extern constinit const OpDef full_op = {
    .name = "full",
    .attrs = {{"shape", AttrKind::ints}, {"value", AttrKind::number}, {"dtype", AttrKind::dtype}},
    .inputs = 0,
    .rule = full_rule,
    .kernel = full_kernel,
    .differentiable = false,
    .onnx = "ConstantOfShape",
};

extern constinit const OpDef cast_op = {
    .name = "cast",
    .attrs = {{"dtype", AttrKind::dtype}},
    .rule = cast_rule,
    .kernel = cast_kernel,
    .vjp = cast_vjp,
    .onnx = "Cast",
};

Tensor full(const Shape& shape, double value, DType dtype) {
  return apply(full_op, std::span<const Tensor>(), {full_op.attrs, {shape.ints(), value, dtype}});
}
Tensor zeros(const Shape& shape, DType dtype) { return full(shape, 0.0, dtype); }
Tensor ones(const Shape& shape, DType dtype) { return full(shape, 1.0, dtype); }
Tensor full_like(const Tensor& x, double value) { return full(x.shape(), value, x.dtype()); }
Tensor zeros_like(const Tensor& x) { return full_like(x, 0.0); }
Tensor ones_like(const Tensor& x) { return full_like(x, 1.0); }

Tensor cast(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  return apply(cast_op, {x}, {cast_op.attrs, {dtype}});
}

Tensor stop_gradient(const Tensor& x) { return x.detach(); }

}  // namespace splot
