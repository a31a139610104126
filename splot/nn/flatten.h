// Flatten: several axes into one.
#pragma once

#include "splot/nn/layer.h"

namespace splot {

struct FlattenOptions {
  Index first = 1;
  Index last = -1;
};

/// The axes first .. last as one, by default all but the samples: x[n, 1, 28, 28] -> y[n, 784]
class SPLOT_API Flatten final : public Layer {
 public:
  explicit Flatten(const FlattenOptions& options = {}) : options_(options) {}
  /// Throws ShapeError when x has no such axes.
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  FlattenOptions options_;
};

}  // namespace splot
