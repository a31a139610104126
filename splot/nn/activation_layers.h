// Activation functions as layers. Their mathematics is in splot/ops/activations.h.
#pragma once

#include "splot/nn/layer.h"

namespace splot {

/// y = x
class SPLOT_API Identity final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override;
};

/// y = max(x, 0)
class SPLOT_API ReLU final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override;
};

/// y = 1 / (1 + exp(-x))
class SPLOT_API Sigmoid final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override;
};

}  // namespace splot
