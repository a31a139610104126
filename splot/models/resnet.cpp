#include "splot/models/resnet.h"

#include "splot/nn/activation_layers.h"
#include "splot/nn/conv.h"
#include "splot/nn/layer_graph.h"
#include "splot/nn/linear.h"
#include "splot/nn/normalization_layers.h"
#include "splot/nn/pooling_layers.h"

namespace splot::models {
namespace {

Conv2d conv(Index in, Index out, Index kernel, Index stride, DType dtype) {
  return Conv2d(in, out, {kernel},
                {.stride = {stride},
                 .padding = {kernel / 2},
                 .bias = false,
                 .weight_init = init::he_normal(),
                 .dtype = dtype});
}

BatchNorm2d norm(Index channels, DType dtype) { return BatchNorm2d(channels, {.dtype = dtype}); }

// --- residual

Index blocks_of(const ResNetOptions& o) {
  require<ValueError>(o.depth >= 8 && o.depth % 6 == 2, "resnet",
                      "the depth must be 6 n + 2, such as 20, 32 or 56,", " got ", o.depth);
  return (o.depth - 2) / 6;
}

LayerPtr residual_block(Index in, Index out, Index stride, bool skip, DType dtype) {
  auto block = std::make_shared<LayerGraph>();
  block->add("conv1", conv(in, out, 3, stride, dtype)).add("bn1", norm(out, dtype)).add("relu1", ReLU());
  block->add("conv2", conv(out, out, 3, 1, dtype)).add("bn2", norm(out, dtype));
  if (skip && stride == 1 && in == out) {
    block->add("sum", Add(), {"bn2", "input"});
  } else if (skip) {
    block->add("shortcut", PadShortcut({.stride = stride, .channels = out - in}), {"input"});
    block->add("sum", Add(), {"bn2", "shortcut"});
  }
  block->add("relu2", ReLU());
  return block;
}

// --- dense

Index layers_of(const DenseNetOptions& o) {
  require<ValueError>(o.depth >= 7 && o.depth % 3 == 1, "densenet",
                      "the depth must be 3 n + 4, such as 40, got ", o.depth);
  require<ValueError>(o.growth > 0, "densenet", "the growth must be positive, got ", o.growth);
  return (o.depth - 4) / 3;
}

LayerPtr dense_layer(Index in, Index growth, DType dtype) {
  auto layer = std::make_shared<LayerGraph>();
  layer->add("bn1", norm(in, dtype)).add("relu", ReLU()).add("conv1", conv(in, growth, 3, 1, dtype));
  layer->add("concat", Concat(), {"input", "conv1"});
  return layer;
}

LayerPtr transition(Index channels, DType dtype) {
  auto net = std::make_shared<Sequential>();
  net->add("bn1", norm(channels, dtype)).add("relu", ReLU());
  net->add("conv1", conv(channels, channels, 1, 1, dtype)).add("pool", AvgPool2d({2}));
  return net;
}

}  // namespace

Sequential resnet(const ResNetOptions& o) {
  const Index blocks = blocks_of(o);
  Sequential net;
  net.add("conv1", conv(o.channels, 16, 3, 1, o.dtype)).add("bn1", norm(16, o.dtype)).add("relu", ReLU());
  Index channels = 16;
  for (Index stage = 1; stage <= 3; ++stage) {
    const Index out = Index{8} << stage;
    auto layer = std::make_shared<Sequential>();
    for (Index i = 0; i < blocks; ++i) {
      layer->add(residual_block(channels, out, stage > 1 && i == 0 ? 2 : 1, o.skip, o.dtype));
      channels = out;
    }
    net.add(join("layer", stage), std::move(layer));
  }
  net.add("pool", GlobalAvgPool()).add("fc", Linear(channels, o.classes, {.dtype = o.dtype}));
  return net;
}

Sequential densenet(const DenseNetOptions& o) {
  const Index layers = layers_of(o);
  Sequential net;
  Index channels = 16;
  net.add("conv1", conv(o.channels, channels, 3, 1, o.dtype));
  for (Index number = 1; number <= 3; ++number) {
    auto block = std::make_shared<Sequential>();
    for (Index i = 0; i < layers; ++i, channels += o.growth)
      block->add(dense_layer(channels, o.growth, o.dtype));
    net.add(join("block", number), std::move(block));
    if (number < 3) net.add(join("trans", number), transition(channels, o.dtype));
  }
  net.add("bn1", norm(channels, o.dtype)).add("relu", ReLU()).add("pool", GlobalAvgPool());
  net.add("fc", Linear(channels, o.classes, {.dtype = o.dtype}));
  return net;
}

}  // namespace splot::models
