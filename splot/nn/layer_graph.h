// LayerGraph: layers that take their inputs from any layers before them. Add and Concat join branches.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "splot/nn/layer.h"
#include "splot/nn/sequential.h"

namespace splot {

/// A network that is no chain: every layer says which layers before it, or "input", it takes; without a word
/// it takes the one before it. The last layer's output is the graph's.
///
///   LayerGraph block;                                       // y = relu(x + conv(x))
///   block.add("conv", Conv2d(16, 16, {3}, {.padding = {1}}));
///   block.add("sum", Add(), {"conv", "input"});
///   block.add("relu", ReLU());
class SPLOT_API LayerGraph final : public Layer {
 public:
  LayerGraph() = default;
  explicit LayerGraph(std::vector<NamedLayer> layers);

  /// Appends a layer. Throws ValueError for a name that is taken, empty, "input" or has a dot in it, and for
  /// inputs that are no layers before it.
  LayerGraph& add(std::string name, LayerPtr layer, std::vector<std::string> inputs = {});
  template <MovableLayer T>
  LayerGraph& add(std::string name, T&& layer, std::vector<std::string> inputs = {}) {
    return add(std::move(name), std::make_shared<T>(std::move(layer)), std::move(inputs));
  }

  std::size_t size() const { return nodes_.size(); }
  /// Throws IndexError when there is no such layer.
  Layer& operator[](std::string_view name) const;

  /// Throws ValueError when there are no layers.
  Tensor forward(const Tensor& x, Context& context) override;
  void visit(Visitor& v) override;

 private:
  // Inputs are numbers of values: 0 is the graph's input, i + 1 the output of layer i.
  struct Node {
    NamedLayer named;
    std::vector<std::size_t> sources;
  };
  std::size_t value_called(std::string_view name) const;
  // Whether the output of layer i is the only input of layer i + 1, and nobody else's.
  bool only_feeds_next(std::size_t i) const;

  std::vector<Node> nodes_;
  std::vector<std::size_t> last_use_;  // of each value: the last layer that takes it
};

/// The sum of its inputs, which have the same shape: x1 + x2 + ... What a residual block ends with.
class SPLOT_API Add final : public Layer {
 public:
  Tensor forward(const Tensor& x, Context&) override { return x; }
  Tensor forward_all(std::span<const Tensor> xs, Context&) override;
};

struct ConcatOptions {
  Index axis = 1;  ///< of the channels
};

/// Its inputs one behind the other along an axis; the other sizes are equal. What a dense block is made of.
class SPLOT_API Concat final : public Layer {
 public:
  explicit Concat(const ConcatOptions& options = {}) : options_(options) {}
  Tensor forward(const Tensor& x, Context& context) override;
  Tensor forward_all(std::span<const Tensor> xs, Context&) override;
  void visit(Visitor& v) override;

 private:
  ConcatOptions options_;
};

struct PadShortcutOptions {
  Index stride = 1;    ///< every so many-th row and column is kept
  Index channels = 0;  ///< how many channels of zeros are put around: half before, half and an odd one after
};

/// A way around layers that change the size, without parameters: x[N, C, H, W] -> [N, C + channels, H /
/// stride, W / stride], sizes rounded up. Option A of He et al., "Deep Residual Learning for Image
/// Recognition", 2015.
///
///   PadShortcut({.stride = 2, .channels = 16})   // [64, 16, 32, 32] -> [64, 32, 16, 16]
class SPLOT_API PadShortcut final : public Layer {
 public:
  /// Throws ValueError unless the stride is positive and the channels are not negative.
  explicit PadShortcut(const PadShortcutOptions& options);
  Tensor forward(const Tensor& x, Context&) override;
  void visit(Visitor& v) override;

 private:
  PadShortcutOptions options_;
};

}  // namespace splot
