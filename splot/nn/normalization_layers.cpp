#include "splot/nn/normalization_layers.h"

#include "splot/core/node.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

Tensor value_or_ones(const Parameter& p, const Shape& shape, DType dtype) {
  return p.defined() ? p.value() : ones(shape, dtype);
}
Tensor value_or_zeros(const Parameter& p, const Shape& shape, DType dtype) {
  return p.defined() ? p.value() : zeros(shape, dtype);
}

Shape positive_sizes(const Ints& sizes) {
  require<ValueError>(!sizes.empty(), "layer_norm", "needs the size of at least one axis");
  for (const Index size : sizes) {
    require<ValueError>(size > 0, "layer_norm", "needs positive sizes, got ", sizes);
  }
  return Shape(sizes);
}

Parameter parameter_if(bool wanted, const Shape& shape, DType dtype) {
  return wanted ? Parameter(shape, dtype) : Parameter();
}

void visit_affine(Visitor& v, Parameter& weight, Parameter& bias) {
  v.parameter("weight", weight, init::ones());
  v.parameter("bias", bias, init::zeros());
}

}  // namespace

// --- batch norm

BatchNorm::BatchNorm(const char* name, int least, int most, Index channels, const BatchNormOptions& options)
    : type_(name), least_(least), most_(most), channels_(channels), options_(options) {
  require<ValueError>(channels > 0, name, "needs at least one channel, got ", channels);
  require<ValueError>(options.momentum >= 0.0 && options.momentum <= 1.0, name,
                      "momentum must be from 0 to 1, got ", options.momentum);
  require<ValueError>(options.eps >= 0.0, name, "eps must not be negative, got ", options.eps);
  weight_ = parameter_if(options.affine, {channels}, options.dtype);
  bias_ = parameter_if(options.affine, {channels}, options.dtype);
  if (!options.track_running_stats) return;
  running_mean_ = zeros({channels}, options.dtype);
  running_var_ = ones({channels}, options.dtype);
  batches_ = zeros({}, kInt64);
}

Tensor BatchNorm::forward(const Tensor& x, Context& context) {
  require(x.rank() >= least_ && x.rank() <= most_ && x.shape()[1] == channels_, type_, "needs ", least_,
          least_ == most_ ? "" : join(" or ", most_), " axes with ", channels_, " channels on axis 1, got x",
          x);
  const Tensor weight = value_or_ones(weight_, {channels_}, x.dtype());
  const Tensor bias = value_or_zeros(bias_, {channels_}, x.dtype());
  const bool tracked = options_.track_running_stats;
  if (tracked && !context.training) {
    return batch_norm(x, weight, bias, running_mean_, running_var_, options_.eps);
  }
  const Index count = x.numel() / channels_;
  require<ValueError>(!context.training || count != 1, type_,
                      "needs more than one value for each channel while learning, got x", x);
  const BatchNormalized b = batch_norm(x, weight, bias, options_.eps);
  if (tracked) remember(b.mean, b.var, count);
  return b.y;
}

ScaleShift BatchNorm::scale_shift(DType dtype) const {
  return batch_norm_scale_shift(value_or_ones(weight_, {channels_}, dtype),
                                value_or_zeros(bias_, {channels_}, dtype), running_mean_, running_var_,
                                options_.eps);
}

void BatchNorm::remember(const Tensor& mean, const Tensor& var, Index count) {
  const NoGrad off;
  batches_ = batches_ + 1;
  if (count == 0) return;
  const double newest = options_.momentum, before = 1.0 - newest;
  const double unbiased = static_cast<double>(count) / static_cast<double>(count - 1);
  running_mean_ = running_mean_ * before + mean.detach() * newest;
  running_var_ = running_var_ * before + var.detach() * (newest * unbiased);
}

void BatchNorm::visit(Visitor& v) {
  v.argument("channels", channels_);
  v.argument("eps", options_.eps);
  v.argument("momentum", options_.momentum);
  v.argument("affine", options_.affine);
  v.argument("track_running_stats", options_.track_running_stats);
  v.argument("dtype", options_.dtype);
  visit_affine(v, weight_, bias_);
  v.buffer("running_mean", running_mean_);
  v.buffer("running_var", running_var_);
  v.buffer("num_batches_tracked", batches_);
}

BatchNorm1d::BatchNorm1d(Index channels, const BatchNormOptions& options)
    : BatchNorm("batch_norm1d", 2, 3, channels, options) {}

BatchNorm2d::BatchNorm2d(Index channels, const BatchNormOptions& options)
    : BatchNorm("batch_norm2d", 4, 4, channels, options) {}

// --- layer norm

LayerNorm::LayerNorm(const Ints& sizes, const NormLayerOptions& options)
    : sizes_(sizes),
      options_(options),
      weight_(parameter_if(options.affine, positive_sizes(sizes), options.dtype)),
      bias_(parameter_if(options.affine, positive_sizes(sizes), options.dtype)) {}

Tensor LayerNorm::forward(const Tensor& x, Context&) {
  const Shape sizes(sizes_);
  return layer_norm(x, value_or_ones(weight_, sizes, x.dtype()), value_or_zeros(bias_, sizes, x.dtype()),
                    options_.eps);
}

void LayerNorm::visit(Visitor& v) {
  v.argument("sizes", sizes_);
  v.argument("eps", options_.eps);
  v.argument("affine", options_.affine);
  v.argument("dtype", options_.dtype);
  visit_affine(v, weight_, bias_);
}

// --- group norm

GroupNorm::GroupNorm(Index groups, Index channels, const NormLayerOptions& options)
    : groups_(groups), channels_(channels), options_(options) {
  require<ValueError>(groups > 0 && channels > 0 && channels % groups == 0, "group_norm", groups,
                      " groups do not divide ", channels, " channels");
  weight_ = parameter_if(options.affine, {channels}, options.dtype);
  bias_ = parameter_if(options.affine, {channels}, options.dtype);
}

Tensor GroupNorm::forward(const Tensor& x, Context&) {
  return group_norm(x, groups_, value_or_ones(weight_, {channels_}, x.dtype()),
                    value_or_zeros(bias_, {channels_}, x.dtype()), options_.eps);
}

void GroupNorm::visit(Visitor& v) {
  v.argument("groups", groups_);
  v.argument("channels", channels_);
  v.argument("eps", options_.eps);
  v.argument("affine", options_.affine);
  v.argument("dtype", options_.dtype);
  visit_affine(v, weight_, bias_);
}

}  // namespace splot
