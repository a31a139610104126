// conv2d and its two gradients: three bilinear maps of an image, its weights and what comes out, each of
// which is the derivative of the others.
#include "splot/ops/conv.h"

#include "splot/backend/cpu/conv.h"
#include "splot/backend/cpu/pooling.h"
#include "splot/core/node.h"
#include "splot/ops/internal/conv.h"
#include "splot/ops/internal/images_last.h"
#include "splot/ops/internal/row_major.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

ConvGeometry geometry_of(const Attrs& attrs) {
  return {attrs.ints("stride"), attrs.ints("padding"), attrs.ints("dilation"), attrs.integer("groups")};
}

Index divided(Index a, Index b) { return a < 0 ? -1 : a / b; }

// The size of the output along one axis; negative when the window does not fit in.
Index size_out(const ConvGeometry& g, int axis, Index in, Index kernel) {
  const Index room = in + g.padding[2 * axis] + g.padding[2 * axis + 1] - g.dilation[axis] * (kernel - 1) - 1;
  return divided(room, g.stride[axis]) + 1;
}

void check_dtypes(const RuleArgs& r) {
  for (std::size_t i = 0; i < r.inputs.size(); ++i) {
    if (r.dtype(i) != r.dtype(0) || (r.dtype(i) != kFloat32 && r.dtype(i) != kFloat64)) {
      fail<DTypeError>(r.op(), "needs all float32 or all float64, got ", r.dtype(0), " and ",
                       r.dtype(i == 0 ? r.inputs.size() - 1 : i));
    }
  }
}

void check_geometry(const RuleArgs& r, const ConvGeometry& g) {
  for (int axis = 0; axis < 2; ++axis) {
    require<ValueError>(g.stride[axis] > 0, r.op(), "the stride must be positive, got ", g.stride);
    require<ValueError>(g.dilation[axis] > 0, r.op(), "the dilation must be positive, got ", g.dilation);
  }
  for (const Index p : g.padding) {
    require<ValueError>(p >= 0, r.op(), "the padding must be 0 or more, got ", g.padding);
  }
  require<ValueError>(g.groups > 0, r.op(), "there must be at least one group, got ", g.groups);
}

// What x, w and y have to do with each other, whichever of them is asked for.
void check_sizes(const RuleArgs& r, const ConvGeometry& g, const Shape& x, const Shape& w, const Shape* y) {
  check_dtypes(r);
  check_geometry(r, g);
  require(x.rank() == 4, r.op(), "the image must be [N, C, H, W], got ", x);
  require(w.rank() == 4, r.op(), "the weights must be [out, in / groups, rows, columns], got ", w);
  require(w[2] > 0 && w[3] > 0, r.op(), "the window of w", w, " is empty");
  require(w[1] * g.groups == x[1], r.op(), "x", x, " has ", x[1], " channels, w", w, " takes ",
          w[1] * g.groups, g.groups == 1 ? std::string() : join(" in ", g.groups, " groups"));
  require(w[0] % g.groups == 0, r.op(), "the ", w[0], " output channels of w", w, " do not make ", g.groups,
          " groups");
  for (int axis = 0; axis < 2; ++axis) {
    const Index size = size_out(g, axis, x[2 + axis], w[2 + axis]);
    require(size > 0, r.op(), "a window of ", g.dilation[axis] * (w[2 + axis] - 1) + 1,
            axis == 0 ? " rows" : " columns", " does not fit into the ",
            x[2 + axis] + g.padding[2 * axis] + g.padding[2 * axis + 1], " of x", x, " with its padding");
    require(y == nullptr || (*y)[2 + axis] == size, r.op(), "dy", y == nullptr ? Shape() : *y,
            " should have ", size, axis == 0 ? " rows" : " columns", " for x", x, " and w", w);
  }
  if (y == nullptr) return;
  require(y->rank() == 4 && (*y)[0] == x[0] && (*y)[1] == w[0], r.op(), "dy", *y, " should be [", x[0], ", ",
          w[0], ", rows, columns]");
}

void images_out(RuleArgs& r, const Shape& shape) { r.output(shape, r.dtype(0), images_last(shape)); }

