// Reductions over any axes.
#include "splot/core/node.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

Shape reduced_shape(const Shape& shape, const Axes& axes, bool keepdim) {
  Ints sizes;
  for (int i = 0; i < shape.rank(); ++i) {
    if (!axes.contains(i)) {
      sizes.push_back(shape[i]);
    } else if (keepdim) {
      sizes.push_back(1);
    }
  }
  return Shape(sizes);
}

// The input as dense rows, one for each output element, the reduced axes along the row.
Tensor as_rows(const Tensor& x, const Axes& axes) {
  NoGrad off;
  Axes order;
  Index length = 1;
  for (int i = 0; i < x.rank(); ++i) {
    if (!axes.contains(i)) order.push_back(i);
  }
  for (const Index axis : axes) {
    order.push_back(axis);
    length *= x.shape()[static_cast<int>(axis)];
  }
  return reshape(contiguous(permute(x, order)), {length == 0 ? 0 : x.numel() / length, length});
}

// Numbers added pairwise: the error grows with log(n), and the tree depends on n alone.
template <typename Sum, typename T>
Sum pairwise_sum(const T* x, Index n) {
  if (n <= 64) {
    Sum total{};
    for (Index i = 0; i < n; ++i) total += static_cast<Sum>(x[i]);
    return total;
  }
  const Index half = n / 2 / 64 * 64 + 64 * (n / 2 < 64);
  return pairwise_sum<Sum>(x, half) + pairwise_sum<Sum>(x + half, n - half);
}

void sum_rule(RuleArgs& r) {
  const DType dtype = r.dtype(0).is_floating() ? r.dtype(0) : kInt64;
  r.output(reduced_shape(r.shape(0), r.attrs.ints("axes"), r.attrs.flag("keepdim")), dtype);
}

void sum_kernel(const KernelArgs& k) {
  const Tensor rows = as_rows(k.inputs[0], k.attrs.ints("axes"));
  const Index length = rows.shape()[1];
  visit_numbers(rows.dtype(), "sum", [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Sum = std::conditional_t<std::is_floating_point_v<T>, T, std::int64_t>;
    Sum* out = k.out<Sum>();
    const T* x = rows.data<T>();
    for (Index i = 0; i < k.outputs[0].numel(); ++i) out[i] = pairwise_sum<Sum>(x + i * length, length);
  });
}

// The gradient with the reduced axes put back as size 1, stretched to the input.
Tensor stretched_back(const Tensor& dy, const VjpArgs& v) {
  return expand(reshape(dy, reduced_shape(v.shape(0), v.attrs().ints("axes"), true).ints()), v.shape(0));
}

TensorList sum_vjp(const VjpArgs& v) { return {stretched_back(v.dy(), v)}; }

}  // namespace

extern constinit const OpDef sum_op = {
    .name = "sum",
    .attrs = {{"axes", AttrKind::ints}, {"keepdim", AttrKind::boolean}},
    .rule = sum_rule,
    .kernel = sum_kernel,
    .vjp = sum_vjp,
    .onnx = "ReduceSum",
};

Tensor sum(const Tensor& x, const Axes& axes, bool keepdim) {
  return apply(sum_op, {x}, {sum_op.attrs, {normalize_axes(axes, x.shape(), "sum"), keepdim}});
}

}  // namespace splot
