// Normalisation with given statistics, and over other parts of a tensor than a batch's channels.
#include "splot/ops/normalization.h"

#include <algorithm>
#include <cmath>

#include "splot/backend/cpu/elementwise.h"
#include "splot/core/node.h"
#include "splot/core/recorder.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

struct ScaleAndShift {
  SPLOT_FORMULA((V x, V scale, V shift), { return fma(x, scale, shift); })
};

struct CenterScaleShift {
  SPLOT_FORMULA((V x, V center, V scale, V shift), { return fma(x - center, scale, shift); })
};

// y = x a + b: dx = dy a, da = dy x, db = dy, each summed over what broadcasting has stretched
TensorList scale_shift_vjp(const VjpArgs& v) {
  return {v.needs(0) ? unbroadcast(v, 0, v.dy() * v.input(1)) : Tensor(),
          v.needs(1) ? unbroadcast(v, 1, v.dy() * v.input(0)) : Tensor(),
          v.needs(2) ? unbroadcast(v, 2, v.dy()) : Tensor()};
}

TensorList scale_shift_composed(std::span<const Tensor> in, const Attrs&) { return {in[0] * in[1] + in[2]}; }

// y = (x - c) a + b: dx = dy a, dc = -dy a, da = dy (x - c), db = dy
TensorList center_scale_shift_vjp(const VjpArgs& v) {
  const Tensor slope = v.needs(0) || v.needs(1) ? v.dy() * v.input(2) : Tensor();
  return {v.needs(0) ? unbroadcast(v, 0, slope) : Tensor(), v.needs(1) ? unbroadcast(v, 1, -slope) : Tensor(),
          v.needs(2) ? unbroadcast(v, 2, v.dy() * (v.input(0) - v.input(1))) : Tensor(),
          v.needs(3) ? unbroadcast(v, 3, v.dy()) : Tensor()};
}

TensorList center_scale_shift_composed(std::span<const Tensor> in, const Attrs&) {
  return {(in[0] - in[1]) * in[2] + in[3]};
}

// v[C] as [C, 1, ...], beside x[N, C, ...].
Tensor beside_channels(const Tensor& v, const Tensor& x) {
  Ints sizes(x.rank() - 1, 1);
  sizes[0] = v.numel();
  return reshape(v, sizes);
}

void require_channels(const Tensor& x, const Tensor& v, const char* op, const char* name) {
  require(x.rank() >= 2, op, "needs channels on axis 1, got x", x);
  require(v.shape() == Shape({x.shape()[1]}), op, "x", x, " has ", x.shape()[1], " channels, ", name, " is ",
          v);
}

// Rows of mean 0 and variance 1: the channels of a batch of one.
Tensor normalized_rows(const Tensor& x, Index rows, double eps) {
  const Index columns = rows == 0 ? 0 : x.numel() / rows;
  const Tensor one = ones({rows}, x.dtype()), zero = zeros({rows}, x.dtype());
  return reshape(batch_norm(reshape(x, {1, rows, columns}), one, zero, eps).y, x.shape().ints());
}

}  // namespace

extern constinit const OpDef scale_shift_op = {
    .name = "scale_shift",
    .inputs = 3,
    .rule = broadcast_inputs,
    .elementwise = elementwise<ScaleAndShift>(),
    .vjp = scale_shift_vjp,
    .keeps = {.inputs = keep(0, 1)},
    .composed = scale_shift_composed,
};

extern constinit const OpDef center_scale_shift_op = {
    .name = "center_scale_shift",
    .inputs = 4,
    .rule = broadcast_inputs,
    .elementwise = elementwise<CenterScaleShift>(),
    .vjp = center_scale_shift_vjp,
    .keeps = {.inputs = keep(0, 1, 2)},
    .composed = center_scale_shift_composed,
};

namespace {

DType common_floating(std::span<const Tensor> operands) {
  const DType dtype = result_type(operands);
  return dtype.is_floating() ? dtype : kFloat32;
}

}  // namespace

