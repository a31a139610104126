// Batch normalisation with the statistics of the batch.
#include "splot/backend/cpu/batch_norm.h"

#include "splot/ops/internal/images_last.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

void check_batch(const RuleArgs& r, std::size_t at) {
  const Shape& x = r.shape(at);
  require<DTypeError>(r.dtype(at) == kFloat32 || r.dtype(at) == kFloat64, r.op(),
                      "needs float32 or float64, got ", r.dtype(at));
  require(x.rank() >= 2, r.op(), "needs channels on axis 1, got x", x);
  require<ValueError>(r.attrs.number("eps") >= 0, r.op(), "eps must not be negative, got ",
                      r.attrs.number("eps"));
}

void check_channels(const RuleArgs& r, std::size_t at, std::size_t batch, const char* name) {
  const Index channels = r.shape(batch)[1];
  require(r.shape(at) == Shape({channels}), r.op(), "x", r.shape(batch), " has ", channels, " channels, ",
          name, " is ", r.shape(at));
}

cpu::Channels sizes_of(const Tensor& x) {
  const Index channels = x.shape()[1];
  return {.channels = channels, .count = channels == 0 ? 0 : x.numel() / channels};
}

// --- the records' kernels

void batch_norm_rule(RuleArgs& r) {
  require_same_dtype(r);
  check_batch(r, 0);
  check_channels(r, 1, 0, "the weight");
  check_channels(r, 2, 0, "the bias");
  output_images(r, r.shape(0), r.dtype(0));
  r.output(r.shape(1), r.dtype(0));
  r.output(r.shape(1), r.dtype(0));
}

void batch_norm_kernel(const KernelArgs& k) {
  const Tensor x = in_images_last(k.inputs[0]);
  const Tensor weight = contiguous(k.inputs[1]), bias = contiguous(k.inputs[2]);
  const ImagesLastOutput y(k, 0);
  visit_floats(x.dtype(), k.op.name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    cpu::batch_norm(sizes_of(x), x.data<T>(), weight.data<T>(), bias.data<T>(), k.attrs.number("eps"),
                    y.data<T>(), k.out<T>(1), k.out<T>(2));
  });
  y.finish();
}

// x, weight -> mean, var, scale
void batch_norm_stats_rule(RuleArgs& r) {
  require_same_dtype(r);
  check_batch(r, 0);
  check_channels(r, 1, 0, "the weight");
  for (int i = 0; i < 3; ++i) r.output(r.shape(1), r.dtype(0));
}

void batch_norm_stats_kernel(const KernelArgs& k) {
  const Tensor x = in_images_last(k.inputs[0]);
  const Tensor weight = contiguous(k.inputs[1]);
  visit_floats(x.dtype(), k.op.name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    cpu::batch_norm_stats(sizes_of(x), x.data<T>(), weight.data<T>(), k.attrs.number("eps"), k.out<T>(0),
                          k.out<T>(1), k.out<T>(2));
  });
}

// dy, dmean, dvar, x, weight, mean, var. The last two are what batch_norm() found for x.
void batch_norm_grad_rule(RuleArgs& r) {
  require_same_dtype(r);
  check_batch(r, 3);
  require(r.shape(0) == r.shape(3), r.op(), "dy", r.shape(0), " does not have the shape of x", r.shape(3));
  constexpr const char* names[] = {"dy", "dmean", "dvar", "x", "the weight", "the mean", "the variance"};
  for (const std::size_t i : {1, 2, 4, 5, 6}) check_channels(r, i, 3, names[i]);
  output_images(r, r.shape(3), r.dtype(3));
  r.output(r.shape(4), r.dtype(3));
  r.output(r.shape(4), r.dtype(3));
}

