#include "splot/nn/activation_layers.h"

#include <algorithm>

#include "splot/ops/ops.h"

namespace splot {

Tensor Identity::forward(const Tensor& x, Context&) { return identity(x); }
Tensor BinaryStep::forward(const Tensor& x, Context&) { return binary_step(x); }
Tensor Sigmoid::forward(const Tensor& x, Context&) { return sigmoid(x); }
Tensor Tanh::forward(const Tensor& x, Context&) { return tanh(x); }
Tensor Arctan::forward(const Tensor& x, Context&) { return arctan(x); }
Tensor ReLU::forward(const Tensor& x, Context&) { return relu(x); }
Tensor Softplus::forward(const Tensor& x, Context&) { return softplus(x); }
Tensor SiLU::forward(const Tensor& x, Context&) { return silu(x); }
Tensor Softsign::forward(const Tensor& x, Context&) { return softsign(x); }

PReLU::PReLU(const PReLUOptions& options)
    : slope_(options.slope), weight_({std::max<Index>(options.channels, 0)}, options.dtype) {
  require<ValueError>(options.channels > 0, "prelu", "needs at least one channel, got ", options.channels);
}
Tensor PReLU::forward(const Tensor& x, Context&) { return prelu(x, weight_); }
void PReLU::visit(Visitor& v) {
  v.argument("channels", weight_.shape()[0]);
  v.argument("slope", slope_);
  v.argument("dtype", weight_.dtype());
  v.parameter("weight", weight_, init::constant(slope_));
}

Tensor LeakyReLU::forward(const Tensor& x, Context&) { return leaky_relu(x, options_.slope); }
void LeakyReLU::visit(Visitor& v) { v.argument("slope", options_.slope); }

Tensor ELU::forward(const Tensor& x, Context&) { return elu(x, options_.alpha); }
void ELU::visit(Visitor& v) { v.argument("alpha", options_.alpha); }

Tensor GELU::forward(const Tensor& x, Context&) { return gelu(x, options_.tanh ? Gelu::tanh : Gelu::erf); }
void GELU::visit(Visitor& v) { v.argument("tanh", options_.tanh); }

Tensor Softmax::forward(const Tensor& x, Context&) { return softmax(x, options_.axis); }
void Softmax::visit(Visitor& v) { v.argument("axis", options_.axis); }

Tensor LogSoftmax::forward(const Tensor& x, Context&) { return log_softmax(x, options_.axis); }
void LogSoftmax::visit(Visitor& v) { v.argument("axis", options_.axis); }

}  // namespace splot
