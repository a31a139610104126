// Mean pooling: windows that slide, and windows that divide an image. All are linear, so that the derivative
// is the transposed map, and the derivative of that the pooling again.
#include <algorithm>

#include "splot/ops/internal/images_last.h"
#include "splot/ops/internal/pooling.h"
#include "splot/ops/internal/resample.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {

void resample_images(const KernelArgs& k, const cpu::LinearAxis& rows, const cpu::LinearAxis& columns) {
  if (k.outputs[0].numel() == 0) return;
  const Tensor x = in_images_last(k.inputs[0]);
  const ImagesLastOutput y(k, 0);
  visit_floats(x.dtype(), k.op.name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    cpu::resample(x.shape()[1], x.shape()[0], rows, columns, x.data<T>(), y.data<T>());
  });
  y.finish();
}

namespace {

using cpu::LinearAxis;

// --- sliding windows

// The weights of one axis; those of both are multiplied. A fixed divisor is left to the caller.
LinearAxis means(const cpu::PoolAxis& axis, bool include_pad, bool fixed_divisor) {
  LinearAxis out;
  out.inputs = axis.size;
  for (Index i = 0; i < axis.windows; ++i) {
    const Index start = i * axis.stride - axis.padding;
    const Index padded_end = std::min(start + axis.kernel, axis.size + axis.padding);
    const Index first = std::max<Index>(start, 0), end = std::min(padded_end, axis.size);
    const Index count = include_pad ? padded_end - start : end - first;
    for (Index at = first; at < end; ++at) {
      out.add_tap(at, fixed_divisor ? 1.0 : 1.0 / static_cast<double>(count));
    }
    out.end_output();
  }
  return out;
}

struct Maps {
  LinearAxis rows, columns;

