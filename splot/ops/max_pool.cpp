// Maximum pooling. The record keeps which element of each window won; with these fixed, taking the winners
// and spreading a gradient over them are linear maps, each the other's transpose.
#include <cstdint>

#include "splot/core/node.h"
#include "splot/ops/internal/images_last.h"
#include "splot/ops/internal/pooling.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

// Numbers of elements travel in float lanes, which hold whole numbers up to here.
constexpr Index kMaxElements = Index{1} << 24;

DType which_dtype(const RuleArgs& r, const PoolAxes& axes) {
  const Index elements = axes.h.kernel * axes.w.kernel;
  require<ValueError>(elements <= kMaxElements, r.op(), "a window of ", elements, " elements is too large");
  return elements <= 256 ? kUInt8 : kInt32;
}

cpu::Pool2d pool_of(const Tensor& large, const PoolAxes& axes) {
  return {.planes = large.shape()[1], .images = large.shape()[0], .h = axes.h, .w = axes.w};
}

// --- max_pool2d

void max_pool_rule(RuleArgs& r) {
  require_images(r, 0);
  const Shape& x = r.shape(0);
  const PoolAxes axes = pool_axes(r.op(), r.attrs, x[2], x[3], /*dilated=*/true, r.attrs.flag("ceil"));
  const Shape y = {x[0], x[1], axes.h.windows, axes.w.windows};
  output_images(r, y, r.dtype(0));
  output_images(r, y, which_dtype(r, axes));
}

// Calls body(TypeTag of the elements, TypeTag of the winners' numbers).
template <typename Body>
void visit_pooled(const char* op, DType dtype, DType which, Body&& body) {
  visit_floats(dtype, op, [&](auto element) {
    which == kUInt8 ? body(element, TypeTag<std::uint8_t>()) : body(element, TypeTag<std::int32_t>());
  });
}

void max_pool_kernel(const KernelArgs& k) {
  if (k.outputs[0].numel() == 0) return;
  const Tensor x = in_images_last(k.inputs[0]);
  const PoolAxes axes =
      pool_axes(k.op.name, k.attrs, x.shape()[2], x.shape()[3], /*dilated=*/true, k.attrs.flag("ceil"));
  const ImagesLastOutput y(k, 0), which(k, 1);
  visit_pooled(k.op.name, x.dtype(), k.outputs[1].dtype(), [&](auto element, auto number) {
    using T = typename decltype(element)::type;
    using Which = typename decltype(number)::type;
    cpu::max_pool(pool_of(x, axes), x.data<T>(), y.data<T>(), which.data<Which>());
  });
  y.finish();
  which.finish();
}

// --- the two linear maps

void require_which(const RuleArgs& r, const PoolAxes& axes) {
  require<DTypeError>(r.dtype(1) == which_dtype(r, axes), r.op(), "the winners must be ",
                      which_dtype(r, axes), ", got ", r.dtype(1));
}

void pick_rule(RuleArgs& r) {
  require_images(r, 0);
  const Shape& x = r.shape(0);
  const Shape& which = r.shape(1);
  require(which.rank() == 4, r.op(), "needs the winners of images [N, C, H, W], got ", which);
  require_which(r, with_windows(r.op(), r.attrs, x[2], x[3], which, /*dilated=*/true));
  require(which[0] == x[0] && which[1] == x[1], r.op(), "x", x, " and the winners ", which,
          " differ in the number of images or channels");
  output_images(r, which, r.dtype(0));
}

void grad_rule(RuleArgs& r) {
  require_images(r, 0);
  const Shape& dy = r.shape(0);
  const Ints& size = r.attrs.ints("size");
  require<ValueError>(size.size() == 2, r.op(), "size must have two numbers, got ", size);
  require(dy == r.shape(1), r.op(), "dy", dy, " and the winners ", r.shape(1), " differ");
  require_which(r, with_windows(r.op(), r.attrs, size[0], size[1], dy, /*dilated=*/true));
  output_images(r, {dy[0], dy[1], size[0], size[1]}, r.dtype(0));
}

cpu::Pool2d picked_pool(const KernelArgs& k, const Tensor& large, const Tensor& small) {
  const Shape& s = large.shape();
  PoolAxes axes = pool_axes(k.op.name, k.attrs, s[2], s[3], /*dilated=*/true, /*ceil=*/false);
  axes.h.windows = small.shape()[2];
  axes.w.windows = small.shape()[3];
  return pool_of(large, axes);
}

void pick_kernel(const KernelArgs& k) {
  if (k.outputs[0].numel() == 0) return;
  const Tensor x = in_images_last(k.inputs[0]), which = in_images_last(k.inputs[1]);
  const ImagesLastOutput y(k, 0);
  visit_pooled(k.op.name, x.dtype(), which.dtype(), [&](auto element, auto number) {
    using T = typename decltype(element)::type;
    using Which = typename decltype(number)::type;
    cpu::max_pool_pick(picked_pool(k, x, which), x.data<T>(), which.data<Which>(), y.data<T>());
  });
  y.finish();
}

