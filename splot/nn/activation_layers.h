// Activation functions as layers. Their mathematics is in splot/ops/activations.h and splot/ops/softmax.h.
#pragma once

#include "splot/nn/layer.h"

namespace splot {

/// y = x
class SPLOT_API Identity final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override;
};

/// y = 1 where x >= 0, else 0. Learns nothing: the derivative is 0 everywhere.
class SPLOT_API BinaryStep final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override;
};

/// y = 1 / (1 + exp(-x)), the logistic function
class SPLOT_API Sigmoid final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override;
};

/// y = tanh(x)
class SPLOT_API Tanh final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override;
};

/// y = arctan(x)
class SPLOT_API Arctan final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override;
};

/// y = max(x, 0)
class SPLOT_API ReLU final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override;
};

/// y = log(1 + exp(x))
class SPLOT_API Softplus final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override;
};

/// y = x sigmoid(x)
class SPLOT_API SiLU final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override;
};

/// y = x / (1 + |x|)
class SPLOT_API Softsign final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override;
};

struct PReLUOptions {
  Index channels = 1;   ///< slopes: one for all, or one for each channel, which is axis 1
  double slope = 0.25;  ///< what they start from
  DType dtype = kFloat32;
};

/// y = x where x > 0, else a slope times x that is learned: the parameter "weight" [channels].
class SPLOT_API PReLU final : public Layer {
 public:
  /// Throws ValueError unless there is at least one channel.
  explicit PReLU(const PReLUOptions& options = {});
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  double slope_;
  Parameter weight_;
};

struct LeakyReLUOptions {
  double slope = 0.01;
};

/// y = x where x > 0, else slope x
class SPLOT_API LeakyReLU final : public Layer {
 public:
  explicit LeakyReLU(const LeakyReLUOptions& options = {}) : options_(options) {}
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  LeakyReLUOptions options_;
};

struct ELUOptions {
  double alpha = 1.0;
};

/// y = x where x > 0, else alpha (exp(x) - 1)
class SPLOT_API ELU final : public Layer {
 public:
  explicit ELU(const ELUOptions& options = {}) : options_(options) {}
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  ELUOptions options_;
};

struct GELUOptions {
  bool tanh = false;  ///< the approximation by tanh instead of erf
};

/// y = x times the normal distribution function of x
class SPLOT_API GELU final : public Layer {
 public:
  explicit GELU(const GELUOptions& options = {}) : options_(options) {}
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  GELUOptions options_;
};

struct SoftmaxOptions {
  Index axis = -1;
};

/// y = exp(x) / sum exp(x) over the axis. Not in front of cross_entropy(), which takes logits.
class SPLOT_API Softmax final : public Layer {
 public:
  explicit Softmax(const SoftmaxOptions& options = {}) : options_(options) {}
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  SoftmaxOptions options_;
};

/// y = log(softmax(x)) over the axis
class SPLOT_API LogSoftmax final : public Layer {
 public:
  explicit LogSoftmax(const SoftmaxOptions& options = {}) : options_(options) {}
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  SoftmaxOptions options_;
};

}  // namespace splot
