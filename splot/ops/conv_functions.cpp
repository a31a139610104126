// The public convolutions, made of conv2d's records.
#include "splot/ops/conv.h"
#include "splot/ops/internal/conv.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

// One number for each of the axes, from one for all or one for each.
Ints for_axes(const Ints& given, int axes, const char* op, const char* what) {
  require<ValueError>(given.size() == 1 || given.size() == axes, op, what, ' ', given,
                      " should be one number", axes == 1 ? "" : " or two, {along H, along W}");
  return given.size() == axes ? given : Ints(axes, given[0]);
}

// {begin, end} of each axis.
Ints ends(const Ints& given, int axes, const char* op) {
  if (given.size() == 2 * axes && axes > 1) return given;
  if (axes == 1 && given.size() == 2) return given;
  const Ints each = for_axes(given, axes, op, "padding");
  Ints out;
  for (const Index p : each) {
    out.push_back(p);
    out.push_back(p);
  }
  return out;
}

// As many zeros as keep the size, a last odd one at the end.
Ints same_ends(const Ints& stride, const Ints& dilation, const Shape& w, const char* op) {
  Ints out;
  for (int i = 0; i < dilation.size(); ++i) {
    require<ValueError>(stride[i] == 1, op, "padding \"same\" needs stride 1, got ", stride);
    const Index total = dilation[i] * (w[2 + i] - 1);
    out.push_back(total / 2);
    out.push_back(total - total / 2);
  }
  return out;
}

ConvGeometry geometry(const ConvOptions& o, const Shape& w, int axes, const char* op) {
  require(w.rank() == axes + 2, op, "the weights must be [out, in / groups, ",
          axes == 1 ? "elements]" : "rows, columns]", ", got ", w);
  ConvGeometry g{.stride = for_axes(o.stride, axes, op, "stride"),
                 .padding = {},
                 .dilation = for_axes(o.dilation, axes, op, "dilation"),
                 .groups = o.groups};
  g.padding = o.same ? same_ends(g.stride, g.dilation, w, op) : ends(o.padding, axes, op);
  return g;
}

// A signal is an image of one row.
ConvGeometry one_row(const ConvGeometry& g) {
  return {.stride = {1, g.stride[0]},
          .padding = {0, 0, g.padding[0], g.padding[1]},
          .dilation = {1, g.dilation[0]},
          .groups = g.groups};
}

Tensor run_conv2d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvGeometry& g) {
  const Attrs attrs(conv2d_op.attrs, {g.stride, g.padding, g.dilation, g.groups});
  return b.defined() ? apply(conv2d_op, {x, w, b}, attrs) : apply(conv2d_op, {x, w}, attrs);
}

// Calls body(x with an axis of images), and takes that axis away again where x had none.
template <typename Body>
Tensor with_images(const Tensor& x, int rank, const char* op, const char* expected, Body&& body) {
  require(x.rank() == rank || x.rank() == rank - 1, op, "x must be ", expected, ", got ", x.shape());
  return x.rank() == rank ? body(x) : squeeze(body(unsqueeze(x, 0)), {0});
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvOptions& options) {
  const ConvGeometry g = geometry(options, w.shape(), 2, "conv2d");
  return with_images(x, 4, "conv2d", "[N, C, H, W] or [C, H, W]",
                     [&](const Tensor& images) { return run_conv2d(images, w, b, g); });
}

Tensor conv2d(const Tensor& x, const Tensor& w, const ConvOptions& options) {
  return conv2d(x, w, Tensor(), options);
}

Tensor conv2d_fused(const Tensor& x, const Tensor& w, const Tensor& b, const Tensor& scale, bool relu,
                    const ConvOptions& options) {
  const ConvGeometry g = geometry(options, w.shape(), 2, "conv2d_fused");
  const Attrs attrs(conv2d_fused_op.attrs, {g.stride, g.padding, g.dilation, g.groups, relu});
  return with_images(x, 4, "conv2d_fused", "[N, C, H, W] or [C, H, W]", [&](const Tensor& images) {
    return scale.defined() ? apply(conv2d_fused_op, {images, w, b, scale}, attrs)
                           : apply(conv2d_fused_op, {images, w, b}, attrs);
  });
}

