#include "splot/nn/layer_graph.h"

#include <algorithm>
#include <array>

#include "splot/nn/internal/fused_layers.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

constexpr std::string_view kInput = "input";

}  // namespace

LayerGraph::LayerGraph(std::vector<NamedLayer> layers) {
  for (NamedLayer& entry : layers) {
    std::string name = entry.name.empty() ? std::to_string(size()) : std::move(entry.name);
    add(std::move(name), std::move(entry.layer), std::move(entry.inputs));
  }
}

std::size_t LayerGraph::value_called(std::string_view name) const {
  if (name == kInput) return 0;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].named.name == name) return i + 1;
  }
  return nodes_.size() + 1;
}

LayerGraph& LayerGraph::add(std::string name, LayerPtr layer, std::vector<std::string> inputs) {
  require<ValueError>(layer != nullptr, "graph", "layer \"", name, "\" is null");
  require<ValueError>(!name.empty() && name != kInput && name.find('.') == std::string::npos, "graph", '"',
                      name, "\" cannot be a name: it must not be empty, \"input\" or contain a dot");
  require<ValueError>(value_called(name) > nodes_.size(), "graph", "there are two layers called \"", name,
                      '"');
  std::vector<std::size_t> sources;
  for (const std::string& input : inputs) {
    const std::size_t value = value_called(input);
    require<ValueError>(value <= nodes_.size(), "graph", "layer \"", name, "\" takes \"", input,
                        "\", which is no layer before it");
    sources.push_back(value);
  }
  if (inputs.empty()) sources.push_back(nodes_.size());
  last_use_.push_back(0);
  for (const std::size_t value : sources) last_use_[value] = nodes_.size();
  nodes_.push_back({{std::move(name), std::move(layer), std::move(inputs)}, std::move(sources)});
  changed();
  return *this;
}

bool LayerGraph::only_feeds_next(std::size_t i) const {
  if (i + 1 >= nodes_.size() || last_use_[i + 1] != i + 1) return false;
  const std::vector<std::size_t>& sources = nodes_[i + 1].sources;
  return sources.size() == 1 && sources[0] == i + 1;
}

Layer& LayerGraph::operator[](std::string_view name) const {
  const auto node = std::find_if(nodes_.begin(), nodes_.end(),
                                 [&](const Node& candidate) { return candidate.named.name == name; });
  require<IndexError>(node != nodes_.end(), "graph", "there is no layer called \"", name, '"');
  return *node->named.layer;
}

Tensor LayerGraph::forward(const Tensor& x, Context& context) {
  require<ValueError>(!nodes_.empty(), "graph", "there are no layers");
  std::vector<Tensor> values(nodes_.size() + 1);
  values[0] = x;
  std::vector<Tensor> taken;
  for (std::size_t i = 0; i < nodes_.size();) {
    taken.clear();
    for (const std::size_t value : nodes_[i].sources) taken.push_back(values[value]);
    // What nobody needs any more gives its memory back.
    for (const std::size_t value : nodes_[i].sources) {
      if (last_use_[value] == i) values[value] = Tensor();
    }
    std::array<Layer*, kMostFused> next{nodes_[i].named.layer.get()};
    std::size_t count = 1;
    while (count < kMostFused && only_feeds_next(i + count - 1)) {
      next[count] = nodes_[i + count].named.layer.get();
      ++count;
    }
    std::size_t done = taken.size() == 1 ? run_fused({next.data(), count}, taken[0], context) : 0;
    if (done == 0) {
      taken[0] = (*next[0])(taken, context);
      done = 1;
    }
    i += done;
    values[i] = taken[0];
  }
  return values.back();
}

void LayerGraph::visit(Visitor& v) {
  for (const Node& node : nodes_) {
    v.child(node.named.name, *node.named.layer);
    if (!node.named.inputs.empty()) v.inputs(node.named.inputs);
  }
}

// --- joining branches

Tensor Add::forward_all(std::span<const Tensor> xs, Context&) {
  require<ValueError>(!xs.empty(), "add", "needs at least one input");
  Tensor sum = xs[0];
  for (std::size_t i = 1; i < xs.size(); ++i) {
    require(xs[i].shape() == xs[0].shape(), "add", "input 0 is ", xs[0], ", input ", i, " is ", xs[i],
            ": the shapes must be equal");
    sum = sum + xs[i];
  }
  return sum;
}

Tensor Concat::forward(const Tensor& x, Context& context) { return forward_all(std::span(&x, 1), context); }

Tensor Concat::forward_all(std::span<const Tensor> xs, Context&) { return concat(xs, options_.axis); }

void Concat::visit(Visitor& v) { v.argument("axis", options_.axis); }

PadShortcut::PadShortcut(const PadShortcutOptions& options) : options_(options) {
  require<ValueError>(options.stride > 0, "pad_shortcut", "the stride must be positive, got ",
                      options.stride);
  require<ValueError>(options.channels >= 0, "pad_shortcut", "the channels must be 0 or more, got ",
                      options.channels);
}

Tensor PadShortcut::forward(const Tensor& x, Context&) {
  require(x.rank() == 4, "pad_shortcut", "x must be [N, C, H, W], got ", x);
  // A pool of single pixels: unlike a slice it and its gradient keep the order in memory.
  const Tensor y = options_.stride == 1 ? x : avg_pool2d(x, {1}, {.stride = {options_.stride}});
  if (options_.channels == 0) return y;
  const Index before = options_.channels / 2;
  return pad(y, {0, before, 0, 0}, {0, options_.channels - before, 0, 0});
}

void PadShortcut::visit(Visitor& v) {
  v.argument("stride", options_.stride);
  v.argument("channels", options_.channels);
}

}  // namespace splot
