#include "splot/nn/conv.h"

#include "splot/ops/ops.h"

namespace splot {
namespace {

// [first, second / groups, kernel...], checked before anything is made of it.
Shape conv_weight_shape(const char* who, Index first, Index second, const Ints& kernel, Index groups) {
  require<ValueError>(first > 0 && second > 0, who, "needs positive numbers of channels, got ", first,
                      " and ", second);
  require<ValueError>(groups > 0 && first % groups == 0 && second % groups == 0, who, groups,
                      " groups do not divide both ", first, " and ", second, " channels");
  Ints sizes = {first, second / groups};
  for (const Index size : kernel) {
    require<ValueError>(size > 0, who, "the kernel must be positive, got ", kernel);
    sizes.push_back(size);
  }
  return Shape(sizes);
}

Ints rows_and_columns(const char* who, const Ints& kernel) {
  require<ValueError>(kernel.size() == 1 || kernel.size() == 2, who,
                      "the kernel is one number or {rows, columns}, got ", kernel);
  return kernel.size() == 2 ? kernel : Ints(2, kernel[0]);
}

ConvOptions op_options(const ConvLayerOptions& o) {
  return {
      .stride = o.stride, .padding = o.padding, .same = o.same, .dilation = o.dilation, .groups = o.groups};
}

template <typename Options>
void visit_common(Visitor& v, const Options& o, Parameter& weight, Parameter& bias) {
  v.argument("dilation", o.dilation);
  v.argument("groups", o.groups);
  v.argument("bias", bias.defined());
  v.argument("weight_init", o.weight_init.to_string());
  v.argument("bias_init", o.bias_init.to_string());
  v.argument("dtype", weight.dtype());
  v.parameter("weight", weight, o.weight_init);
  v.parameter("bias", bias, o.bias_init);
}

// The numbers in the weights of one output channel.
Index per_output(const Parameter& weight) { return weight.shape().numel() / weight.shape()[0]; }

}  // namespace

Conv2d::Conv2d(Index in, Index out, const Ints& kernel, const ConvLayerOptions& options)
    : in_(in),
      out_(out),
      kernel_(rows_and_columns("conv2d", kernel)),
      options_(options),
      weight_(conv_weight_shape("conv2d", out, in, kernel_, options.groups), options.dtype),
      bias_(options.bias ? Parameter({out}, options.dtype) : Parameter()) {
  options_.bias_init = options.bias_init.with_fans(weight_.shape());
}

Tensor Conv2d::forward(const Tensor& x, Context&) {
  return conv2d(x, weight_, bias_.defined() ? Tensor(bias_) : Tensor(), op_options(options_));
}

Tensor Conv2d::fused(const Tensor& x, const Tensor& b, const Tensor& scale, bool relu) const {
  return conv2d_fused(x, weight_, b, scale, relu, op_options(options_));
}

void Conv2d::visit(Visitor& v) {
  v.argument("in", in_);
  v.argument("out", out_);
  v.argument("kernel", kernel_);
  v.argument("stride", options_.stride);
  v.argument("padding", options_.padding);
  v.argument("same", options_.same);
  visit_common(v, options_, weight_, bias_);
}

Index Conv2d::multiply_adds(const Shape& output) const { return output.numel() * per_output(weight_); }

Conv1d::Conv1d(Index in, Index out, Index kernel, const ConvLayerOptions& options)
    : in_(in),
      out_(out),
      kernel_(kernel),
      options_(options),
      weight_(conv_weight_shape("conv1d", out, in, {kernel}, options.groups), options.dtype),
      bias_(options.bias ? Parameter({out}, options.dtype) : Parameter()) {
  options_.bias_init = options.bias_init.with_fans(weight_.shape());
}

Tensor Conv1d::forward(const Tensor& x, Context&) {
  return conv1d(x, weight_, bias_.defined() ? Tensor(bias_) : Tensor(), op_options(options_));
}

void Conv1d::visit(Visitor& v) {
  v.argument("in", in_);
  v.argument("out", out_);
  v.argument("kernel", kernel_);
  v.argument("stride", options_.stride);
  v.argument("padding", options_.padding);
  v.argument("same", options_.same);
  visit_common(v, options_, weight_, bias_);
}

Index Conv1d::multiply_adds(const Shape& output) const { return output.numel() * per_output(weight_); }

ConvTranspose2d::ConvTranspose2d(Index in, Index out, const Ints& kernel,
                                 const ConvTransposeLayerOptions& options)
    : in_(in),
      out_(out),
      kernel_(rows_and_columns("conv_transpose2d", kernel)),
      options_(options),
      weight_(conv_weight_shape("conv_transpose2d", in, out, kernel_, options.groups), options.dtype),
      bias_(options.bias ? Parameter({out}, options.dtype) : Parameter()) {
  options_.bias_init = options.bias_init.with_fans(weight_.shape());
}

Tensor ConvTranspose2d::forward(const Tensor& x, Context&) {
  return conv_transpose2d(x, weight_, bias_.defined() ? Tensor(bias_) : Tensor(),
                          {.stride = options_.stride,
                           .padding = options_.padding,
                           .output_padding = options_.output_padding,
                           .dilation = options_.dilation,
                           .groups = options_.groups});
}

void ConvTranspose2d::visit(Visitor& v) {
  v.argument("in", in_);
  v.argument("out", out_);
  v.argument("kernel", kernel_);
  v.argument("stride", options_.stride);
  v.argument("padding", options_.padding);
  v.argument("output_padding", options_.output_padding);
  visit_common(v, options_, weight_, bias_);
}

// Of windows that are cut off at the edges all elements count.
Index ConvTranspose2d::multiply_adds(const Shape& output) const {
  const Index windows = output.numel() / out_;
  return windows == 0 ? 0
                      : windows * weight_.shape().numel() /
                            (options_.stride[0] * options_.stride[options_.stride.size() - 1]);
}

}  // namespace splot