Tensor conv2d_pooled(const Tensor& x, const Tensor& w, const Tensor& b, bool relu,
                     const ConvOptions& options) {
  const ConvGeometry g = geometry(options, w.shape(), 2, "conv2d_pooled");
  const Attrs attrs(conv2d_pooled_op.attrs, {g.stride, g.padding, g.dilation, g.groups, relu});
  return with_images(x, 4, "conv2d_pooled", "[N, C, H, W] or [C, H, W]", [&](const Tensor& images) {
    return apply(conv2d_pooled_op, {images, w, b}, attrs);
  });
}

PooledWinners conv2d_max_pool(const Tensor& x, const Tensor& w, const Tensor& b, bool relu,
                              const ConvOptions& options) {
  const ConvGeometry g = geometry(options, w.shape(), 2, "conv2d_max_pool");
  const Attrs attrs(conv2d_max_pool_op.attrs, {g.stride, g.padding, g.dilation, g.groups, relu});
  const TensorList out = apply_all(conv2d_max_pool_op, TensorList{x, w, b}, attrs);
  return {out[0], out[1]};
}

Tensor conv1d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvOptions& options) {
  const ConvGeometry g = one_row(geometry(options, w.shape(), 1, "conv1d"));
  return with_images(x, 3, "conv1d", "[N, C, L] or [C, L]", [&](const Tensor& signals) {
    return squeeze(run_conv2d(unsqueeze(signals, 2), unsqueeze(w, 2), b, g), {2});
  });
}

Tensor conv1d(const Tensor& x, const Tensor& w, const ConvOptions& options) {
  return conv1d(x, w, Tensor(), options);
}

Tensor conv_transpose2d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvTransposeOptions& o) {
  constexpr const char* kName = "conv_transpose2d";
  require(w.rank() == 4, kName, "the weights must be [in, out / groups, rows, columns], got ", w.shape());
  const ConvGeometry g{.stride = for_axes(o.stride, 2, kName, "stride"),
                       .padding = ends(o.padding, 2, kName),
                       .dilation = for_axes(o.dilation, 2, kName, "dilation"),
                       .groups = o.groups};
  const Ints more = for_axes(o.output_padding, 2, kName, "output_padding");
  return with_images(x, 4, kName, "[N, C, H, W] or [C, H, W]", [&](const Tensor& images) {
    Ints size;
    for (int i = 0; i < 2; ++i) {
      require<ValueError>(more[i] >= 0 && more[i] < std::max(g.stride[i], g.dilation[i]), kName,
                          "output_padding ", more,
                          " must be 0 or more and smaller than the stride or the dilation");
      const Index rows = (images.shape()[2 + i] - 1) * g.stride[i] - g.padding[2 * i] - g.padding[2 * i + 1] +
                         g.dilation[i] * (w.shape()[2 + i] - 1) + 1 + more[i];
      require(rows > 0, kName, "padding ", g.padding, " leaves nothing of the output of x", images.shape(),
              " and w", w.shape());
      size.push_back(rows);
    }
    const Tensor y = conv2d_input_grad(images, w, g, size);
    if (!b.defined()) return y;
    require(b.rank() == 1 && b.shape()[0] == y.shape()[1], kName, "the bias b", b.shape(),
            " does not fit the ", y.shape()[1], " output channels of w", w.shape());
    return y + reshape(b, {b.shape()[0], 1, 1});
  });
}

Tensor conv_transpose2d(const Tensor& x, const Tensor& w, const ConvTransposeOptions& options) {
  return conv_transpose2d(x, w, Tensor(), options);
}

}  // namespace splot