cpu::ConvAxis axis_of(const ConvGeometry& g, int axis, const Shape& x, const Shape& w, const Shape& y) {
  return {.in = x[2 + axis],
          .out = y[2 + axis],
          .kernel = w[2 + axis],
          .stride = g.stride[axis],
          .dilation = g.dilation[axis],
          .pad = g.padding[2 * axis]};
}

cpu::ConvShape conv_shape(const Attrs& attrs, const Shape& x, const Shape& w, const Shape& y) {
  const ConvGeometry g = geometry_of(attrs);
  return {.images = x[0],
          .groups = g.groups,
          .in_channels = x[1],
          .out_channels = w[0],
          .y = axis_of(g, 0, x, w, y),
          .x = axis_of(g, 1, x, w, y)};
}

template <typename Body>
void visit_type(const Tensor& x, const KernelArgs& k, Body&& body) {
  visit_floats(x.dtype(), k.op.name, [&](auto tag) { body(typename decltype(tag)::type{}); });
}

// --- conv2d

// The shape of what comes out.
Shape checked_forward(const RuleArgs& r) {
  const ConvGeometry g = geometry_of(r.attrs);
  const Shape& x = r.shape(0);
  const Shape& w = r.shape(1);
  check_sizes(r, g, x, w, nullptr);
  constexpr const char* names[] = {"x", "w", "the bias b", "the scale"};
  for (std::size_t i = 2; i < r.inputs.size(); ++i) {
    if (r.shape(i) == Shape({w[0]})) continue;
    fail(r.op(), names[i], r.shape(i), " does not fit the ", w[0], " output channels of w", w);
  }
  return {x[0], w[0], size_out(g, 0, x[2], w[2]), size_out(g, 1, x[3], w[3])};
}

void conv2d_rule(RuleArgs& r) {
  require<ValueError>(r.inputs.size() == 2 || r.inputs.size() == 3, r.op(),
                      "takes x, w and perhaps a bias, got ", r.inputs.size(), " tensors");
  images_out(r, checked_forward(r));
}

// y: the shape of the convolution's own result.
void run_forward(const KernelArgs& k, const Shape& y, bool relu, bool pool = false) {
  const Tensor x = in_images_last(k.inputs[0]);
  const Tensor none;
  const RowMajor w(k.inputs[1]);
  const RowMajor b(k.inputs.size() >= 3 ? k.inputs[2] : none);
  const RowMajor scale(k.inputs.size() == 4 ? k.inputs[3] : none);
  visit_type(x, k, [&]<typename T>(T) {
    cpu::conv_forward<T>(conv_shape(k.attrs, x.shape(), w->shape(), y), x.data<T>(), w->data<T>(),
                         {.bias = b->defined() ? b->data<T>() : nullptr,
                          .scale = scale->defined() ? scale->data<T>() : nullptr,
                          .relu = relu,
                          .pool = pool},
                         k.out<T>());
  });
}

void conv2d_kernel(const KernelArgs& k) { run_forward(k, k.outputs[0].shape(), false); }

Ints image_size(const Shape& shape) { return {shape[2], shape[3]}; }

// dx = the input gradient of dy and w, dw = the weight gradient of x and dy, db = sum of dy over n, i and j
TensorList conv2d_vjp(const VjpArgs& v) {
  const ConvGeometry g = geometry_of(v.attrs());
  TensorList out;
  out.push_back(v.needs(0) ? conv2d_input_grad(v.dy(), v.input(1), g, image_size(v.shape(0))) : Tensor());
  out.push_back(v.needs(1) ? conv2d_weight_grad(v.input(0), v.dy(), g, image_size(v.shape(1))) : Tensor());
  if (v.input_count() == 3) out.push_back(v.needs(2) ? sum(v.dy(), {0, 2, 3}) : Tensor());
  return out;
}

// --- conv2d_fused

void conv2d_fused_rule(RuleArgs& r) {
  require<ValueError>(r.inputs.size() == 3 || r.inputs.size() == 4, r.op(),
                      "takes x, w, a bias and perhaps a scale, got ", r.inputs.size(), " tensors");
  images_out(r, checked_forward(r));
}

void conv2d_fused_kernel(const KernelArgs& k) { run_forward(k, k.outputs[0].shape(), k.attrs.flag("relu")); }

Tensor plain_conv2d(const Tensor& x, const Tensor& w, const ConvGeometry& g) {
  return apply(conv2d_op, {x, w}, {conv2d_op.attrs, {g.stride, g.padding, g.dilation, g.groups}});
}

