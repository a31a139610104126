// Layers that convolve.
#pragma once

#include "splot/nn/layer.h"
#include "splot/ops/conv.h"

namespace splot {

struct ConvLayerOptions {
  Ints stride = {1};
  Ints padding = {0};
  bool same = false;  ///< as many zeros as keep the size; needs stride 1
  Ints dilation = {1};
  Index groups = 1;
  bool bias = true;
  Initializer weight_init = init::inverse_sqrt_uniform();
  Initializer bias_init = init::inverse_sqrt_uniform();  ///< with the weight's fans
  DType dtype = kFloat32;
};

/// conv2d() of its input with its weights: x[N, in, H, W] -> y[N, out, H', W']. The options mean what they
/// mean there.
///
///   Conv2d(3, 18, {5})                          // 5 x 5
///   Conv2d(16, 16, {3}, {.padding = {1}})
class SPLOT_API Conv2d final : public Layer {
 public:
  /// `kernel` is one number or {rows, columns}. Throws ValueError unless all sizes are positive and the
  /// groups divide the channels.
  Conv2d(Index in, Index out, const Ints& kernel, const ConvLayerOptions& options = {});

  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;
  Index multiply_adds(const Shape& output) const override;
  /// conv2d_fused() of x with this layer's weights: b and scale take the place of its bias.
  Tensor fused(const Tensor& x, const Tensor& b, const Tensor& scale, bool relu) const;

  const Parameter& weight() const { return weight_; }  ///< [out, in / groups, rows, columns]
  const Parameter& bias() const { return bias_; }      ///< [out]; not defined() without a bias

 private:
  Index in_, out_;
  Ints kernel_;
  ConvLayerOptions options_;
  Parameter weight_, bias_;
};

/// conv1d() of its input with its weights: x[N, in, L] -> y[N, out, L'].
///
///   Conv1d(4, 16, 5, {.stride = {2}})
class SPLOT_API Conv1d final : public Layer {
 public:
  Conv1d(Index in, Index out, Index kernel, const ConvLayerOptions& options = {});

  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;
  Index multiply_adds(const Shape& output) const override;

  const Parameter& weight() const { return weight_; }  ///< [out, in / groups, kernel]
  const Parameter& bias() const { return bias_; }      ///< [out]; not defined() without a bias

 private:
  Index in_, out_, kernel_;
  ConvLayerOptions options_;
  Parameter weight_, bias_;
};

struct ConvTransposeLayerOptions {
  Ints stride = {1};
  Ints padding = {0};
  Ints output_padding = {0};
  Ints dilation = {1};
  Index groups = 1;
  bool bias = true;
  Initializer weight_init = init::inverse_sqrt_uniform();
  Initializer bias_init = init::inverse_sqrt_uniform();  ///< with the weight's fans
  DType dtype = kFloat32;
};

/// conv_transpose2d() of its input with its weights: x[N, in, H, W] -> y[N, out, H', W'].
///
///   ConvTranspose2d(16, 8, {2}, {.stride = {2}})   // twice as large
class SPLOT_API ConvTranspose2d final : public Layer {
 public:
  ConvTranspose2d(Index in, Index out, const Ints& kernel, const ConvTransposeLayerOptions& options = {});

  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;
  Index multiply_adds(const Shape& output) const override;

  const Parameter& weight() const { return weight_; }  ///< [in, out / groups, rows, columns]
  const Parameter& bias() const { return bias_; }      ///< [out]; not defined() without a bias

 private:
  Index in_, out_;
  Ints kernel_;
  ConvTransposeLayerOptions options_;
  Parameter weight_, bias_;
};

}  // namespace splot