void batch_norm_grad_kernel(const KernelArgs& k) {
  const Tensor dy = in_images_last(k.inputs[0]), x = in_images_last(k.inputs[3]);
  TensorList in;
  for (const Tensor& input : k.inputs) in.push_back(input.rank() == 1 ? contiguous(input) : input);
  const ImagesLastOutput dx(k, 0);
  visit_floats(x.dtype(), k.op.name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const cpu::BatchNormGrad<T> args{.dy = dy.data<T>(),
                                     .dmean = in[1].data<T>(),
                                     .dvar = in[2].data<T>(),
                                     .x = x.data<T>(),
                                     .weight = in[4].data<T>(),
                                     .mean = in[5].data<T>(),
                                     .var = in[6].data<T>(),
                                     .eps = k.attrs.number("eps")};
    cpu::batch_norm_grad(sizes_of(x), args, dx.data<T>(), k.out<T>(1), k.out<T>(2));
  });
  dx.finish();
}

// --- the same with other ops

// A batch with its statistics, and means over each channel. Every tensor here has a history that leads to x.
class Batch {
 public:
  Batch(const Tensor& x, double eps) : shape_(x.shape()) {
    for (int i = 0; i < x.rank(); ++i) {
      if (i != 1) axes_.push_back(i);
    }
    mean = average(x);
    distance = x - mean;
    var = average(distance * distance);
    inverse_deviation = rsqrt(var + eps);
    normal = distance * inverse_deviation;
  }

  /// Over each channel, as [1, C, 1, ...]; 0 for an empty batch.
  Tensor average(const Tensor& t) const { return sum(t, axes_, /*keepdim=*/true) / count(); }
  Tensor total(const Tensor& t) const { return sum(t, axes_); }
  /// v[C] as [C, 1, ...], beside x.
  Tensor beside(const Tensor& v) const {
    Ints sizes(shape_.rank() - 1, 1);
    sizes[0] = shape_[1];
    return reshape(v, sizes);
  }
  Tensor per_channel(const Tensor& t) const { return reshape(t, {shape_[1]}); }
  /// What x's way through the statistics leaves of a gradient t: t - mean(t) - normal mean(t normal).
  Tensor projected(const Tensor& t) const { return t - average(t) - normal * average(t * normal); }
  /// Elements in a channel; at least 1, so that an empty batch has finite statistics.
  double count() const { return shape_.numel() == 0 ? 1.0 : static_cast<double>(shape_.numel() / shape_[1]); }

  Tensor mean, distance, var, inverse_deviation, normal;

 private:
  Shape shape_;
  Axes axes_;
};

TensorList batch_norm_composed(std::span<const Tensor> in, const Attrs& attrs) {
  const Batch b(in[0], attrs.number("eps"));
  return {b.normal * b.beside(in[1]) + b.beside(in[2]), b.per_channel(b.mean), b.per_channel(b.var)};
}

TensorList batch_norm_stats_composed(std::span<const Tensor> in, const Attrs& attrs) {
  const Batch b(in[0], attrs.number("eps"));
  return {b.per_channel(b.mean), b.per_channel(b.var), in[1] * b.per_channel(b.inverse_deviation)};
}

// With s = 1 / sqrt(var + eps), h = (x - mean) s and P(t) = t - mean(t) - h mean(t h):
//   dx = w s P(dy) + (dmean + 2 (x - mean) dvar) / M      dweight = sum(dy h)      dbias = sum(dy)
TensorList batch_norm_grad_composed(std::span<const Tensor> in, const Attrs& attrs) {
  const Tensor &dy = in[0], &dmean = in[1], &dvar = in[2], &w = in[4];
  const Batch b(in[3], attrs.number("eps"));
  const Tensor through_statistics = b.beside(dmean) + 2.0 * b.distance * b.beside(dvar);
  return {b.beside(w) * b.inverse_deviation * b.projected(dy) + through_statistics / b.count(),
          b.total(dy * b.normal), b.total(dy)};
}

// --- derivatives

TensorList batch_norm_vjp(const VjpArgs& v) {
  const Tensor mean = stop_gradient(v.output(1)), var = stop_gradient(v.output(2));
  const Tensor in[] = {v.dy(0), v.dy(1), v.dy(2), v.input(0), v.input(1), mean, var};
  return apply_all(batch_norm_grad_op, in, v.attrs());
}

