// softmax and log_softmax over one axis.
#include "splot/backend/cpu/softmax.h"

#include "splot/core/node.h"
#include "splot/core/strided.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

void softmax_rule(RuleArgs& r) {
  require<DTypeError>(r.dtype(0) == kFloat32 || r.dtype(0) == kFloat64, r.op(),
                      "needs float32 or float64, got ", r.dtype(0));
  r.output(r.shape(0), r.dtype(0));
}

// The order of axes with one of them last, and the way back.
Axes with_last(int rank, int axis) {
  Axes order;
  for (int i = 0; i < rank; ++i) {
    if (i != axis) order.push_back(i);
  }
  order.push_back(axis);
  return order;
}
Axes from_last(int rank, int axis) {
  Axes order;
  for (int i = 0; i < rank - 1; ++i) {
    if (i == axis) order.push_back(rank - 1);
    order.push_back(i);
  }
  if (axis == rank - 1) order.push_back(rank - 1);
  return order;
}

template <bool kLogarithm>
void softmax_kernel(const KernelArgs& k) {
  const Tensor& x = k.inputs[0];
  if (x.numel() == 0) return;
  const auto axis = static_cast<int>(k.attrs.integer("axis"));
  const Index n = x.shape()[axis];
  visit_floats(x.dtype(), k.op.name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if (axis == x.rank() - 1) {
      const Tensor dense = contiguous(x);
      return cpu::softmax_rows<T>(dense.template data<T>(), x.numel() / n, n, kLogarithm, k.out<T>());
    }
    const NoGrad off;
    const Tensor rows = contiguous(permute(x, with_last(x.rank(), axis)));
    Tensor result = Tensor::empty(rows.shape(), x.dtype());
    T* out = static_cast<T*>(const_cast<void*>(result.raw()));
    cpu::softmax_rows<T>(rows.template data<T>(), x.numel() / n, n, kLogarithm, out);
    copy_dense(permute(result, from_last(x.rank(), axis)), x.dtype(), k.raw_out());
  });
}

// y = softmax(x): dx = y (dy - sum y dy)
TensorList softmax_vjp(const VjpArgs& v) {
  const Tensor weighted = v.dy() * v.output();
  return {weighted - v.output() * sum(weighted, {v.attrs().integer("axis")}, /*keepdim=*/true)};
}

// y = x - log sum exp x: dx = dy - exp(y) sum dy
TensorList log_softmax_vjp(const VjpArgs& v) {
  return {v.dy() - exp(v.output()) * sum(v.dy(), {v.attrs().integer("axis")}, /*keepdim=*/true)};
}

}  // namespace

extern constinit const OpDef softmax_op = {
    .name = "softmax",
    .attrs = {{"axis", AttrKind::integer}},
    .rule = softmax_rule,
    .kernel = softmax_kernel<false>,
    .vjp = softmax_vjp,
    .keeps = {.outputs = keep(0)},
    .onnx = "Softmax",
};

extern constinit const OpDef log_softmax_op = {
    .name = "log_softmax",
    .attrs = {{"axis", AttrKind::integer}},
    .rule = softmax_rule,
    .kernel = softmax_kernel<true>,
    .vjp = log_softmax_vjp,
    .keeps = {.outputs = keep(0)},
    .onnx = "LogSoftmax",
};

namespace {

// A single number is a row of one, as in PyTorch: its softmax is 1.
Tensor along_axis(const OpDef& op, const Tensor& x, Index axis) {
  if (x.rank() == 0) {
    require(axis == 0 || axis == -1, op.name, "there is no axis ", axis, " in []: it is 0-d");
    return reshape(along_axis(op, reshape(x, {1}), 0), {});
  }
  return apply(op, {as_floating(x)}, {op.attrs, {Index{x.shape().axis(axis, op.name)}}});
}

}  // namespace

Tensor softmax(const Tensor& x, Index axis) { return along_axis(softmax_op, x, axis); }
Tensor log_softmax(const Tensor& x, Index axis) { return along_axis(log_softmax_op, x, axis); }

}  // namespace splot
