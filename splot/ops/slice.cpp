// Parts of tensors. slice reads one as a view, set writes one: each is the other's derivative.
#include "splot/ops/slice.h"

#include <algorithm>
#include <cstring>

#include "splot/core/node.h"
#include "splot/core/recorder.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/internal/view.h"
#include "splot/ops/internal/window.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

// In the attributes there is one start, stop and step for each axis, with 0 <= start <= stop <= size.
constexpr AttrSchema kSliceAttrs = {
    {"starts", AttrKind::ints}, {"stops", AttrKind::ints}, {"steps", AttrKind::ints}};

Index clamped(Index position, Index size) {
  return std::clamp<Index>(position < 0 ? position + size : position, 0, size);
}

Attrs resolved(const Slices& slices, const Shape& shape, std::string_view op) {
  require(slices.size() <= static_cast<std::size_t>(shape.rank()), op, slices.size(), " slices for ", shape,
          ", which has ", shape.rank(), shape.rank() == 1 ? " axis" : " axes");
  Ints starts(shape.rank(), 0), stops = shape.ints(), steps(shape.rank(), 1);
  for (std::size_t i = 0; i < slices.size(); ++i) {
    const int axis = static_cast<int>(i);
    const Slice& s = slices[i];
    require<ValueError>(s.step >= 1, op, "the step on axis ", i, " is ", s.step, "; it must be at least 1");
    starts[axis] = clamped(s.start, shape[axis]);
    stops[axis] = std::max(starts[axis], clamped(s.stop, shape[axis]));
    steps[axis] = s.step;
  }
  return Attrs(kSliceAttrs, {starts, stops, steps});
}

// Checks the attributes, which may come from a file, and says the shape of the part.
Shape part_of(const Shape& shape, const Attrs& attrs, std::string_view op) {
  const Ints& starts = attrs.ints("starts");
  const Ints& stops = attrs.ints("stops");
  const Ints& steps = attrs.ints("steps");
  require(starts.size() == shape.rank() && stops.size() == shape.rank() && steps.size() == shape.rank(), op,
          "starts ", starts, ", stops ", stops, " and steps ", steps, " do not name each axis of ", shape);
  Ints sizes;
  for (int i = 0; i < shape.rank(); ++i) {
    require(0 <= starts[i] && starts[i] <= stops[i] && stops[i] <= shape[i] && steps[i] >= 1, op,
            "there is no part ", starts[i], ':', stops[i], ':', steps[i], " on axis ", i, " of ", shape);
    const Index length = stops[i] - starts[i];
    sizes.push_back(length == 0 ? 0 : (length - 1) / steps[i] + 1);
  }
  return Shape(sizes);
}

struct Part {
  Strides strides;
  Index offset = 0;
};

Part locate(const Strides& strides, const Attrs& attrs) {
  const Ints& starts = attrs.ints("starts");
  const Ints& steps = attrs.ints("steps");
  Part out;
  for (int i = 0; i < strides.size(); ++i) {
    // A step may be any number where only one element is taken; its stride is never walked.
    Index stride = 0;
    if (__builtin_mul_overflow(strides[i], steps[i], &stride)) stride = 0;
    out.strides.push_back(stride);
    out.offset += strides[i] * starts[i];
  }
  return out;
}

// --- slice

void slice_rule(RuleArgs& r) { r.output(part_of(r.shape(0), r.attrs, r.op()), r.dtype(0)); }

Tensor slice_view(std::span<const Tensor> in, const Attrs& attrs) {
  const Part part = locate(in[0].strides(), attrs);
  const Shape shape = part_of(in[0].shape(), attrs, "slice");
  // An empty part may begin one past the end; nothing is read there, but the offset stays inside.
  const Index offset = shape.numel() == 0 ? 0 : part.offset;
  return view_of(in[0], shape, part.strides, in[0].impl()->offset + offset);
}

Tensor set_part(Tensor x, const Attrs& attrs, const Tensor& v);

// y = x[part]: dx is dy in that part, else 0
TensorList slice_vjp(const VjpArgs& v) {
  return {set_part(zeros(v.shape(0), v.dtype(0)), v.attrs(), v.dy())};
}

// --- set

void set_rule(RuleArgs& r) {
  require_same_dtype(r);
  const Shape part = part_of(r.shape(0), r.attrs, r.op());
  require(r.shape(1) == part, r.op(), "the part of x", r.shape(0), " has the shape ", part, ", v has ",
          r.shape(1));
  r.output(r.shape(0), r.dtype(0));
}

void set_kernel(const KernelArgs& k) {
  const Tensor& y = k.outputs[0];
  if (k.inputs[0].raw() != y.raw()) copy_to_window(k.inputs[0], {k.raw_out(), y.strides()});
  if (k.inputs[1].numel() == 0) return;
  const Part part = locate(y.strides(), k.attrs);
  std::byte* first =
      static_cast<std::byte*>(k.raw_out()) + part.offset * static_cast<Index>(y.dtype().size());
  copy_to_window(k.inputs[1], {first, part.strides});
}

// y = x with v in one part: dx = dy with 0 there, dv = dy[part]
TensorList set_vjp(const VjpArgs& v) {
  return {v.needs(0) ? set_part(v.dy(), v.attrs(), zeros(v.shape(1), v.dtype(1))) : Tensor(),
          v.needs(1) ? apply(slice_op, {v.dy()}, v.attrs()) : Tensor()};
}

}  // namespace