  Maps transposed() const { return {rows.transposed(), columns.transposed()}; }
};

Maps avg_maps(const Attrs& attrs, const PoolAxes& axes) {
  const bool include_pad = attrs.flag("include_pad");
  const Index divisor = attrs.integer("divisor");
  Maps out{means(axes.h, include_pad, divisor != 0), means(axes.w, include_pad, divisor != 0)};
  if (divisor != 0) {
    for (LinearAxis::Tap& tap : out.rows.taps) tap.weight /= static_cast<double>(divisor);
  }
  return out;
}

void check_divisor(const RuleArgs& r) {
  require<ValueError>(r.attrs.integer("divisor") >= 0, r.op(),
                      "the divisor must be positive, or 0 for none, got ", r.attrs.integer("divisor"));
}

PoolAxes avg_axes(const KernelArgs& k, const Shape& large, bool ceil) {
  return pool_axes(k.op.name, k.attrs, large[2], large[3], /*dilated=*/false, ceil);
}

void avg_pool_rule(RuleArgs& r) {
  require_images(r, 0);
  check_divisor(r);
  const Shape& x = r.shape(0);
  const PoolAxes axes = pool_axes(r.op(), r.attrs, x[2], x[3], /*dilated=*/false, r.attrs.flag("ceil"));
  output_images(r, {x[0], x[1], axes.h.windows, axes.w.windows}, r.dtype(0));
}

// Windows of one pixel of one image, as a shortcut with a stride takes them. Adding zero makes 0 of -0, as
// the sums do.
template <typename T>
void pick_pixels(const Tensor& x, const PoolAxes& axes, T* y) {
  const T* plane = x.data<T>();
  for (Index c = 0; c < x.shape()[1]; ++c, plane += axes.h.size * axes.w.size) {
    for (Index i = 0; i < axes.h.windows; ++i) {
      const T* row = plane + i * axes.h.stride * axes.w.size;
      for (Index j = 0; j < axes.w.windows; ++j) *y++ = row[j * axes.w.stride] + T(0);
    }
  }
}

bool is_pixel(const cpu::PoolAxis& axis) { return axis.kernel == 1 && axis.padding == 0; }

void avg_pool_kernel(const KernelArgs& k) {
  const PoolAxes axes = avg_axes(k, k.inputs[0].shape(), k.attrs.flag("ceil"));
  if (k.inputs[0].shape()[0] == 1 && is_pixel(axes.h) && is_pixel(axes.w) &&
      k.attrs.integer("divisor") == 0) {
    const Tensor x = contiguous(k.inputs[0]);
    visit_floats(x.dtype(), k.op.name, [&](auto tag) {
      using T = typename decltype(tag)::type;
      pick_pixels(x, axes, k.out<T>());
    });
    return;
  }
  const Maps maps = avg_maps(k.attrs, axes);
  resample_images(k, maps.rows, maps.columns);
}

void avg_pool_grad_rule(RuleArgs& r) {
  require_images(r, 0);
  check_divisor(r);
  const Shape& dy = r.shape(0);
  const Ints& size = r.attrs.ints("size");
  require<ValueError>(size.size() == 2, r.op(), "size must have two numbers, got ", size);
  with_windows(r.op(), r.attrs, size[0], size[1], dy, /*dilated=*/false);
  output_images(r, {dy[0], dy[1], size[0], size[1]}, r.dtype(0));
}

void avg_pool_grad_kernel(const KernelArgs& k) {
  PoolAxes axes = avg_axes(k, k.outputs[0].shape(), /*ceil=*/false);
  axes.h.windows = k.inputs[0].shape()[2];
  axes.w.windows = k.inputs[0].shape()[3];
  const Maps maps = avg_maps(k.attrs, axes).transposed();
  resample_images(k, maps.rows, maps.columns);
}

TensorList avg_pool_vjp(const VjpArgs& v) {
  const Attrs& a = v.attrs();
  return {apply(avg_pool2d_grad_op, {v.dy()},
                {avg_pool2d_grad_op.attrs,
                 {Ints{v.shape(0)[2], v.shape(0)[3]}, a.ints("kernel"), a.ints("stride"), a.ints("padding"),
                  a.flag("include_pad"), a.integer("divisor")}})};
}

TensorList avg_pool_grad_vjp(const VjpArgs& v) {
  const Attrs& a = v.attrs();
  const Ints& size = a.ints("size");
  const Shape& small = v.shape(0);
  // Whether the windows were counted up can be told from their number alone; it decides nothing else.
  const PoolAxes down = pool_axes("avg_pool2d_grad", a, size[0], size[1], /*dilated=*/false, /*ceil=*/false);
  const bool ceil = down.h.windows != small[2] || down.w.windows != small[3];
  return {apply(avg_pool2d_op, {v.dy()},
                {avg_pool2d_op.attrs,
                 {a.ints("kernel"), a.ints("stride"), a.ints("padding"), ceil, a.flag("include_pad"),
                  a.integer("divisor")}})};
}

// --- as many windows as are asked for

// Window i of n.
struct Span {
  Index first, end;
};
Span adaptive_window(Index i, Index n, Index size) { return {i * size / n, ((i + 1) * size + n - 1) / n}; }

LinearAxis adaptive_means(Index size, Index windows) {
  LinearAxis out;
  out.inputs = size;
  for (Index i = 0; i < windows; ++i) {
    const Span window = adaptive_window(i, windows, size);
    for (Index at = window.first; at < window.end; ++at) {
      out.add_tap(at, 1.0 / static_cast<double>(window.end - window.first));
    }
    out.end_output();
  }
  return out;
}

// Sizes whose products stay far from overflow.
constexpr Index kMaxAdaptive = Index{1} << 30;

void check_adaptive(std::string_view op, const Ints& size, Index h, Index w) {
  require<ValueError>(
      size.size() == 2 && size[0] >= 1 && size[1] >= 1 && size[0] < kMaxAdaptive && size[1] < kMaxAdaptive,
      op, "needs two positive sizes, got ", size);
  require(h >= 1 && w >= 1 && h < kMaxAdaptive && w < kMaxAdaptive, op, "cannot pool images of ", h, " x ",
          w);
}

void adaptive_rule(RuleArgs& r) {
  require_images(r, 0);
  const Shape& x = r.shape(0);
  const Ints& size = r.attrs.ints("size");
  check_adaptive(r.op(), size, x[2], x[3]);
  output_images(r, {x[0], x[1], size[0], size[1]}, r.dtype(0));
}

void adaptive_kernel(const KernelArgs& k) {
  const Shape &x = k.inputs[0].shape(), &y = k.outputs[0].shape();
  resample_images(k, adaptive_means(x[2], y[2]), adaptive_means(x[3], y[3]));
}

void adaptive_grad_kernel(const KernelArgs& k) {
  const Shape &dx = k.outputs[0].shape(), &dy = k.inputs[0].shape();
  resample_images(k, adaptive_means(dx[2], dy[2]).transposed(), adaptive_means(dx[3], dy[3]).transposed());
}

TensorList adaptive_vjp(const VjpArgs& v) {
  const OpDef& op = adaptive_avg_pool2d_grad_op;
  return {apply(op, {v.dy()}, {op.attrs, {Ints{v.shape(0)[2], v.shape(0)[3]}}})};
}
TensorList adaptive_grad_vjp(const VjpArgs& v) {
  const OpDef& op = adaptive_avg_pool2d_op;
  return {apply(op, {v.dy()}, {op.attrs, {Ints{v.shape(0)[2], v.shape(0)[3]}}})};
}

}  // namespace

extern constinit const OpDef avg_pool2d_op = {
    .name = "avg_pool2d",
    .attrs = {{"kernel", AttrKind::ints},
              {"stride", AttrKind::ints},
              {"padding", AttrKind::ints},
              {"ceil", AttrKind::boolean},
              {"include_pad", AttrKind::boolean},
              {"divisor", AttrKind::integer}},
    .rule = avg_pool_rule,
    .kernel = avg_pool_kernel,
    .vjp = avg_pool_vjp,
    .onnx = "AveragePool",
};

