#include "splot/ops/packed.h"

#include <algorithm>

#include "splot/backend/cpu/conv.h"
#include "splot/backend/cpu/packed_linear.h"
#include "splot/backend/cpu/patch_conv.h"
#include "splot/backend/cpu/winograd.h"
#include "splot/core/node.h"
#include "splot/ops/internal/images_last.h"
#include "splot/ops/internal/row_major.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

// How many blocks of this size hold so many.
constexpr Index blocks_of(Index numbers, Index size) { return (numbers + size - 1) / size; }

// --- linear_packed

void linear_packed_rule(RuleArgs& r) {
  for (std::size_t i = 0; i < r.inputs.size(); ++i) {
    if (r.dtype(i) == r.dtype(0) && (r.dtype(i) == kFloat32 || r.dtype(i) == kFloat64)) continue;
    fail<DTypeError>(r.op(), "needs all float32 or all float64, got x ", r.dtype(0), ", packed ", r.dtype(1),
                     ", b ", r.dtype(2));
  }
  const Shape &x = r.shape(0), &w = r.shape(1), &b = r.shape(2);
  require(b.rank() == 1, r.op(), "the bias must be [out], got ", b);
  require(x.rank() >= 1, r.op(), "x must have at least one axis");
  const Shape wanted = {blocks_of(b[0], cpu::kPackedOuts), blocks_of(x[-1], cpu::kPackedNumbers),
                        cpu::kPackedOuts, cpu::kPackedNumbers};
  require(w == wanted, r.op(), "x", x, " and b", b, " take weights that are packed as ", wanted, ", got ", w);
  r.output(x.with(x.rank() - 1, b[0]), r.dtype(0));
}

void linear_packed_kernel(const KernelArgs& k) {
  const RowMajor x(k.inputs[0]), w(k.inputs[1]), b(k.inputs[2]);
  const Index in = x->shape()[-1], out = b->numel();
  visit_floats(x->dtype(), k.op.name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    cpu::packed_linear<T>({.rows = out == 0 ? 0 : k.outputs[0].numel() / out,
                           .in = in,
                           .out = out,
                           .x = x->data<T>(),
                           .w = w->data<T>(),
                           .bias = b->data<T>(),
                           .relu = k.attrs.flag("relu"),
                           .y = k.out<T>()});
  });
}

// The weights as they were, zeros left out.
Tensor unpacked(const Tensor& w, Index out, Index in) {
  const Shape& s = w.shape();
  const Tensor whole = reshape(permute(w, {0, 2, 1, 3}), {s[0] * s[2], s[1] * s[3]});
  return slice(slice(whole, 0, 0, out), 1, 0, in);
}

TensorList linear_packed_composed(std::span<const Tensor> in, const Attrs& attrs) {
  const Tensor y = linear(in[0], unpacked(in[1], in[2].numel(), in[0].shape()[-1]), in[2]);
  return {attrs.flag("relu") ? relu(y) : y};
}

// --- conv2d_winograd

cpu::ConvAxis axis_by_three(Index in, Index before, Index after) {
  return {.in = in, .out = in + before + after - 2, .kernel = 3, .pad = before};
}

cpu::ConvShape shape_by_three(const Shape& x, Index out, const Ints& padding) {
  return {.images = x[0],
          .in_channels = x[1],
          .out_channels = out,
          .y = axis_by_three(x[2], padding[0], padding[1]),
          .x = axis_by_three(x[3], padding[2], padding[3])};
}

