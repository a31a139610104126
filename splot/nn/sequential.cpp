#include "splot/nn/sequential.h"

#include <algorithm>

#include "splot/nn/internal/fused_layers.h"

namespace splot {

Sequential::Sequential(std::vector<NamedLayer> layers) {
  for (NamedLayer& entry : layers) {
    require<ValueError>(entry.inputs.empty(), "sequential", "layer \"", entry.name,
                        "\" has inputs: that needs a graph");
    if (entry.name.empty()) {
      add(std::move(entry.layer));
    } else {
      add(std::move(entry.name), std::move(entry.layer));
    }
  }
}

Sequential& Sequential::add(std::string name, LayerPtr layer) {
  require<ValueError>(layer != nullptr, "sequential", "layer \"", name, "\" is null");
  require<ValueError>(!name.empty() && name.find('.') == std::string::npos, "sequential", '"', name,
                      "\" cannot be a name: it must not be empty or contain a dot");
  for (const NamedLayer& entry : layers_) {
    require<ValueError>(entry.name != name, "sequential", "there are two layers called \"", name, '"');
  }
  layers_.push_back({std::move(name), std::move(layer)});
  changed();
  return *this;
}

Sequential& Sequential::replace(std::string_view name, LayerPtr layer) {
  require<ValueError>(layer != nullptr, "sequential", "layer \"", name, "\" is null");
  const auto place = std::ranges::find(layers_, name, &NamedLayer::name);
  require<IndexError>(place != layers_.end(), "sequential", "there is no layer called \"", name, '"');
  place->layer = std::move(layer);
  changed();
  return *this;
}

Layer& Sequential::operator[](std::size_t i) const {
  require<IndexError>(i < layers_.size(), "sequential", "there is no layer ", i, " among ", layers_.size());
  return *layers_[i].layer;
}

Layer& Sequential::operator[](std::string_view name) const {
  for (const NamedLayer& entry : layers_) {
    if (entry.name == name) return *entry.layer;
  }
  fail<IndexError>("sequential", "there is no layer called \"", name, '"');
}

Tensor Sequential::forward(const Tensor& x, Context& context) {
  Tensor y = x;
  for (std::size_t i = 0; i < layers_.size();) {
    std::array<Layer*, kMostFused> next{};
    const std::size_t count = std::min(kMostFused, layers_.size() - i);
    for (std::size_t j = 0; j < count; ++j) next[j] = layers_[i + j].layer.get();
    const std::size_t done = run_fused({next.data(), count}, y, context);
    if (done == 0) y = (*layers_[i].layer)(y, context);
    i += std::max<std::size_t>(1, done);
  }
  return y;
}

void Sequential::visit(Visitor& v) {
  for (const NamedLayer& entry : layers_) v.child(entry.name, *entry.layer);
}

}  // namespace splot
