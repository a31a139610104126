// Dropout.
#pragma once

#include "splot/nn/layer.h"

namespace splot {

struct DropoutOptions {
  double p = 0.5;  ///< of an element to be dropped
};

/// While training, sets each element to 0 with probability p and divides the others by 1 - p; otherwise y =
/// x.
///
/// Which elements is a function of context.key and the layer's path: give each step its own key.counter.
class SPLOT_API Dropout final : public Layer {
 public:
  /// Throws ValueError unless 0 <= p <= 1.
  explicit Dropout(const DropoutOptions& options = {});
  Tensor forward(const Tensor& x, Context& context) override;
  void visit(Visitor& v) override;

 private:
  DropoutOptions options_;
};

}  // namespace splot