void grad_kernel(const KernelArgs& k) {
  if (k.outputs[0].numel() == 0) return;
  const Tensor dy = in_images_last(k.inputs[0]), which = in_images_last(k.inputs[1]);
  const ImagesLastOutput dx(k, 0);
  visit_pooled(k.op.name, dy.dtype(), which.dtype(), [&](auto element, auto number) {
    using T = typename decltype(element)::type;
    using Which = typename decltype(number)::type;
    cpu::max_pool_grad(picked_pool(k, k.outputs[0], which), dy.data<T>(), which.data<Which>(), dx.data<T>());
  });
  dx.finish();
}

// --- derivatives

Attrs window_attrs(const OpDef& op, const Attrs& a) {
  return {op.attrs, {a.ints("kernel"), a.ints("stride"), a.ints("padding"), a.ints("dilation")}};
}

Tensor spread(const Tensor& dy, const Tensor& which, const Shape& x, const Attrs& a) {
  const OpDef& op = max_pool2d_grad_op;
  return apply(
      op, {dy, which},
      {op.attrs,
       {Ints{x[2], x[3]}, a.ints("kernel"), a.ints("stride"), a.ints("padding"), a.ints("dilation")}});
}

// y = the winners of x: dx = dy where they were
TensorList max_pool_vjp(const VjpArgs& v) { return {spread(v.dy(), v.output(1), v.shape(0), v.attrs())}; }
TensorList pick_vjp(const VjpArgs& v) {
  return {spread(v.dy(), v.input(1), v.shape(0), v.attrs()), Tensor()};
}
// dx = dy where the winners were: the gradient by dy is taken from there
TensorList grad_vjp(const VjpArgs& v) {
  const OpDef& op = max_pool2d_pick_op;
  return {apply(op, {v.dy(), v.input(1)}, window_attrs(op, v.attrs())), Tensor()};
}

}  // namespace

extern constinit const OpDef max_pool2d_op = {
    .name = "max_pool2d",
    .attrs = {{"kernel", AttrKind::ints},
              {"stride", AttrKind::ints},
              {"padding", AttrKind::ints},
              {"dilation", AttrKind::ints},
              {"ceil", AttrKind::boolean}},
    .outputs = 2,
    .rule = max_pool_rule,
    .kernel = max_pool_kernel,
    .vjp = max_pool_vjp,
    .keeps = {.outputs = keep(1)},
    .onnx = "MaxPool",
};

extern constinit const OpDef max_pool2d_pick_op = {
    .name = "max_pool2d_pick",
    .attrs = {{"kernel", AttrKind::ints},
              {"stride", AttrKind::ints},
              {"padding", AttrKind::ints},
              {"dilation", AttrKind::ints}},
    .inputs = 2,
    .rule = pick_rule,
    .kernel = pick_kernel,
    .vjp = pick_vjp,
    .keeps = {.inputs = keep(1)},
};

extern constinit const OpDef max_pool2d_grad_op = {
    .name = "max_pool2d_grad",
    .attrs = {{"size", AttrKind::ints},
              {"kernel", AttrKind::ints},
              {"stride", AttrKind::ints},
              {"padding", AttrKind::ints},
              {"dilation", AttrKind::ints}},
    .inputs = 2,
    .rule = grad_rule,
    .kernel = grad_kernel,
    .vjp = grad_vjp,
    .keeps = {.inputs = keep(1)},
};

Tensor max_pool2d(const Tensor& x, const Ints& kernel, const MaxPoolOptions& options) {
  const OpDef& op = max_pool2d_op;
  const Ints window = both_axes(kernel, op.name, "the kernel");
  const Attrs attrs(
      op.attrs, {window, options.stride.empty() ? window : both_axes(options.stride, op.name, "the stride"),
                 both_axes(options.padding, op.name, "the padding"),
                 both_axes(options.dilation, op.name, "the dilation"), options.ceil_mode});
  return on_images(as_floating(x), op.name, [&](const Tensor& images) { return apply(op, {images}, attrs); });
}

Tensor max_pool1d(const Tensor& x, Index kernel, const MaxPoolOptions& options) {
  return on_lines(x, "max_pool1d", [&](const Tensor& images) {
    return max_pool2d(images, {1, kernel},
                      {.stride = {1, one_size(options.stride, kernel, "max_pool1d", "the stride")},
                       .padding = {0, one_size(options.padding, 0, "max_pool1d", "the padding")},
                       .dilation = {1, one_size(options.dilation, 1, "max_pool1d", "the dilation")},
                       .ceil_mode = options.ceil_mode});
  });
}

}  // namespace splot