void conv2d_winograd_rule(RuleArgs& r) {
  require<ValueError>(r.inputs.size() == 3 || r.inputs.size() == 4, r.op(),
                      "takes x, u, a bias and perhaps a shortcut, got ", r.inputs.size(), " tensors");
  for (std::size_t i = 0; i < r.inputs.size(); ++i) {
    require<DTypeError>(r.dtype(i) == kFloat32, r.op(), "needs all float32, got ", r.dtype(i));
  }
  const Shape &x = r.shape(0), &u = r.shape(1), &b = r.shape(2);
  const Ints& padding = r.attrs.ints("padding");
  require<ValueError>(
      padding.size() == 4 && std::all_of(padding.begin(), padding.end(), [](Index p) { return p >= 0; }),
      r.op(), "the padding must be {top, bottom, left, right}, 0 or more, got ", padding);
  require(x.rank() == 4, r.op(), "the image must be [N, C, H, W], got ", x);
  require(u.rank() == 4 && u[0] == 4 && u[1] == 4 && u[2] == x[1], r.op(), "x", x,
          " takes transformed weights [4, 4, ", x[1], ", out], got ", u);
  require(b == Shape({u[3]}), r.op(), "the bias b", b, " does not fit the ", u[3], " output channels of u",
          u);
  const cpu::ConvShape s = shape_by_three(x, u[3], padding);
  require(s.y.out > 0 && s.x.out > 0, r.op(), "a window of 3 x 3 does not fit into x", x, " with padding ",
          padding);
  if (r.attrs.flag("pool")) {
    require<ValueError>(r.inputs.size() == 3, r.op(), "there is no shortcut where the results are pooled");
    require(s.y.out > 1 && s.x.out > 1, r.op(), "a result of ", s.y.out, " x ", s.x.out,
            " has no window of 2 x 2 to be pooled");
    const Shape pooled = {x[0], u[3], s.y.out / 2, s.x.out / 2};
    return r.output(pooled, kFloat32, images_last(pooled));
  }
  const Shape y = {x[0], u[3], s.y.out, s.x.out};
  require(r.inputs.size() == 3 || r.shape(3) == y, r.op(), "the shortcut should be ", y, ", got ",
          r.inputs.size() == 3 ? y : r.shape(3));
  r.output(y, kFloat32, images_last(y));
}

void conv2d_winograd_kernel(const KernelArgs& k) {
  const Tensor x = in_images_last(k.inputs[0]);
  const RowMajor u(k.inputs[1]), b(k.inputs[2]);
  const Tensor shortcut = k.inputs.size() == 4 ? in_images_last(k.inputs[3]) : Tensor();
  cpu::conv_winograd(shape_by_three(x.shape(), b->numel(), k.attrs.ints("padding")), x.data<float>(),
                     u->data<float>(),
                     {.bias = b->data<float>(), .relu = k.attrs.flag("relu"), .pool = k.attrs.flag("pool")},
                     shortcut.defined() ? shortcut.data<float>() : nullptr, k.out<float>());
}

// w[O, C, 3, 3] with G w Gt = u: the corners of u are those of w, and the two frequencies between are
// (a + b + c) / 2 and (a - b + c) / 2.
Tensor weights_before_winograd(const Tensor& u) {
  const auto back = [](const Tensor& t, Index axis) {
    const auto at = [&](Index i) { return slice(t, axis, i, i + 1); };
    return concat({at(0), at(1) - at(2), at(3)}, axis);
  };
  return permute(back(back(u, 0), 1), {3, 2, 0, 1});
}

TensorList conv2d_winograd_composed(std::span<const Tensor> in, const Attrs& attrs) {
  const Tensor y = conv2d(in[0], weights_before_winograd(in[1]), in[2], {.padding = attrs.ints("padding")});
  const Tensor sum = in.size() == 4 ? y + in[3] : y;
  const Tensor out = attrs.flag("relu") ? relu(sum) : sum;
  return {attrs.flag("pool") ? max_pool2d(out, {.kernel = {2}}) : out};
}

// --- conv2d_patches

// Of x[N, C, H, W] and w[C, KH, KW, O]; sizes of the output may be below 1.
cpu::ConvShape shape_of_patches(const Shape& x, const Shape& w, const Attrs& attrs) {
  const Ints &stride = attrs.ints("stride"), &padding = attrs.ints("padding"),
             &dilation = attrs.ints("dilation");
  const auto axis = [&](int i) {
    const Index room = x[2 + i] + padding[2 * i] + padding[2 * i + 1] - dilation[i] * (w[1 + i] - 1) - 1;
    return cpu::ConvAxis{.in = x[2 + i],
                         .out = room < 0 ? 0 : room / stride[i] + 1,
                         .kernel = w[1 + i],
                         .stride = stride[i],
                         .dilation = dilation[i],
                         .pad = padding[2 * i]};
  };
  return {.images = x[0], .in_channels = x[1], .out_channels = w[3], .y = axis(0), .x = axis(1)};
}

