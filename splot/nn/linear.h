// Linear: the dense layer.
#pragma once

#include "splot/nn/layer.h"

namespace splot {

struct LinearOptions {
  bool bias = true;
  Initializer weight_init = init::inverse_sqrt_uniform();
  Initializer bias_init = init::inverse_sqrt_uniform();  ///< with the weight's fans
  DType dtype = kFloat32;
};

/// y = x W^T + b        x[..., in] -> y[..., out]
///
///   Linear(784, 30, {.weight_init = init::glorot_uniform(), .bias_init = init::zeros()})
class SPLOT_API Linear final : public Layer {
 public:
  /// Throws ValueError unless in and out are positive.
  Linear(Index in, Index out, const LinearOptions& options = {});

  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;
  Index multiply_adds(const Shape& output) const override;

  const Parameter& weight() const { return weight_; }  ///< [out, in]
  const Parameter& bias() const { return bias_; }      ///< [out]; not defined() without a bias

 private:
  Index in_, out_;
  Initializer weight_init_, bias_init_;
  Parameter weight_;
  Parameter bias_;
};

}  // namespace splot