// v[O] beside y[N, O, H, W].
Tensor beside_images(const Tensor& v) { return reshape(v, {v.numel(), 1, 1}); }

// y = relu(s c + b), c = conv2d(x, w). With dz = dy where y > 0:  db = sum of dz, ds = sum of dz c, and dz s
// is what conv2d's derivatives take.
TensorList conv2d_fused_vjp(const VjpArgs& v) {
  const ConvGeometry g = geometry_of(v.attrs());
  const bool scaled = v.input_count() == 4;
  const Tensor dz = v.attrs().flag("relu") ? relu_grad(v.dy(), v.output()) : v.dy();
  const Tensor dc = scaled ? dz * beside_images(v.input(3)) : dz;
  TensorList out;
  out.push_back(v.needs(0) ? conv2d_input_grad(dc, v.input(1), g, image_size(v.shape(0))) : Tensor());
  out.push_back(v.needs(1) ? conv2d_weight_grad(v.input(0), dc, g, image_size(v.shape(1))) : Tensor());
  out.push_back(v.needs(2) ? sum(dz, {0, 2, 3}) : Tensor());
  if (!scaled) return out;
  out.push_back(v.needs(3) ? sum(dz * plain_conv2d(v.input(0), v.input(1), g), {0, 2, 3}) : Tensor());
  return out;
}

TensorList conv2d_fused_composed(std::span<const Tensor> in, const Attrs& attrs) {
  Tensor y = plain_conv2d(in[0], in[1], geometry_of(attrs));
  if (in.size() == 4) y = y * beside_images(in[3]);
  y = y + beside_images(in[2]);
  return {attrs.flag("relu") ? relu(y) : y};
}

// --- conv2d_pooled

// The shape of what is pooled.
Shape checked_pooled(const RuleArgs& r) {
  const Shape y = checked_forward(r);
  require(y[2] > 1 && y[3] > 1, r.op(), "a result of ", y[2], " x ", y[3],
          " has no window of 2 x 2 to be pooled");
  return {y[0], y[1], y[2] / 2, y[3] / 2};
}

void conv2d_pooled_rule(RuleArgs& r) { images_out(r, checked_pooled(r)); }

void conv2d_max_pool_rule(RuleArgs& r) {
  const Shape y = checked_pooled(r);
  images_out(r, y);
  r.output(y, kUInt8, images_last(y));
}

// Of the convolution, before it is pooled.
Shape result_shape(const Attrs& attrs, const Shape& x, const Shape& w) {
  const ConvGeometry g = geometry_of(attrs);
  return {x[0], w[0], size_out(g, 0, x[2], w[2]), size_out(g, 1, x[3], w[3])};
}

void conv2d_pooled_kernel(const KernelArgs& k) {
  const Shape y = result_shape(k.attrs, k.inputs[0].shape(), k.inputs[1].shape());
  run_forward(k, y, k.attrs.flag("relu"), /*pool=*/true);
}

void conv2d_max_pool_kernel(const KernelArgs& k) {
  if (k.outputs[0].numel() == 0) return;
  const Tensor x = in_images_last(k.inputs[0]), w = contiguous(k.inputs[1]), b = contiguous(k.inputs[2]);
  const Shape whole = result_shape(k.attrs, x.shape(), w.shape());
  const cpu::ConvShape s = conv_shape(k.attrs, x.shape(), w.shape(), whole);
  const ImagesLastOutput y(k, 0), which(k, 1);
  visit_type(x, k, [&]<typename T>(T) {
    cpu::ConvEpilogue<T> epilogue{.bias = b.data<T>(), .relu = k.attrs.flag("relu")};
    if (cpu::conv_pools_with_winners<T>(s)) {
      epilogue.pool = true;
      epilogue.which = which.data<std::uint8_t>();
      return cpu::conv_forward<T>(s, x.data<T>(), w.data<T>(), epilogue, y.data<T>());
    }
    const Ref<Storage> sums = Storage::allocate(static_cast<std::size_t>(whole.numel()) * sizeof(T));
    T* const at = static_cast<T*>(sums->data());
    cpu::conv_forward<T>(s, x.data<T>(), w.data<T>(), epilogue, at);
    const auto pairs = [](Index size) {
      return cpu::PoolAxis{.size = size, .windows = size / 2, .kernel = 2, .stride = 2};
    };
    cpu::max_pool(
        cpu::Pool2d{.planes = whole[1], .images = whole[0], .h = pairs(whole[2]), .w = pairs(whole[3])},
        static_cast<const T*>(at), y.data<T>(), which.data<std::uint8_t>());
  });
  y.finish();
  which.finish();
}