extern constinit const OpDef slice_op = {
    .name = "slice",
    .attrs = kSliceAttrs,
    .rule = slice_rule,
    .view = slice_view,
    .vjp = slice_vjp,
    .onnx = "Slice",
};

extern constinit const OpDef set_op = {
    .name = "set",
    .attrs = kSliceAttrs,
    .inputs = 2,
    .rule = set_rule,
    .kernel = set_kernel,
    .vjp = set_vjp,
    .reuses = {0, -1, -1, -1},
};

namespace {

Tensor set_part(Tensor x, const Attrs& attrs, const Tensor& v) {
  TensorList inputs;
  inputs.push_back(std::move(x));
  inputs.push_back(v);
  return std::move(apply_consuming(set_op, std::move(inputs), attrs)[0]);
}

}  // namespace

Tensor slice(const Tensor& x, const Slices& slices) {
  return apply(slice_op, {x}, resolved(slices, x.shape(), "slice"));
}

Tensor slice(const Tensor& x, Index axis, Index start, Index stop, Index step) {
  const int at = x.shape().axis(axis, "slice");
  const bool is_seen = recorder() != nullptr || (x.requires_grad() && grad_enabled());
  if (step == 1 && !is_seen) {
    // Between the steps of a small network, where batches are cut out like this, attributes that nobody will
    // read would take longer than everything else.
    const Index size = x.shape()[at];
    const Index first = clamped(start, size);
    const Shape part = x.shape().with(at, std::max<Index>(0, clamped(stop, size) - first));
    const Index offset = part.numel() == 0 ? 0 : first * x.strides()[at];
    return view_of(x, part, x.strides(), x.impl()->offset + offset);
  }
  Slices slices(static_cast<std::size_t>(at) + 1);
  slices.back() = {start, stop, step};
  return slice(x, slices);
}

Tensor select(const Tensor& x, Index axis, Index i) {
  const int at = x.shape().axis(axis, "select");
  const Index size = x.shape()[at];
  require<IndexError>(-size <= i && i < size, "select", "index ", i, " is outside axis ", at, " of x", x,
                      ", which has size ", size);
  const Index position = i < 0 ? i + size : i;
  return squeeze(slice(x, at, position, position + 1), {at});
}

Tensor set(Tensor x, const Slices& slices, const Tensor& v) {
  const Attrs attrs = resolved(slices, x.shape(), "set");
  const Shape part = part_of(x.shape(), attrs, "set");
  require(broadcast_shapes(v.shape(), part, "set") == part, "set", "v", v, " cannot stretch to the part of x",
          x, ", which has the shape ", part);
  const Tensor value = expand(converted(v, x.dtype()), part);
  return set_part(std::move(x), attrs, value);
}

TensorList split(const Tensor& x, Index size, Index axis) {
  const int at = x.shape().axis(axis, "split");
  require<ValueError>(size >= 1, "split", "the size of a piece is ", size, "; it must be at least 1");
  TensorList out;
  // An empty axis has one empty piece, as in PyTorch.
  for (Index first = 0; first == 0 || first < x.shape()[at]; first += size) {
    out.push_back(slice(x, at, first, x.shape()[at] - first > size ? first + size : kEnd));
    if (x.shape()[at] - first <= size) break;
  }
  return out;
}

TensorList split(const Tensor& x, std::span<const Index> sizes, Index axis) {
  const int at = x.shape().axis(axis, "split");
  Index total = 0;
  for (const Index size : sizes) {
    require(size >= 0 && !__builtin_add_overflow(total, size, &total), "split", "a piece cannot have size ",
            size);
  }
  require(total == x.shape()[at], "split", "the sizes add up to ", total, ", axis ", at, " of x", x,
          " has size ", x.shape()[at]);
  TensorList out;
  Index first = 0;
  for (const Index size : sizes) {
    out.push_back(slice(x, at, first, first + size));
    first += size;
  }
  return out;
}

namespace {

// A diagonal is every (columns + 1)-th element of the flattened matrix.
Slice flat_diagonal(Index rows, Index columns, Index offset) {
  const Index length = offset >= 0 ? std::min(rows, columns - std::min(offset, columns))
                                   : std::min(columns, rows + std::max(offset, -rows));
  if (length == 0) return {0, 0, 1};
  const Index start = offset >= 0 ? offset : -offset * columns;
  return {start, start + (length - 1) * (columns + 1) + 1, columns + 1};
}

}  // namespace

Tensor diag(const Tensor& x, Index offset) {
  require(x.rank() == 1 || x.rank() == 2, "diag", "needs a vector or a matrix, got ", x);
  if (x.rank() == 2) {
    return slice(reshape(x, {x.numel()}), {flat_diagonal(x.shape()[0], x.shape()[1], offset)});
  }
  Index n = 0;
  require(offset != std::numeric_limits<Index>::min() &&
              !__builtin_add_overflow(x.numel(), offset < 0 ? -offset : offset, &n),
          "diag", "the offset ", offset, " is too large");
  const Shape square({n, n});
  Tensor flat = zeros({square.numel()}, x.dtype());
  return reshape(set(std::move(flat), {flat_diagonal(n, n, offset)}, x), square.ints());
}

Tensor eye(Index rows, DType dtype) { return eye(rows, rows, dtype); }

Tensor eye(Index rows, Index columns, DType dtype) {
  const Shape shape({rows, columns});
  Tensor flat = zeros({shape.numel()}, dtype);
  return reshape(set(std::move(flat), {flat_diagonal(rows, columns, 0)}, true), shape.ints());
}

}  // namespace splot