void conv2d_patches_rule(RuleArgs& r) {
  for (std::size_t i = 0; i < r.inputs.size(); ++i) {
    require<DTypeError>(r.dtype(i) == kFloat32, r.op(), "needs all float32, got ", r.dtype(i));
  }
  const auto are = [&](const char* name, int count, Index least) {
    const Ints& given = r.attrs.ints(name);
    require<ValueError>(
        given.size() == count && std::all_of(given.begin(), given.end(), [&](Index n) { return n >= least; }),
        r.op(), name, " must be ", count, " numbers, ", least, " or more, got ", given);
  };
  are("stride", 2, 1);
  are("padding", 4, 0);
  are("dilation", 2, 1);
  const Shape &x = r.shape(0), &w = r.shape(1), &b = r.shape(2);
  require(x.rank() == 4, r.op(), "the image must be [N, C, H, W], got ", x);
  require(w.rank() == 4 && w[0] == x[1] && w[1] > 0 && w[2] > 0, r.op(), "x", x, " takes weights [", x[1],
          ", rows, columns, out], got ", w);
  require(b == Shape({w[3]}), r.op(), "the bias b", b, " does not fit the ", w[3], " output channels of w",
          w);
  const cpu::ConvShape s = shape_of_patches(x, w, r.attrs);
  require(s.y.out > 0 && s.x.out > 0, r.op(), "a window of ", w[1], " x ", w[2], " does not fit into x", x,
          " with padding ", r.attrs.ints("padding"));
  const Shape y = {x[0], w[3], s.y.out, s.x.out};
  r.output(y, kFloat32, images_last(y));
}

// Image by image: each is row-major on its own, and so is what comes out.
void conv2d_patches_kernel(const KernelArgs& k) {
  const NoGrad off;
  const RowMajor x(k.inputs[0]), w(k.inputs[1]), b(k.inputs[2]);
  cpu::ConvShape s = shape_of_patches(x->shape(), w->shape(), k.attrs);
  const Index images = s.images, in = x->numel() / std::max<Index>(1, images);
  const Index out = k.outputs[0].numel() / std::max<Index>(1, images);
  const cpu::ConvEpilogue<float> epilogue{.bias = b->data<float>(), .relu = k.attrs.flag("relu")};
  s.images = 1;
  if (images == 1)
    return cpu::conv_by_patches(s, x->data<float>(), w->data<float>(), epilogue, k.out<float>());
  const Tensor y = Tensor::build<float>(k.outputs[0].shape(), [&](std::span<float> to) {
    for (Index i = 0; i < images; ++i) {
      cpu::conv_by_patches(s, x->data<float>() + i * in, w->data<float>(), epilogue, to.data() + i * out);
    }
  });
  cpu::transpose(images, out, y.data<float>(), out, k.out<float>(), images);
}

TensorList conv2d_patches_composed(std::span<const Tensor> in, const Attrs& attrs) {
  const Tensor y = conv2d(
      in[0], permute(in[1], {3, 0, 1, 2}), in[2],
      {.stride = attrs.ints("stride"), .padding = attrs.ints("padding"), .dilation = attrs.ints("dilation")});
  return {attrs.flag("relu") ? relu(y) : y};
}

}  // namespace

extern constinit const OpDef linear_packed_op = {
    .name = "linear_packed",
    .attrs = {{"relu", AttrKind::boolean}},
    .inputs = 3,
    .rule = linear_packed_rule,
    .kernel = linear_packed_kernel,
    .composed = linear_packed_composed,
};

extern constinit const OpDef conv2d_winograd_op = {
    .name = "conv2d_winograd",
    .attrs = {{"padding", AttrKind::ints}, {"relu", AttrKind::boolean}, {"pool", AttrKind::boolean}},
    .inputs = -1,
    .rule = conv2d_winograd_rule,
    .kernel = conv2d_winograd_kernel,
    .composed = conv2d_winograd_composed,
};