TensorList pooled_with_winners(std::span<const Tensor> in, const Attrs& attrs) {
  const Tensor y = plain_conv2d(in[0], in[1], geometry_of(attrs)) + beside_images(in[2]);
  return apply_all(max_pool2d_op, TensorList{attrs.flag("relu") ? relu(y) : y},
                   {max_pool2d_op.attrs, {Ints{2, 2}, Ints{2, 2}, Ints{0, 0}, Ints{1, 1}, false}});
}

TensorList conv2d_pooled_composed(std::span<const Tensor> in, const Attrs& attrs) {
  return {pooled_with_winners(in, attrs)[0]};
}

// --- conv2d_input_grad

void input_grad_rule(RuleArgs& r) {
  const ConvGeometry g = geometry_of(r.attrs);
  const Ints& size = r.attrs.ints("size");
  const Shape& dy = r.shape(0);
  const Shape& w = r.shape(1);
  require(dy.rank() == 4 && w.rank() == 4, r.op(), "needs dy[N, O, H, W] and w[O, C, rows, columns], got ",
          dy, " and ", w);
  const Shape x = {dy[0], w[1] * g.groups, size[0], size[1]};
  check_sizes(r, g, x, w, &dy);
  images_out(r, x);
}

void input_grad_kernel(const KernelArgs& k) {
  const Tensor dy = in_images_last(k.inputs[0]);
  const RowMajor w(k.inputs[1]);
  visit_type(dy, k, [&]<typename T>(T) {
    cpu::conv_input_gradient<T>(conv_shape(k.attrs, k.outputs[0].shape(), w->shape(), dy.shape()),
                                dy.data<T>(), w->data<T>(), k.out<T>());
  });
}

// Linear in dy, where conv2d is its transpose, and in w.
TensorList input_grad_vjp(const VjpArgs& v) {
  const ConvGeometry g = geometry_of(v.attrs());
  const Tensor& dx = v.dy();
  return {v.needs(0) ? plain_conv2d(dx, v.input(1), g) : Tensor(),
          v.needs(1) ? conv2d_weight_grad(dx, v.input(0), g, image_size(v.shape(1))) : Tensor()};
}

// --- conv2d_weight_grad

void weight_grad_rule(RuleArgs& r) {
  const ConvGeometry g = geometry_of(r.attrs);
  const Ints& size = r.attrs.ints("size");
  const Shape& x = r.shape(0);
  const Shape& dy = r.shape(1);
  require(x.rank() == 4 && dy.rank() == 4, r.op(), "needs x[N, C, H, W] and dy[N, O, H, W], got ", x, " and ",
          dy);
  require<ValueError>(g.groups > 0 && x[1] % g.groups == 0, r.op(), "the ", x[1], " channels of x", x,
                      " do not make ", g.groups, " groups");
  const Shape w = {dy[1], x[1] / g.groups, size[0], size[1]};
  check_sizes(r, g, x, w, &dy);
  r.output(w, r.dtype(0));
}

void weight_grad_kernel(const KernelArgs& k) {
  const Tensor x = in_images_last(k.inputs[0]);
  const Tensor dy = in_images_last(k.inputs[1]);
  visit_type(x, k, [&]<typename T>(T) {
    cpu::conv_weight_gradient<T>(conv_shape(k.attrs, x.shape(), k.outputs[0].shape(), dy.shape()),
                                 x.data<T>(), dy.data<T>(), k.out<T>());
  });
}

// Linear in x and in dy.
TensorList weight_grad_vjp(const VjpArgs& v) {
  const ConvGeometry g = geometry_of(v.attrs());
  const Tensor& dw = v.dy();
  return {v.needs(0) ? conv2d_input_grad(v.input(1), dw, g, image_size(v.shape(0))) : Tensor(),
          v.needs(1) ? plain_conv2d(v.input(0), dw, g) : Tensor()};
}