Tensor scale_shift(const Tensor& x, const Tensor& scale, const Tensor& shift) {
  const Tensor operands[] = {x, scale, shift};
  const DType common = common_floating(operands);
  return apply(scale_shift_op, {converted(x, common), converted(scale, common), converted(shift, common)});
}

Tensor center_scale_shift(const Tensor& x, const Tensor& center, const Tensor& scale, const Tensor& shift) {
  const Tensor operands[] = {x, center, scale, shift};
  const DType common = common_floating(operands);
  return apply(center_scale_shift_op, {converted(x, common), converted(center, common),
                                       converted(scale, common), converted(shift, common)});
}

namespace {

// With the same roundings as the ops below, in one pass: a few numbers for which five ops would take longer
// than the convolution that uses them.
template <typename T>
ScaleShift computed_scale_shift(const Tensor& weight, const Tensor& bias, const Tensor& mean,
                                const Tensor& var, double eps) {
  const T *w = weight.data<T>(), *b = bias.data<T>(), *m = mean.data<T>(), *v = var.data<T>();
  const Tensor scale = Tensor::build<T>(weight.shape(), [&](std::span<T> out) {
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = w[i] * (T(1) / std::sqrt(v[i] + static_cast<T>(eps)));
  });
  const T* s = scale.data<T>();
  return {scale, Tensor::build<T>(weight.shape(), [&](std::span<T> out) {
            for (std::size_t i = 0; i < out.size(); ++i) out[i] = b[i] - m[i] * s[i];
          })};
}

}  // namespace

ScaleShift batch_norm_scale_shift(const Tensor& weight, const Tensor& bias, const Tensor& mean,
                                  const Tensor& var, double eps) {
  const Tensor all[] = {weight, bias, mean, var};
  // While a function is traced, what is computed of parameters has to be part of it.
  const bool plain =
      recorder() == nullptr && std::all_of(std::begin(all), std::end(all), [&](const Tensor& t) {
        return t.dtype() == weight.dtype() && t.shape() == weight.shape() && t.is_contiguous() &&
               !(grad_enabled() && t.requires_grad());
      });
  if (plain && weight.dtype() == kFloat32) return computed_scale_shift<float>(weight, bias, mean, var, eps);
  if (plain && weight.dtype() == kFloat64) return computed_scale_shift<double>(weight, bias, mean, var, eps);
  const Tensor scale = weight * rsqrt(var + eps);
  return {scale, bias - mean * scale};
}

Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean,
                  const Tensor& var, double eps) {
  require_channels(x, weight, "batch_norm", "the weight");
  require_channels(x, bias, "batch_norm", "the bias");
  require_channels(x, mean, "batch_norm", "the mean");
  require_channels(x, var, "batch_norm", "the variance");
  const ScaleShift s = batch_norm_scale_shift(weight, bias, mean, var, eps);
  return scale_shift(x, beside_channels(s.scale, x), beside_channels(s.shift, x));
}

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  const Shape& last = weight.shape();
  require(last.rank() >= 1 && last.rank() <= x.rank() &&
              std::equal(last.begin(), last.end(), x.shape().end() - last.rank()),
          "layer_norm", "weight", weight, " does not have the sizes of the last axes of x", x);
  require(bias.shape() == last, "layer_norm", "weight", weight, " and bias", bias, " differ");
  Index rows = 1;
  for (int i = 0; i < x.rank() - last.rank(); ++i) rows *= x.shape()[i];
  return scale_shift(normalized_rows(as_floating(x), rows, eps), weight, bias);
}

Tensor group_norm(const Tensor& x, Index groups, const Tensor& weight, const Tensor& bias, double eps) {
  require_channels(x, weight, "group_norm", "the weight");
  require_channels(x, bias, "group_norm", "the bias");
  const Index channels = x.shape()[1];
  require<ValueError>(groups >= 1 && channels % groups == 0, "group_norm", groups,
                      " groups do not divide the ", channels, " channels of x", x);
  return scale_shift(normalized_rows(as_floating(x), x.shape()[0] * groups, eps), beside_channels(weight, x),
                     beside_channels(bias, x));
}

}  // namespace splot
