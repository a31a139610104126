// Sequential: layers one after the other.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "splot/nn/layer.h"

namespace splot {

/// A layer that is given away: a temporary, or std::move(layer).
template <typename T>
concept MovableLayer = std::derived_from<T, Layer>;

/// A layer and its name inside a container.
struct NamedLayer {
  std::string name;
  LayerPtr layer;
  std::vector<std::string> inputs = {};  ///< in a LayerGraph; empty: what comes before
};

/// Layers one after the other. Those without a name are called by their position: "0", "1", ...
///
///   Sequential net(Linear(784, 30), Sigmoid(), Linear(30, 10));
///   net.add("head", Linear(10, 5));              // its weight is "head.weight"
///   Tensor y = net(x);
class SPLOT_API Sequential final : public Layer {
 public:
  Sequential() = default;
  /// Throws ValueError for layers with inputs: those need a LayerGraph.
  explicit Sequential(std::vector<NamedLayer> layers);
  template <MovableLayer First, MovableLayer... Rest>
  explicit Sequential(First&& first, Rest&&... rest) {
    add(std::move(first));
    (add(std::move(rest)), ...);
  }

  /// Appends a layer. Throws ValueError for a name that is taken, empty or has a dot in it.
  Sequential& add(std::string name, LayerPtr layer);
  Sequential& add(LayerPtr layer) { return add(std::to_string(layers_.size()), std::move(layer)); }
  template <MovableLayer T>
  Sequential& add(std::string name, T&& layer) {
    return add(std::move(name), std::make_shared<T>(std::move(layer)));
  }
  template <MovableLayer T>
  Sequential& add(T&& layer) {
    return add(std::make_shared<T>(std::move(layer)));
  }

  /// Puts another layer in the place of the one with this name. Throws IndexError when there is none.
  ///
  ///   net.replace("head", Linear(64, 5));
  Sequential& replace(std::string_view name, LayerPtr layer);
  template <MovableLayer T>
  Sequential& replace(std::string_view name, T&& layer) {
    return replace(name, std::make_shared<T>(std::move(layer)));
  }

  std::size_t size() const { return layers_.size(); }
  /// Throws IndexError when there is no such layer.
  Layer& operator[](std::size_t i) const;
  Layer& operator[](std::string_view name) const;

  Tensor forward(const Tensor& x, Context& context) override;
  void visit(Visitor& v) override;

 private:
  std::vector<NamedLayer> layers_;
};

}  // namespace splot
