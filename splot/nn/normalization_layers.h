// Normalisation as layers. What they compute is in splot/ops/normalization.h.
#pragma once

#include "splot/nn/layer.h"
#include "splot/ops/normalization.h"

namespace splot {

struct BatchNormOptions {
  double eps = 1e-5;
  double momentum = 0.1;  ///< the share that the newest batch has in the running statistics
  bool affine = true;     ///< with parameters weight and bias
  /// With running statistics, which are used when not learning; without, every batch uses its own.
  bool track_running_stats = true;
  DType dtype = kFloat32;
};

/// What BatchNorm1d and BatchNorm2d share. Parameters weight[C], from 1, and bias[C], from 0; buffers
/// running_mean[C], running_var[C] and num_batches_tracked[], named and kept as PyTorch does: after each
/// batch while learning, running = (1 - momentum) running + momentum batch, of the variance the unbiased
/// estimate.
///
/// Throws ValueError when learning from a batch with a single value for each channel.
class SPLOT_API BatchNorm : public Layer {
 public:
  Tensor forward(const Tensor& x, Context& context) override;
  void visit(Visitor& v) override;

  /// What it comes down to when not learning: y = x scale + shift. Needs tracked statistics.
  ScaleShift scale_shift(DType dtype) const;

  Index channels() const { return channels_; }
  const BatchNormOptions& options() const { return options_; }
  const Parameter& weight() const { return weight_; }           ///< [C]; not defined() unless affine
  const Parameter& bias() const { return bias_; }               ///< [C]; not defined() unless affine
  const Tensor& running_mean() const { return running_mean_; }  ///< [C]; not defined() unless tracked
  const Tensor& running_var() const { return running_var_; }    ///< [C]; not defined() unless tracked
  Tensor num_batches_tracked() const { return batches_; }       ///< int64; not defined() unless tracked

 protected:
  /// `least` and `most` axes are taken, the channels being axis 1. Throws ValueError for no channels.
  BatchNorm(const char* name, int least, int most, Index channels, const BatchNormOptions& options);

 private:
  void remember(const Tensor& mean, const Tensor& var, Index count);

  const char* type_;
  int least_, most_;
  Index channels_;
  BatchNormOptions options_;
  Parameter weight_, bias_;
  Tensor running_mean_, running_var_, batches_;
};

/// Batch normalisation of x[N, C] or x[N, C, L].
class SPLOT_API BatchNorm1d final : public BatchNorm {
 public:
  explicit BatchNorm1d(Index channels, const BatchNormOptions& options = {});
};

/// Batch normalisation of images x[N, C, H, W].
///
///   Sequential(Conv2d(3, 16, {3}), BatchNorm2d(16), ReLU())
class SPLOT_API BatchNorm2d final : public BatchNorm {
 public:
  explicit BatchNorm2d(Index channels, const BatchNormOptions& options = {});
};

struct NormLayerOptions {
  double eps = 1e-5;
  bool affine = true;  ///< with parameters weight, from 1, and bias, from 0
  DType dtype = kFloat32;
};

/// Each sample normalised over its last axes, whose sizes are given.
///
///   LayerNorm({512})   x[..., 512] -> [..., 512]
class SPLOT_API LayerNorm final : public Layer {
 public:
  /// Throws ValueError unless there are sizes and all are positive.
  explicit LayerNorm(const Ints& sizes, const NormLayerOptions& options = {});
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  Ints sizes_;
  NormLayerOptions options_;
  Parameter weight_, bias_;  // [sizes...]
};

/// The channels of each sample normalised in equal groups: x[N, C, ...].
class SPLOT_API GroupNorm final : public Layer {
 public:
  /// Throws ValueError unless the groups divide the channels.
  GroupNorm(Index groups, Index channels, const NormLayerOptions& options = {});
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  Index groups_, channels_;
  NormLayerOptions options_;
  Parameter weight_, bias_;  // [channels]
};

}  // namespace splot