extern constinit const OpDef avg_pool2d_grad_op = {
    .name = "avg_pool2d_grad",
    .attrs = {{"size", AttrKind::ints},
              {"kernel", AttrKind::ints},
              {"stride", AttrKind::ints},
              {"padding", AttrKind::ints},
              {"include_pad", AttrKind::boolean},
              {"divisor", AttrKind::integer}},
    .rule = avg_pool_grad_rule,
    .kernel = avg_pool_grad_kernel,
    .vjp = avg_pool_grad_vjp,
};

extern constinit const OpDef adaptive_avg_pool2d_op = {
    .name = "adaptive_avg_pool2d",
    .attrs = {{"size", AttrKind::ints}},
    .rule = adaptive_rule,
    .kernel = adaptive_kernel,
    .vjp = adaptive_vjp,
};

// `size` is that of the images that were pooled.
extern constinit const OpDef adaptive_avg_pool2d_grad_op = {
    .name = "adaptive_avg_pool2d_grad",
    .attrs = {{"size", AttrKind::ints}},
    .rule = adaptive_rule,
    .kernel = adaptive_grad_kernel,
    .vjp = adaptive_grad_vjp,
};

Tensor avg_pool2d(const Tensor& x, const Ints& kernel, const AvgPoolOptions& options) {
  const OpDef& op = avg_pool2d_op;
  const Ints window = both_axes(kernel, op.name, "the kernel");
  const Attrs attrs(
      op.attrs, {window, options.stride.empty() ? window : both_axes(options.stride, op.name, "the stride"),
                 both_axes(options.padding, op.name, "the padding"), options.ceil_mode,
                 options.count_include_pad, options.divisor});
  return on_images(as_floating(x), op.name, [&](const Tensor& images) { return apply(op, {images}, attrs); });
}

Tensor avg_pool1d(const Tensor& x, Index kernel, const AvgPoolOptions& options) {
  return on_lines(x, "avg_pool1d", [&](const Tensor& images) {
    return avg_pool2d(images, {1, kernel},
                      {.stride = {1, one_size(options.stride, kernel, "avg_pool1d", "the stride")},
                       .padding = {0, one_size(options.padding, 0, "avg_pool1d", "the padding")},
                       .ceil_mode = options.ceil_mode,
                       .count_include_pad = options.count_include_pad,
                       .divisor = options.divisor});
  });
}

Tensor adaptive_avg_pool2d(const Tensor& x, const Ints& size) {
  const OpDef& op = adaptive_avg_pool2d_op;
  const Attrs attrs(op.attrs, {both_axes(size, op.name, "the size")});
  return on_images(as_floating(x), op.name, [&](const Tensor& images) { return apply(op, {images}, attrs); });
}

namespace {

// Where windows have not all the same size, each is written out with the last element repeated: that is never
// the first of the largest ones.
struct WrittenOut {
  std::vector<std::int64_t> positions;
  Index kernel = 1;
};
WrittenOut write_out(Index size, Index windows) {
  WrittenOut out;
  for (Index i = 0; i < windows; ++i) {
    const Span window = adaptive_window(i, windows, size);
    out.kernel = std::max(out.kernel, window.end - window.first);
  }
  for (Index i = 0; i < windows; ++i) {
    const Span window = adaptive_window(i, windows, size);
    for (Index k = 0; k < out.kernel; ++k)
      out.positions.push_back(std::min(window.first + k, window.end - 1));
  }
  return out;
}

Tensor along(const Tensor& x, Index axis, const WrittenOut& windows) {
  const auto count = static_cast<Index>(windows.positions.size());
  return index_select(x, axis, Tensor::from(windows.positions, {count}));
}

Tensor adaptive_max(const Tensor& x, const Ints& size) {
  const Shape& s = x.shape();
  check_adaptive("adaptive_max_pool2d", size, s[2], s[3]);
  const bool even = s[2] % size[0] == 0 && s[3] % size[1] == 0;
  if (even) return max_pool2d(x, {s[2] / size[0], s[3] / size[1]});
  const WrittenOut rows = write_out(s[2], size[0]), columns = write_out(s[3], size[1]);
  return max_pool2d(along(along(x, 2, rows), 3, columns), {rows.kernel, columns.kernel});
}

}  // namespace

Tensor adaptive_max_pool2d(const Tensor& x, const Ints& size) {
  const char* op = "adaptive_max_pool2d";
  const Ints both = both_axes(size, op, "the size");
  return on_images(as_floating(x), op, [&](const Tensor& images) { return adaptive_max(images, both); });
}

Tensor adaptive_avg_pool1d(const Tensor& x, Index size) {
  return on_lines(x, "adaptive_avg_pool1d", [&](const Tensor& images) {
    return adaptive_avg_pool2d(images, {1, size});
  });
}
Tensor adaptive_max_pool1d(const Tensor& x, Index size) {
  return on_lines(x, "adaptive_max_pool1d", [&](const Tensor& images) {
    return adaptive_max_pool2d(images, {1, size});
  });
}

Tensor global_avg_pool2d(const Tensor& x) { return squeeze(adaptive_avg_pool2d(x, {1}), {-2, -1}); }
Tensor global_max_pool2d(const Tensor& x) { return squeeze(adaptive_max_pool2d(x, {1}), {-2, -1}); }

}  // namespace splot
