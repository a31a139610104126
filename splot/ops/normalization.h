// Normalisation: values brought to mean 0 and variance 1 over a batch, a sample or a group of channels.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// What normalising a batch gives: the result and the statistics of each channel.
struct BatchNormalized {
  Tensor y;
  Tensor mean;  ///< [C]
  Tensor var;   ///< [C], the population's: divided by the number of elements
};

/// y = (x - mean) / sqrt(var + eps) * weight + bias, with the mean and variance that each channel has in this
/// batch (Ioffe and Szegedy, 2015).
///
///   x[N, C, ...]  weight[C]  bias[C]  ->  y like x
///
/// The statistics can be differentiated too. Throws ShapeError unless weight and bias fit the channels.
///
///   BatchNormalized b = batch_norm(x, ones({18}), zeros({18}));   // x[64, 18, 28, 28]
SPLOT_API BatchNormalized batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                     double eps = 1e-5);

/// What each channel of a batch is normalised by.
struct BatchStats {
  Tensor mean;   ///< [C]
  Tensor var;    ///< [C], the population's
  Tensor scale;  ///< [C], weight / sqrt(var + eps)
};
/// The first half of batch_norm(), to the same bits: the second is center_scale_shift() of x, the mean, the
/// scale and the bias, [C, 1, ...] each. There is no derivative.
///
///   BatchStats s = batch_norm_stats(x, ones({18}));   // x[64, 18, 28, 28]
SPLOT_API BatchStats batch_norm_stats(const Tensor& x, const Tensor& weight, double eps = 1e-5);

/// The same with statistics that are given, as in use: one pass over x.
SPLOT_API Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean,
                            const Tensor& var, double eps = 1e-5);

/// y = x scale + shift of one channel each.
struct ScaleShift {
  Tensor scale;  ///< [C]
  Tensor shift;  ///< [C]
};
/// What batch_norm() with given statistics comes down to: scale = weight / sqrt(var + eps), shift = bias -
/// mean scale. A layer in front can take both over into its weights.
SPLOT_API ScaleShift batch_norm_scale_shift(const Tensor& weight, const Tensor& bias, const Tensor& mean,
                                            const Tensor& var, double eps = 1e-5);

/// x scale + shift, rounded once; the three broadcast together.
SPLOT_API Tensor scale_shift(const Tensor& x, const Tensor& scale, const Tensor& shift);

/// (x - center) scale + shift; the difference is rounded, the product is not. The four broadcast together.
SPLOT_API Tensor center_scale_shift(const Tensor& x, const Tensor& center, const Tensor& scale,
                                    const Tensor& shift);

/// Each sample normalised over its last axes, as many as weight has (Ba, Kiros and Hinton, 2016).
///
///   x[..., D]  weight[D]  bias[D]  ->  y like x
///
///   Tensor y = layer_norm(x, ones({512}), zeros({512}));   // x[32, 64, 512]
SPLOT_API Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps = 1e-5);

/// The channels of each sample normalised in equal groups (Wu and He, 2018). Throws ValueError unless the
/// groups divide the channels.
///
///   x[N, C, ...]  weight[C]  bias[C]  ->  y like x
///
///   Tensor y = group_norm(x, 4, ones({32}), zeros({32}));   // x[16, 32, 28, 28]: groups of 8 channels
SPLOT_API Tensor group_norm(const Tensor& x, Index groups, const Tensor& weight, const Tensor& bias,
                            double eps = 1e-5);

}  // namespace splot
