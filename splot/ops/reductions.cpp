// Sums, means and extremes over any axes.
#include <algorithm>

#include "splot/ops/internal/reduce.h"
#include "splot/ops/internal/rules.h"
#include "splot/ops/op_records.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

using cpu::Reduce;

Tensor stretched_back(const Tensor& dy, const VjpArgs& v) { return expand(axes_put_back(dy, v), v.shape(0)); }

// An empty maximum has no value, unlike an empty sum.
void require_elements(const RuleArgs& r) {
  for (const Index axis : r.attrs.ints("axes")) {
    require(r.shape(0)[static_cast<int>(axis)] != 0, r.op(), "has no value over axis ", axis, " of ",
            r.shape(0), ", whose size is 0");
  }
}

template <Reduce kReduction>
void reduce_kernel(const KernelArgs& k) {
  reduce_tensor(kReduction, k.inputs[0], k.attrs.ints("axes"), nullptr, k.outputs[0].dtype(), k.raw_out());
}

// --- sum and prod

void sum_rule(RuleArgs& r) {
  require<DTypeError>(r.dtype(0) != kBFloat16, r.op(),
                      "bfloat16 can only be cast, copied and stored; cast to float32 first");
  const DType dtype = r.dtype(0).is_floating() ? r.dtype(0) : kInt64;
  r.output(reduced_shape(r.shape(0), r.attrs.ints("axes"), r.attrs.flag("keepdim")), dtype);
}

TensorList sum_vjp(const VjpArgs& v) { return {stretched_back(v.dy(), v)}; }

// --- mean

void floating_rule(RuleArgs& r) {
  require<DTypeError>(r.dtype(0) == kFloat32 || r.dtype(0) == kFloat64, r.op(),
                      "needs float32 or float64, got ", r.dtype(0));
  reduction_rule(r);
}

void mean_kernel(const KernelArgs& k) {
  reduce_kernel<Reduce::sum>(k);
  divide_all(k.outputs[0], static_cast<double>(reduced_count(k.inputs[0].shape(), k.attrs.ints("axes"))));
}

TensorList mean_vjp(const VjpArgs& v) {
  const auto n = static_cast<double>(reduced_count(v.shape(0), v.attrs().ints("axes")));
  return {stretched_back(v.dy() / n, v)};
}

// --- var

double degrees_of_freedom(const Shape& shape, const Attrs& attrs) {
  const auto n = static_cast<double>(reduced_count(shape, attrs.ints("axes")));
  return std::max(0.0, n - attrs.number("correction"));
}

// Two passes: the mean, then the squares around it. One pass over x and x^2 cancels when the mean is large.
void var_kernel(const KernelArgs& k) {
  const Tensor& x = k.inputs[0];
  const Axes& axes = k.attrs.ints("axes");
  Tensor centre = Tensor::empty(k.outputs[0].shape(), x.dtype());
  TensorList means = {centre};
  const KernelArgs mean(k.op, k.inputs, {means.data(), 1}, k.attrs);
  mean_kernel(mean);
  reduce_tensor(Reduce::squares, x, axes, centre.raw(), x.dtype(), k.raw_out());
  divide_all(k.outputs[0], degrees_of_freedom(x.shape(), k.attrs));
}

// y = sum (x - m)^2 / d: dx = 2 (x - m) / d dy; what flows through m adds up to 0
TensorList var_vjp(const VjpArgs& v) {
  const Tensor& x = v.input(0);
  const Tensor from_mean = x - mean(x, v.attrs().ints("axes"), /*keepdim=*/true);
  return {from_mean * (axes_put_back(v.dy(), v) * (2.0 / degrees_of_freedom(v.shape(0), v.attrs())))};
}

// --- max and min

void extreme_rule(RuleArgs& r) {
  require_elements(r);
  reduction_rule(r);
}

// dy goes to the elements that equal the result, in equal parts.
TensorList extreme_vjp(const VjpArgs& v) {
  const Tensor x = stop_gradient(v.input(0));
  const Tensor hit = cast(equal(x, stop_gradient(axes_put_back(v.output(), v))), v.dtype(0));
  const Tensor hits = sum(hit, v.attrs().ints("axes"), /*keepdim=*/true);
  return {hit * (axes_put_back(v.dy(), v) / hits)};
}

