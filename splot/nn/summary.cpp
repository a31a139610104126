#include "splot/nn/summary.h"

#include <algorithm>

#include "splot/core/node.h"
#include "splot/nn/flatten.h"
#include "splot/nn/parameters.h"
#include "splot/nn/registry.h"

namespace splot {
namespace {

// What one layer holds itself.
class Own final : public Visitor {
 public:
  explicit Own(std::vector<Parameter>& seen) : seen_(seen) {}
  void parameter(std::string_view, Parameter& parameter, const Initializer&) override {
    if (!parameter.defined() || std::find(seen_.begin(), seen_.end(), parameter) != seen_.end()) return;
    seen_.push_back(parameter);
    parameters += parameter.shape().numel();
    bytes += parameter.shape().numel() * static_cast<Index>(parameter.dtype().size());
    if (!parameter.frozen()) trainable += parameter.shape().numel();
  }
  void child(std::string_view, Layer&) override { has_children = true; }

  Index parameters = 0;
  Index trainable = 0;
  Index bytes = 0;
  bool has_children = false;

 private:
  std::vector<Parameter>& seen_;
};

}  // namespace

std::vector<LayerSummary> summarize(Layer& layer, const Shape& sample, DType dtype) {
  Ints sizes = {0};
  for (const Index size : sample) sizes.push_back(size);
  std::vector<LayerSummary> out;
  std::vector<Parameter> seen;
  Context context;
  context.observer = [&](std::string_view path, Layer& inner, const Tensor&, const Tensor& y) {
    Own own(seen);
    inner.visit(own);
    if (own.has_children && own.parameters == 0) return;
    const std::span<const Index> shape(y.shape().begin(), y.shape().end());
    const Shape output(shape.empty() ? shape : shape.subspan(1));
    const bool view = dynamic_cast<const Flatten*>(&inner) != nullptr;
    out.push_back({std::string(path), type_name(inner), output, own.parameters, own.trainable,
                   inner.multiply_adds(output), own.bytes,
                   view ? 0 : output.numel() * static_cast<Index>(y.dtype().size())});
  };
  const NoGrad off;
  layer(Tensor::empty(Shape(sizes), dtype), context);
  return out;
}

}  // namespace splot
