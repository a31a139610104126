// One step of an optimiser for one parameter: everything about an element in a single pass.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

struct SgdStepOptions {
  double momentum = 0.0;
  double weight_decay = 0.0;
  bool nesterov = false;
};

/// PyTorch's SGD: {w'} or, with a velocity of w's shape, {w', v'}.
///
///   g' = g + weight_decay w;  v' = momentum v + g'
///   w' = w - lr g', w - lr v' or, with nesterov, w - lr (g' + momentum v')
///
/// w, g and v have one shape and floating dtype; lr is a 0-d floating tensor. Takes w and v over: held by
/// nobody else, their memory becomes the results'.
SPLOT_API TensorList sgd_step(Tensor w, const Tensor& g, Tensor v, const Tensor& lr,
                              const SgdStepOptions& options = {});

struct AdamStepOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.0;     ///< added to the gradient: Adam's
  double decoupled_decay = 0.0;  ///< shrinks the weight itself: AdamW's
};

/// PyTorch's Adam and AdamW: {w', m', v'} for the mean m and the mean square v of the gradients.
///
///   g' = g + weight_decay w
///   m' = beta1 m + (1 - beta1) g';  v' = beta2 v + (1 - beta2) g'^2
///   w' = (1 - lr decoupled_decay) w - lr m' / (1 - beta1^step) / (sqrt(v' / (1 - beta2^step)) + eps)
///
/// w, g, m and v have one shape and floating dtype; lr and step, 1 in the first call, are 0-d floating
/// tensors. Takes w, m and v over: held by nobody else, their memory becomes the results'.
SPLOT_API TensorList adam_step(Tensor w, const Tensor& g, Tensor m, Tensor v, const Tensor& lr,
                               const Tensor& step, const AdamStepOptions& options = {});

}  // namespace splot