// The cotangents of dx, dweight and dbias are c, cw and cb. With the names from above,
//   for dy:     w s P(c) + h cw + cb
//   for dmean:  mean(c)                      for dvar:  2 mean(c (x - mean))
//   for w:      s sum(c P(dy))
//   for x:      through h, whose gradient is g = dy cw - w s (c mean(dy h) + dy mean(c h)):  s P(g),
//               through s: - s^2 h w mean(c P(dy)),
//               through x - mean: 2 dvar / M (c - mean(c))
// The statistics count as functions of x; as inputs they only save computing them.
TensorList batch_norm_grad_vjp(const VjpArgs& v) {
  const Batch b(v.input(3), v.attrs().number("eps"));
  const Tensor &c = v.dy(0), &dy = v.input(0);
  const Tensor cw = b.beside(v.dy(1)), cb = b.beside(v.dy(2)), w = b.beside(v.input(4));
  const Tensor &s = b.inverse_deviation, &h = b.normal;
  TensorList out(7);
  if (v.needs(0)) out[0] = w * s * b.projected(c) + h * cw + cb;
  if (v.needs(1)) out[1] = b.per_channel(b.average(c));
  if (v.needs(2)) out[2] = b.per_channel(2.0 * b.average(c * b.distance));
  if (!v.needs(3) && !v.needs(4)) return out;
  const Tensor both = b.average(c * b.projected(dy));
  if (v.needs(4)) out[4] = b.per_channel(s * both * b.count());
  if (v.needs(3)) {
    const Tensor g = dy * cw - w * s * (c * b.average(dy * h) + dy * b.average(c * h));
    out[3] = s * b.projected(g) - s * s * h * w * both +
             b.beside(v.input(2)) * (2.0 / b.count()) * (c - b.average(c));
  }
  return out;
}

}  // namespace

extern constinit const OpDef batch_norm_op = {
    .name = "batch_norm",
    .attrs = {{"eps", AttrKind::number}},
    .inputs = 3,
    .outputs = 3,
    .rule = batch_norm_rule,
    .kernel = batch_norm_kernel,
    .vjp = batch_norm_vjp,
    .keeps = {.inputs = keep(0, 1), .outputs = keep(1, 2)},
    .composed = batch_norm_composed,
    .onnx = "BatchNormalization",
};

extern constinit const OpDef batch_norm_stats_op = {
    .name = "batch_norm_stats",
    .attrs = {{"eps", AttrKind::number}},
    .inputs = 2,
    .outputs = 3,
    .rule = batch_norm_stats_rule,
    .kernel = batch_norm_stats_kernel,
    .composed = batch_norm_stats_composed,
};

extern constinit const OpDef batch_norm_grad_op = {
    .name = "batch_norm_grad",
    .attrs = {{"eps", AttrKind::number}},
    .inputs = 7,
    .outputs = 3,
    .rule = batch_norm_grad_rule,
    .kernel = batch_norm_grad_kernel,
    .vjp = batch_norm_grad_vjp,
    .keeps = {.inputs = keep(0, 2, 3, 4)},
    .composed = batch_norm_grad_composed,
};

BatchNormalized batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  const Tensor in[] = {as_floating(x), weight, bias};
  TensorList out = apply_all(batch_norm_op, in, {batch_norm_op.attrs, {eps}});
  return {std::move(out[0]), std::move(out[1]), std::move(out[2])};
}

BatchStats batch_norm_stats(const Tensor& x, const Tensor& weight, double eps) {
  const Tensor in[] = {as_floating(x), weight};
  TensorList out = apply_all(batch_norm_stats_op, in, {batch_norm_stats_op.attrs, {eps}});
  return {std::move(out[0]), std::move(out[1]), std::move(out[2])};
}

}  // namespace splot
