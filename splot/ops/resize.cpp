// Images of another size: every pixel is a weighted sum of at most four. The derivative is the transposed
// map.
#include "splot/ops/resize.h"

#include <algorithm>
#include <cmath>

#include "splot/ops/internal/images_last.h"
#include "splot/ops/internal/pooling.h"
#include "splot/ops/internal/resample.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

using cpu::LinearAxis;

// The pixel whose area holds the new one's left edge; in float32, as PyTorch finds it for every dtype.
void nearest(Index i, Index from, Index to, LinearAxis& out) {
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  const auto at = static_cast<Index>(std::floor(static_cast<float>(i) * scale));
  out.add_tap(std::min(at, from - 1), 1.0);
}

// The two pixels whose centres lie around the new one's.
void bilinear(Index i, Index from, Index to, bool align_corners, LinearAxis& out) {
  double at = 0.0;
  if (align_corners) {
    at =
        to > 1 ? static_cast<double>(i) * (static_cast<double>(from - 1) / static_cast<double>(to - 1)) : 0.0;
  } else {
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    at = std::max(0.0, (static_cast<double>(i) + 0.5) * scale - 0.5);
  }
  const Index low = std::min(static_cast<Index>(at), from - 1);
  const double share = low + 1 < from ? at - static_cast<double>(low) : 0.0;
  out.add_tap(low, 1.0 - share);
  if (share != 0.0) out.add_tap(low + 1, share);
}

LinearAxis resized_axis(const Attrs& attrs, Index from, Index to) {
  LinearAxis out;
  out.inputs = from;
  const bool is_nearest = attrs.text("mode") == "nearest";
  for (Index i = 0; i < to; ++i) {
    is_nearest ? nearest(i, from, to, out) : bilinear(i, from, to, attrs.flag("align_corners"), out);
    out.end_output();
  }
  return out;
}

// Beyond this, positions are no exact float64 numbers.
constexpr Index kMaxSize = Index{1} << 30;

// For both maps: `size` is that of the output.
void resize_rule(RuleArgs& r) {
  require_images(r, 0);
  const Shape& x = r.shape(0);
  const Ints& size = r.attrs.ints("size");
  const std::string& mode = r.attrs.text("mode");
  require<ValueError>(mode == "nearest" || mode == "bilinear", r.op(), "mode is ", mode,
                      "; it can be nearest or bilinear");
  require<ValueError>(mode == "bilinear" || !r.attrs.flag("align_corners"), r.op(),
                      "align_corners is for bilinear alone");
  require<ValueError>(
      size.size() == 2 && size[0] >= 1 && size[1] >= 1 && size[0] < kMaxSize && size[1] < kMaxSize, r.op(),
      "needs two positive sizes, got ", size);
  require(x[2] >= 1 && x[3] >= 1 && x[2] < kMaxSize && x[3] < kMaxSize, r.op(), "cannot resize images of ",
          x[2], " x ", x[3]);
  output_images(r, {x[0], x[1], size[0], size[1]}, r.dtype(0));
}

// Without images the axes are not worked out: they could be longer than memory.
bool nothing_to_do(const KernelArgs& k) { return k.outputs[0].numel() == 0; }

void resize_kernel(const KernelArgs& k) {
  if (nothing_to_do(k)) return;
  const Shape &x = k.inputs[0].shape(), &y = k.outputs[0].shape();
  resample_images(k, resized_axis(k.attrs, x[2], y[2]), resized_axis(k.attrs, x[3], y[3]));
}

void resize_grad_kernel(const KernelArgs& k) {
  if (nothing_to_do(k)) return;
  const Shape &dx = k.outputs[0].shape(), &dy = k.inputs[0].shape();
  resample_images(k, resized_axis(k.attrs, dx[2], dy[2]).transposed(),
                  resized_axis(k.attrs, dx[3], dy[3]).transposed());
}

// The other of the two maps, back to the size the input had.
Tensor back(const VjpArgs& v, const OpDef& op) {
  const Attrs& a = v.attrs();
  return apply(op, {v.dy()},
               {op.attrs, {Ints{v.shape(0)[2], v.shape(0)[3]}, a.text("mode"), a.flag("align_corners")}});
}
TensorList resize_vjp(const VjpArgs& v) { return {back(v, resize_grad_op)}; }
TensorList resize_grad_vjp(const VjpArgs& v) { return {back(v, resize_op)}; }

constexpr AttrSchema kResizeAttrs = {
    {"size", AttrKind::ints}, {"mode", AttrKind::text}, {"align_corners", AttrKind::boolean}};

}  // namespace

extern constinit const OpDef resize_op = {
    .name = "resize",
    .attrs = kResizeAttrs,
    .rule = resize_rule,
    .kernel = resize_kernel,
    .vjp = resize_vjp,
    .onnx = "Resize",
};

extern constinit const OpDef resize_grad_op = {
    .name = "resize_grad",
    .attrs = kResizeAttrs,
    .rule = resize_rule,
    .kernel = resize_grad_kernel,
    .vjp = resize_grad_vjp,
};

Tensor resize(const Tensor& x, const Ints& size, const ResizeOptions& options) {
  const OpDef& op = resize_op;
  const std::string mode = options.mode == ResizeMode::nearest ? "nearest" : "bilinear";
  const Attrs attrs(op.attrs, {both_axes(size, op.name, "the size"), mode, options.align_corners});
  return on_images(as_floating(x), op.name, [&](const Tensor& images) { return apply(op, {images}, attrs); });
}

}  // namespace splot
