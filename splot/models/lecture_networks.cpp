#include "splot/models/lecture_networks.h"

#include "splot/nn/activation_layers.h"
#include "splot/nn/conv.h"
#include "splot/nn/dropout.h"
#include "splot/nn/flatten.h"
#include "splot/nn/linear.h"
#include "splot/nn/normalization_layers.h"
#include "splot/nn/pooling_layers.h"

namespace splot::models {

Sequential lecture_network(LectureNetwork kind, Index size, const ImageModelOptions& options) {
  const bool vgg = kind == LectureNetwork::vgg || kind == LectureNetwork::vgg_batch_norm;
  const bool normed = kind == LectureNetwork::batch_norm || kind == LectureNetwork::vgg_batch_norm;
  const bool drop = kind != LectureNetwork::cnn;
  Sequential net;
  Index channels = options.channels;
  Index side = size;
  for (Index maps = vgg ? 16 : 32; maps <= 64; maps *= 2) {
    for (int repeated = 0; repeated < (vgg ? 2 : 1); ++repeated) {
      ConvLayerOptions conv{.bias = !normed, .dtype = options.dtype};
      if (vgg) {
        conv.padding = {1};
        conv.weight_init = init::he_normal();
        if (!normed) conv.bias_init = init::zeros();
      }
      net.add(Conv2d(channels, maps, {3}, conv));
      if (normed) net.add(BatchNorm2d(maps, {.dtype = options.dtype}));
      net.add(ReLU());
      channels = maps;
      side -= vgg ? 0 : 2;
    }
    net.add(MaxPool2d({2}));
    if (drop) net.add(Dropout({.p = 0.2}));
    side /= 2;
  }
  require<ValueError>(side > 0, "lecture_network", "pictures of ", size, " x ", size, " are too small");
  net.add(Flatten());
  net.add(Linear(channels * side * side, 128, {.dtype = options.dtype}));
  net.add(ReLU());
  if (drop) net.add(Dropout({.p = 0.5}));
  net.add(Linear(128, options.classes, {.dtype = options.dtype}));
  return net;
}

}  // namespace splot::models