extern constinit const OpDef conv2d_patches_op = {
    .name = "conv2d_patches",
    .attrs = {{"stride", AttrKind::ints},
              {"padding", AttrKind::ints},
              {"dilation", AttrKind::ints},
              {"relu", AttrKind::boolean}},
    .inputs = 3,
    .rule = conv2d_patches_rule,
    .kernel = conv2d_patches_kernel,
    .composed = conv2d_patches_composed,
};

Tensor pack_linear(const Tensor& w) {
  require(w.rank() == 2, "pack_linear", "the weights must be [out, in], got ", w.shape());
  require<DTypeError>(w.dtype() == kFloat32 || w.dtype() == kFloat64, "pack_linear",
                      "needs float32 or float64, got ", w.dtype());
  const Index outs = blocks_of(w.shape()[0], cpu::kPackedOuts);
  const Index groups = blocks_of(w.shape()[1], cpu::kPackedNumbers);
  const Tensor whole =
      pad(w, {0, 0}, {outs * cpu::kPackedOuts - w.shape()[0], groups * cpu::kPackedNumbers - w.shape()[1]});
  return contiguous(
      permute(reshape(whole, {outs, cpu::kPackedOuts, groups, cpu::kPackedNumbers}), {0, 2, 1, 3}));
}

Tensor linear_packed(const Tensor& x, const Tensor& packed, const Tensor& b, bool relu) {
  return apply(linear_packed_op, {x, packed, b}, {linear_packed_op.attrs, {relu}});
}

Tensor winograd_weights(const Tensor& w) {
  require(w.rank() == 4 && w.shape()[2] == 3 && w.shape()[3] == 3, "winograd_weights",
          "the weights must be [out, in, 3, 3], got ", w.shape());
  require<DTypeError>(w.dtype() == kFloat32, "winograd_weights", "needs float32, got ", w.dtype());
  const Tensor dense = contiguous(w);
  const Index out = w.shape()[0], in = w.shape()[1];
  return Tensor::build<float>({4, 4, in, out}, [&](std::span<float> u) {
    if (!u.empty()) cpu::winograd_weights(out, in, dense.data<float>(), u.data());
  });
}

Tensor conv2d_winograd(const Tensor& x, const Tensor& u, const Tensor& b, const Tensor& shortcut,
                       const Ints& padding, bool relu, bool pool) {
  const Attrs attrs(conv2d_winograd_op.attrs, {padding, relu, pool});
  return shortcut.defined() ? apply(conv2d_winograd_op, {x, u, b, shortcut}, attrs)
                            : apply(conv2d_winograd_op, {x, u, b}, attrs);
}

Tensor patch_weights(const Tensor& w) {
  require(w.rank() == 4, "patch_weights", "the weights must be [out, in, rows, columns], got ", w.shape());
  return contiguous(permute(w, {1, 2, 3, 0}));
}

Tensor conv2d_patches(const Tensor& x, const Tensor& w, const Tensor& b, const Ints& stride,
                      const Ints& padding, const Ints& dilation, bool relu) {
  return apply(conv2d_patches_op, {x, w, b}, {conv2d_patches_op.attrs, {stride, padding, dilation, relu}});
}

bool conv2d_by_patches(const Shape& images, const Shape& weights, const Ints& stride) {
  if (images.rank() != 4 || weights.rank() != 4 || weights[1] != images[1] || images.numel() == 0)
    return false;
  cpu::ConvShape s{
      .images = images[0], .in_channels = images[1], .out_channels = weights[0], .y = {}, .x = {}};
  s.y.kernel = weights[2];
  s.x.kernel = weights[3];
  s.y.stride = stride[0];
  s.x.stride = stride[1];
  return cpu::conv_goes_by_patches(s);
}

bool conv2d_by_winograd(const Shape& images, const Shape& weights, const Ints& padding) {
  if (images.rank() != 4 || weights.rank() != 4 || weights[2] != 3 || weights[3] != 3) return false;
  if (weights[1] != images[1] || images.numel() == 0) return false;
  const cpu::ConvShape s = shape_by_three(images, weights[0], padding);
  return s.y.out > 0 && s.x.out > 0 && cpu::conv_goes_by_winograd(s);
}

}  // namespace splot
