// One step of an optimiser for one parameter: everything about an element in a single pass.
//
// In all of them w, g and the state have one shape and floating dtype; lr and step are 0-d floating tensors.
// w and the state are taken over: held by nobody else, their memory becomes the results'. The gradient first
// gets those of the penalties l1 sum |w| + weight_decay / 2 sum w^2:
//
//   g' = g + weight_decay w + l1 sign(w)
#pragma once

#include "splot/core/tensor.h"

namespace splot {

struct SgdStepOptions {
  double momentum = 0.0;
  double weight_decay = 0.0;
  bool nesterov = false;
  double l1 = 0.0;
  bool increment = false;  ///< v holds what was last added to the weight
};

/// {w'} or, with a velocity of w's shape, {w', v'}. PyTorch's SGD:
///
///   v' = momentum v + g';  w' = w - lr g', w - lr v' or, with nesterov, w - lr (g' + momentum v')
///
/// With `increment`, the same as long as lr stays:
///
///   v' = momentum v - lr g';  w' = w + v' or, with nesterov, w + momentum v' - lr g'
SPLOT_API TensorList sgd_step(Tensor w, const Tensor& g, Tensor v, const Tensor& lr,
                              const SgdStepOptions& options = {});

struct AdamStepOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.0;     ///< added to the gradient: Adam's
  double decoupled_decay = 0.0;  ///< shrinks the weight itself: AdamW's
  double l1 = 0.0;
};

/// PyTorch's Adam and AdamW: {w', m', v'} for the mean m and the mean square v of the gradients.
///
///   m' = beta1 m + (1 - beta1) g';  v' = beta2 v + (1 - beta2) g'^2
///   w' = (1 - lr decoupled_decay) w - lr m' / (1 - beta1^step) / (sqrt(v' / (1 - beta2^step)) + eps)
///
/// step is 1 in the first call.
SPLOT_API TensorList adam_step(Tensor w, const Tensor& g, Tensor m, Tensor v, const Tensor& lr,
                               const Tensor& step, const AdamStepOptions& options = {});

struct RmspropStepOptions {
  double alpha = 0.99;
  double eps = 1e-8;
  double weight_decay = 0.0;
  double momentum = 0.0;
  bool centered = false;
  double l1 = 0.0;
};

/// PyTorch's RMSprop. The state is the mean square s, then the mean m when centered, then the velocity v when
/// momentum is not 0; the result is {w', s', ...} in the same order.
///
///   s' = alpha s + (1 - alpha) g'^2;  m' = alpha m + (1 - alpha) g'
///   u = g' / (sqrt(s') + eps) or, centered, g' / (sqrt(max(s' - m'^2, 0)) + eps)
///   w' = w - lr u or, with a momentum, v' = momentum v + u;  w' = w - lr v'
SPLOT_API TensorList rmsprop_step(Tensor w, const Tensor& g, TensorList state, const Tensor& lr,
                                  const RmspropStepOptions& options = {});

struct AdagradStepOptions {
  double lr_decay = 0.0;
  double eps = 1e-10;
  double weight_decay = 0.0;
  double l1 = 0.0;
};

/// PyTorch's Adagrad: {w', s'} for the sum s of the squares of all gradients so far.
///
///   s' = s + g'^2;  w' = w - lr / (1 + (step - 1) lr_decay) g' / (sqrt(s') + eps)
SPLOT_API TensorList adagrad_step(Tensor w, const Tensor& g, Tensor s, const Tensor& lr, const Tensor& step,
                                  const AdagradStepOptions& options = {});

}  // namespace splot
