// Ops that look at the same elements in another way; nothing is copied where strides can say it.
#include <optional>

#include "splot/core/strided.h"
#include "splot/ops/internal/view.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {

Tensor view_of(const Tensor& x, const Shape& shape, const Strides& strides, Index offset) {
  Ref<TensorImpl> impl = x.impl()->window();
  impl->shape = shape;
  impl->strides = strides;
  impl->offset = offset;
  impl->contiguous = is_row_major(shape, strides);
  return Tensor(std::move(impl));
}

namespace {

// --- reshape

void reshape_rule(RuleArgs& r) {
  const Shape shape(r.attrs.ints("shape"));
  require(shape.numel() == r.shape(0).numel(), r.op(), "cannot make ", shape, " (", shape.numel(),
          " elements) from ", r.shape(0), " (", r.shape(0).numel(), ')');
  r.output(shape, r.dtype(0));
}

// The strides under which the memory of x reads as `shape`, if there are any. Axes of x that lie behind each
// other count as one run; each run must be cut evenly by consecutive axes of the new shape.
std::optional<Strides> strides_under(const Tensor& x, const Shape& shape) {
  if (x.is_contiguous()) return shape.row_major();
  const MergedAxes runs = merge_axes(x.shape(), {&x.strides(), 1});
  Strides out(shape.rank(), 1);
  std::size_t run = runs.sizes.size();
  Index left = 1, stride = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (shape[i] == 1) continue;
    if (left == 1) {
      --run;
      left = runs.sizes[run];
      stride = runs.strides[0][static_cast<int>(run)];
    }
    if (left % shape[i] != 0) return std::nullopt;
    out[i] = stride;
    stride *= shape[i];
    left /= shape[i];
  }
  return out;
}

Tensor reshape_view(std::span<const Tensor> in, const Attrs& attrs) {
  const Shape shape(attrs.ints("shape"));
  if (const auto strides = strides_under(in[0], shape)) {
    return view_of(in[0], shape, *strides, in[0].impl()->offset);
  }
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

// --- flip

void flip_rule(RuleArgs& r) {
  for (const Index axis : r.attrs.ints("axes")) r.shape(0).axis(axis, r.op());
  r.output(r.shape(0), r.dtype(0));
}

Tensor flip_view(std::span<const Tensor> in, const Attrs& attrs) {
  const Tensor& x = in[0];
  Strides strides = x.strides();
  Index offset = x.impl()->offset;
  for (const Index axis : attrs.ints("axes")) {
    const int i = static_cast<int>(axis);
    if (x.numel() != 0) offset += (x.shape()[i] - 1) * strides[i];
    strides[i] = -strides[i];
  }
  return view_of(x, x.shape(), strides, offset);
}

TensorList flip_vjp(const VjpArgs& v) { return {flip(v.dy(), v.attrs().ints("axes"))}; }

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

extern constinit const OpDef flip_op = {
    .name = "flip",
    .attrs = {{"axes", AttrKind::ints}},
    .rule = flip_rule,
    .view = flip_view,
    .vjp = flip_vjp,
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

Tensor flatten(const Tensor& x, Index first, Index last) {
  if (x.rank() == 0) return reshape(x, {1});
  const int from = x.shape().axis(first, "flatten");
  const int to = x.shape().axis(last, "flatten");
  require(from <= to, "flatten", "axis ", first, " of x", x, " comes after axis ", last);
  Ints sizes;
  Index joined = 1;
  for (int i = 0; i < x.rank(); ++i) {
    if (i < from || i > to) sizes.push_back(x.shape()[i]);
    if (i >= from && i <= to) joined *= x.shape()[i];
    if (i == to) sizes.push_back(joined);
  }
  return reshape(x, sizes);
}

Tensor squeeze(const Tensor& x, const Axes& axes) {
  const Axes named = normalize_axes(axes, x.shape(), "squeeze");
  Ints sizes;
  for (int i = 0; i < x.rank(); ++i) {
    if (x.shape()[i] != 1 || !named.contains(i)) sizes.push_back(x.shape()[i]);
  }
  return reshape(x, sizes);
}

Tensor unsqueeze(const Tensor& x, Index axis) {
  const int rank = x.rank() + 1;
  require(-rank <= axis && axis < rank, "unsqueeze", "axis ", axis, " cannot be added to x", x,
          ": the result has axes ", -rank, " to ", rank - 1);
  const Index at = axis < 0 ? axis + rank : axis;
  Ints sizes;
  for (int i = 0; i < rank; ++i) {
    sizes.push_back(i == at ? 1 : x.shape()[i < at ? i : i - 1]);
  }
  return reshape(x, sizes);
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

Tensor transpose(const Tensor& x, Index axis1, Index axis2) {
  const int first = x.shape().axis(axis1, "transpose");
  const int second = x.shape().axis(axis2, "transpose");
  Axes order = normalize_axes({}, x.shape(), "transpose");
  std::swap(order[first], order[second]);
  return permute(x, order);
}

Tensor flip(const Tensor& x, const Axes& axes) {
  return apply(flip_op, {x}, {flip_op.attrs, {normalize_axes(axes, x.shape(), "flip")}});
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