// Of the convolutions that do more than sum up.
constexpr AttrSchema kEpilogueAttrs = {{"stride", AttrKind::ints},
                                       {"padding", AttrKind::ints},
                                       {"dilation", AttrKind::ints},
                                       {"groups", AttrKind::integer},
                                       {"relu", AttrKind::boolean}};
// Of the gradients; the size is that of their result.
constexpr AttrSchema kGradientAttrs = {{"stride", AttrKind::ints},
                                       {"padding", AttrKind::ints},
                                       {"dilation", AttrKind::ints},
                                       {"groups", AttrKind::integer},
                                       {"size", AttrKind::ints}};

}  // namespace

bool conv2d_pools_with_winners(const Shape& images, const Shape& weights, const Ints& stride,
                               const Ints& padding, const Ints& dilation, Index groups) {
  const ConvGeometry g = {stride, padding, dilation, groups};
  const Shape y = {images[0], weights[0], size_out(g, 0, images[2], weights[2]),
                   size_out(g, 1, images[3], weights[3])};
  if (y[2] < 2 || y[3] < 2) return false;
  return cpu::conv_pools_with_winners<float>({.images = images[0],
                                              .groups = groups,
                                              .in_channels = images[1],
                                              .out_channels = weights[0],
                                              .y = axis_of(g, 0, images, weights, y),
                                              .x = axis_of(g, 1, images, weights, y)});
}

extern constinit const OpDef conv2d_op = {
    .name = "conv2d",
    .attrs = {{"stride", AttrKind::ints},
              {"padding", AttrKind::ints},
              {"dilation", AttrKind::ints},
              {"groups", AttrKind::integer}},
    .inputs = -1,
    .rule = conv2d_rule,
    .kernel = conv2d_kernel,
    .vjp = conv2d_vjp,
    .keeps = {.inputs = keep(0, 1)},
    .onnx = "Conv",
};

extern constinit const OpDef conv2d_fused_op = {
    .name = "conv2d_fused",
    .attrs = kEpilogueAttrs,
    .inputs = -1,
    .rule = conv2d_fused_rule,
    .kernel = conv2d_fused_kernel,
    .vjp = conv2d_fused_vjp,
    .keeps = {.inputs = keep(0, 1, 3), .outputs = keep(0)},
    .composed = conv2d_fused_composed,
};

extern constinit const OpDef conv2d_pooled_op = {
    .name = "conv2d_pooled",
    .attrs = kEpilogueAttrs,
    .inputs = 3,
    .rule = conv2d_pooled_rule,
    .kernel = conv2d_pooled_kernel,
    .composed = conv2d_pooled_composed,
};

extern constinit const OpDef conv2d_max_pool_op = {
    .name = "conv2d_max_pool",
    .attrs = kEpilogueAttrs,
    .inputs = 3,
    .outputs = 2,
    .rule = conv2d_max_pool_rule,
    .kernel = conv2d_max_pool_kernel,
    .composed = pooled_with_winners,
};

extern constinit const OpDef conv2d_input_grad_op = {
    .name = "conv2d_input_grad",
    .attrs = kGradientAttrs,
    .inputs = 2,
    .rule = input_grad_rule,
    .kernel = input_grad_kernel,
    .vjp = input_grad_vjp,
    .keeps = {.inputs = keep(0, 1)},
};

extern constinit const OpDef conv2d_weight_grad_op = {
    .name = "conv2d_weight_grad",
    .attrs = kGradientAttrs,
    .inputs = 2,
    .rule = weight_grad_rule,
    .kernel = weight_grad_kernel,
    .vjp = weight_grad_vjp,
    .keeps = {.inputs = keep(0, 1)},
};

Tensor conv2d_input_grad(const Tensor& dy, const Tensor& w, const ConvGeometry& g, const Ints& size) {
  const OpDef& op = conv2d_input_grad_op;
  return apply(op, {dy, w}, {op.attrs, {g.stride, g.padding, g.dilation, g.groups, size}});
}

Tensor conv2d_weight_grad(const Tensor& x, const Tensor& dy, const ConvGeometry& g, const Ints& size) {
  const OpDef& op = conv2d_weight_grad_op;
  return apply(op, {x, dy}, {op.attrs, {g.stride, g.padding, g.dilation, g.groups, size}});
}

}  // namespace splot
