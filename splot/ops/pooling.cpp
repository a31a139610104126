// What the poolings share.
#include "splot/ops/internal/pooling.h"

namespace splot {
namespace {

// Keeps every product of sizes far from overflow.
constexpr Index kMaxWindow = Index{1} << 30;

cpu::PoolAxis pool_axis(std::string_view op, cpu::PoolAxis axis, bool ceil) {
  const auto [size, windows, kernel, stride, padding, dilation] = axis;
  require<ValueError>(kernel >= 1 && stride >= 1 && dilation >= 1, op,
                      "kernel, stride and dilation must be at least 1, got ", kernel, ", ", stride, " and ",
                      dilation);
  require<ValueError>(padding >= 0 && padding <= kernel / 2, op,
                      "the padding can be 0 to half of the kernel, got ", padding, " for a kernel of ",
                      kernel);
  require<ValueError>(kernel < kMaxWindow && stride < kMaxWindow && dilation < kMaxWindow, op, "a kernel of ",
                      kernel, " with stride ", stride, " and dilation ", dilation, " is too large");
  const Index extent = dilation * (kernel - 1) + 1;
  const Index padded = size + 2 * padding;
  require(size >= 1 && extent <= padded, op, "a window of ", extent, " does not fit into ", size,
          " elements padded to ", padded);
  axis.windows = (padded - extent + (ceil ? stride - 1 : 0)) / stride + 1;
  // A window that begins behind the image and its padding on the left has nothing to see.
  if (ceil && (axis.windows - 1) * stride >= size + padding) --axis.windows;
  return axis;
}

}  // namespace

Ints both_axes(const Ints& values, std::string_view op, const char* what) {
  require<ValueError>(values.size() == 1 || values.size() == 2, op, what,
                      " is one number for both axes or two, got ", values);
  return values.size() == 2 ? values : Ints{values[0], values[0]};
}

Index one_size(const Ints& values, Index fallback, std::string_view op, const char* what) {
  require<ValueError>(values.size() <= 1, op, what, " is one number, got ", values);
  return values.empty() ? fallback : values[0];
}

PoolAxes pool_axes(std::string_view op, const Attrs& attrs, Index h, Index w, bool dilated, bool ceil) {
  const Ints& kernel = attrs.ints("kernel");
  const Ints& stride = attrs.ints("stride");
  const Ints& padding = attrs.ints("padding");
  const Ints dilation = dilated ? attrs.ints("dilation") : Ints{1, 1};
  require<ValueError>(kernel.size() == 2 && stride.size() == 2 && padding.size() == 2 && dilation.size() == 2,
                      op, "kernel ", kernel, ", stride ", stride, ", padding ", padding, " and dilation ",
                      dilation, " must have two numbers each");
  const auto along = [&](int i, Index size) {
    return pool_axis(op,
                     {.size = size,
                      .kernel = kernel[i],
                      .stride = stride[i],
                      .padding = padding[i],
                      .dilation = dilation[i]},
                     ceil);
  };
  return {along(0, h), along(1, w)};
}

PoolAxes with_windows(std::string_view op, const Attrs& attrs, Index h, Index w, const Shape& pooled,
                      bool dilated) {
  const PoolAxes down = pool_axes(op, attrs, h, w, dilated, /*ceil=*/false);
  const PoolAxes up = pool_axes(op, attrs, h, w, dilated, /*ceil=*/true);
  const auto fits = [&](const PoolAxes& axes) {
    return pooled[2] == axes.h.windows && pooled[3] == axes.w.windows;
  };
  require(fits(down) || fits(up), op, "images of ", h, " x ", w, " have ", down.h.windows, " x ",
          down.w.windows, " windows, what was pooled is ", pooled);
  return fits(down) ? down : up;
}

void require_images(const RuleArgs& r, std::size_t i) {
  require<DTypeError>(r.dtype(i) == kFloat32 || r.dtype(i) == kFloat64, r.op(),
                      "needs float32 or float64, got ", r.dtype(i));
  require(r.shape(i).rank() == 4, r.op(), "needs images [N, C, H, W], got ", r.shape(i));
}

}  // namespace splot
