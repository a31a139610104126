// Ops that look at the same elements in another way; nothing is copied where strides can say it.
#include "splot/core/strided.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

bool is_row_major(const Shape& shape, const Strides& strides) {
  Index expected = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

Tensor view_of(const Tensor& x, const Shape& shape, const Strides& strides, Index offset) {
  Ref<TensorImpl> impl = x.impl()->window();
  impl->shape = shape;
  impl->strides = strides;
  impl->offset = offset;
  impl->contiguous = shape.numel() == 0 || is_row_major(shape, strides);
  return Tensor(std::move(impl));
}

// --- reshape

void reshape_rule(RuleArgs& r) {
  const Shape shape(r.attrs.ints("shape"));
  require(shape.numel() == r.shape(0).numel(), r.op(), "cannot make ", shape, " (", shape.numel(),
          " elements) from ", r.shape(0), " (", r.shape(0).numel(), ')');
  r.output(shape, r.dtype(0));
}

Tensor reshape_view(std::span<const Tensor> in, const Attrs& attrs) {
  const Shape shape(attrs.ints("shape"));
  const Tensor dense = contiguous(in[0]);
  return view_of(dense, shape, shape.row_major(), dense.impl()->offset);
}

TensorList reshape_vjp(const VjpArgs& v) { return {reshape(v.dy(), v.shape(0).ints())}; }

// --- permute

void permute_rule(RuleArgs& r) {
  const Ints& order = r.attrs.ints("order");
  require(order.size() == r.shape(0).rank(), r.op(), "the order ", order, " does not name each axis of ",
          r.shape(0));
  Ints sizes;
  for (int i = 0; i < order.size(); ++i) {
    for (int j = 0; j < i; ++j)
      require(order[i] != order[j], r.op(), "axis ", order[i], " is named twice in ", order);
    sizes.push_back(r.shape(0)[static_cast<int>(order[i])]);
  }
  r.output(Shape(sizes), r.dtype(0));
}

Tensor permute_view(std::span<const Tensor> in, const Attrs& attrs) {
  Ints sizes, strides;
  for (const Index axis : attrs.ints("order")) {
    sizes.push_back(in[0].shape()[static_cast<int>(axis)]);
    strides.push_back(in[0].strides()[static_cast<int>(axis)]);
  }
  return view_of(in[0], Shape(sizes), strides, in[0].impl()->offset);
}

TensorList permute_vjp(const VjpArgs& v) {
  const Ints& order = v.attrs().ints("order");
  Ints inverse(order.size(), 0);
  for (int i = 0; i < order.size(); ++i) inverse[static_cast<int>(order[i])] = i;
  return {permute(v.dy(), inverse)};
}

// --- expand

void expand_rule(RuleArgs& r) {
  const Shape shape(r.attrs.ints("shape"));
  require(broadcast_shapes(r.shape(0), shape, r.op()) == shape, r.op(), "cannot stretch ", r.shape(0), " to ",
          shape);
  r.output(shape, r.dtype(0));
}

Tensor expand_view(std::span<const Tensor> in, const Attrs& attrs) {
  const Shape shape(attrs.ints("shape"));
  return view_of(in[0], shape, broadcast_strides(in[0], shape), in[0].impl()->offset);
}

TensorList expand_vjp(const VjpArgs& v) { return {sum_to(v.dy(), v.shape(0))}; }

}  // namespace

extern constinit const OpDef reshape_op = {
    .name = "reshape",
    .attrs = {{"shape", AttrKind::ints}},
    .rule = reshape_rule,
    .view = reshape_view,
    .vjp = reshape_vjp,
    .onnx = "Reshape",
};

extern constinit const OpDef permute_op = {
    .name = "permute",
    .attrs = {{"order", AttrKind::ints}},
    .rule = permute_rule,
    .view = permute_view,
    .vjp = permute_vjp,
    .onnx = "Transpose",
};

extern constinit const OpDef expand_op = {
    .name = "expand",
    .attrs = {{"shape", AttrKind::ints}},
    .rule = expand_rule,
    .view = expand_view,
    .vjp = expand_vjp,
    .onnx = "Expand",
};

Tensor reshape(const Tensor& x, const Ints& shape) {
  Ints sizes = shape;
  int unknown = -1;
  Index known = 1;
  for (int i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == -1) {
      require(unknown < 0, "reshape", "only one size may be -1, got ", shape);
      unknown = i;
    } else {
      known *= sizes[i];
    }
  }
  if (unknown >= 0) {
    require(known != 0 && x.numel() % known == 0, "reshape", "cannot make ", shape, " from ", x.shape(),
            ", which has ", x.numel(), " elements");
    sizes[unknown] = x.numel() / known;
  }
  if (sizes == x.shape().ints()) return x;
  return apply(reshape_op, {x}, {reshape_op.attrs, {sizes}});
}

Tensor permute(const Tensor& x, const Axes& order) {
  Ints resolved;
  for (const Index axis : order) resolved.push_back(x.shape().axis(axis, "permute"));
  return apply(permute_op, {x}, {permute_op.attrs, {resolved}});
}

Tensor matrix_transpose(const Tensor& x) {
  require(x.rank() >= 2, "matrix_transpose", "needs at least two axes, got ", x.shape());
  Axes order;
  for (int i = 0; i < x.rank() - 2; ++i) order.push_back(i);
  order.push_back(x.rank() - 1);
  order.push_back(x.rank() - 2);
  return permute(x, order);
}

Tensor expand(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return apply(expand_op, {x}, {expand_op.attrs, {shape.ints()}});
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  Axes axes;
  const int lead = x.rank() - shape.rank();
  for (int i = 0; i < x.rank(); ++i) {
    if (i < lead || (shape[i - lead] == 1 && x.shape()[i] != 1)) axes.push_back(i);
  }
  require(lead >= 0 && broadcast_shapes(shape, x.shape(), "sum_to") == x.shape(), "sum_to", "cannot sum ",
          x.shape(), " to ", shape);
  return reshape(axes.empty() ? x : sum(x, axes, /*keepdim=*/true), shape.ints());
}

}  // namespace splot