// --- all and any

void bool_rule(RuleArgs& r) {
  require<DTypeError>(r.dtype(0) != kBFloat16, r.op(),
                      "bfloat16 can only be cast, copied and stored; cast to float32 first");
  r.output(reduced_shape(r.shape(0), r.attrs.ints("axes"), r.attrs.flag("keepdim")), kBool);
}

}  // namespace

#define SPLOT_REDUCTION_ATTRS                                  \
  {                                                            \
    {"axes", AttrKind::ints}, { "keepdim", AttrKind::boolean } \
  }

extern constinit const OpDef sum_op = {
    .name = "sum",
    .attrs = SPLOT_REDUCTION_ATTRS,
    .rule = sum_rule,
    .kernel = reduce_kernel<Reduce::sum>,
    .vjp = sum_vjp,
    .onnx = "ReduceSum",
};

extern constinit const OpDef mean_op = {
    .name = "mean",
    .attrs = SPLOT_REDUCTION_ATTRS,
    .rule = floating_rule,
    .kernel = mean_kernel,
    .vjp = mean_vjp,
    .onnx = "ReduceMean",
};

extern constinit const OpDef var_op = {
    .name = "var",
    .attrs = {{"axes", AttrKind::ints}, {"keepdim", AttrKind::boolean}, {"correction", AttrKind::number}},
    .rule = floating_rule,
    .kernel = var_kernel,
    .vjp = var_vjp,
    .keeps = {.inputs = keep(0)},
};

extern constinit const OpDef max_op = {
    .name = "max",
    .attrs = SPLOT_REDUCTION_ATTRS,
    .rule = extreme_rule,
    .kernel = reduce_kernel<Reduce::max>,
    .vjp = extreme_vjp,
    .keeps = {.inputs = keep(0), .outputs = keep(0)},
    .onnx = "ReduceMax",
};

extern constinit const OpDef min_op = {
    .name = "min",
    .attrs = SPLOT_REDUCTION_ATTRS,
    .rule = extreme_rule,
    .kernel = reduce_kernel<Reduce::min>,
    .vjp = extreme_vjp,
    .keeps = {.inputs = keep(0), .outputs = keep(0)},
    .onnx = "ReduceMin",
};

extern constinit const OpDef all_op = {
    .name = "all",
    .attrs = SPLOT_REDUCTION_ATTRS,
    .rule = bool_rule,
    .kernel = reduce_kernel<Reduce::min>,
    .differentiable = false,
};

extern constinit const OpDef any_op = {
    .name = "any",
    .attrs = SPLOT_REDUCTION_ATTRS,
    .rule = bool_rule,
    .kernel = reduce_kernel<Reduce::max>,
    .differentiable = false,
};

namespace {

Tensor reduction(const OpDef& op, const Tensor& x, const Axes& axes, bool keepdim) {
  return apply(op, {x}, {op.attrs, {normalize_axes(axes, x.shape(), op.name), keepdim}});
}

}  // namespace

Tensor sum(const Tensor& x, const Axes& axes, bool keepdim) { return reduction(sum_op, x, axes, keepdim); }
Tensor mean(const Tensor& x, const Axes& axes, bool keepdim) {
  return reduction(mean_op, as_floating(x), axes, keepdim);
}
Tensor var(const Tensor& x, const Axes& axes, bool keepdim, double correction) {
  return apply(var_op, {as_floating(x)},
               {var_op.attrs, {normalize_axes(axes, x.shape(), "var"), keepdim, correction}});
}
Tensor max(const Tensor& x, const Axes& axes, bool keepdim) { return reduction(max_op, x, axes, keepdim); }
Tensor min(const Tensor& x, const Axes& axes, bool keepdim) { return reduction(min_op, x, axes, keepdim); }
Tensor all(const Tensor& x, const Axes& axes, bool keepdim) { return reduction(all_op, x, axes, keepdim); }
Tensor any(const Tensor& x, const Axes& axes, bool keepdim) { return reduction(any_op, x, axes, keepdim); }

}  // namespace splot
