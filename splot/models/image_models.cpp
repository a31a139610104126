#include "splot/models/image_models.h"

#include "splot/nn/activation_layers.h"
#include "splot/nn/conv.h"
#include "splot/nn/flatten.h"
#include "splot/nn/linear.h"
#include "splot/nn/pooling_layers.h"

namespace splot::models {
namespace {

// fc1, fc2, ... with an activation between any two.
template <typename Activation>
void add_dense(Sequential& net, const Ints& sizes, DType dtype) {
  for (int i = 1; i < sizes.size(); ++i) {
    net.add(join("fc", i), Linear(sizes[i - 1], sizes[i], {.dtype = dtype}));
    if (i + 1 < sizes.size()) net.add(join("act_fc", i), Activation());
  }
}

}  // namespace

Sequential our_multilayer_perceptron(Index size, const ImageModelOptions& o) {
  Sequential net;
  net.add("flatten", Flatten());
  add_dense<ReLU>(net, {o.channels * size * size, 120, 120, 84, o.classes}, o.dtype);
  return net;
}

Sequential our_cnn(const ImageModelOptions& o) {
  Sequential net;
  net.add("conv1", Conv2d(o.channels, 18, {5}, {.dtype = o.dtype})).add("act1", ReLU());
  net.add("pool1", MaxPool2d({2}));
  net.add("conv2", Conv2d(18, 32, {3}, {.dtype = o.dtype})).add("act2", ReLU());
  net.add("pool2", MaxPool2d({2}));
  net.add("flatten", Flatten());
  add_dense<ReLU>(net, {32 * 6 * 6, 120, 84, o.classes}, o.dtype);
  return net;
}

Sequential lenet5(const ImageModelOptions& o) {
  Sequential net;
  net.add("conv1", Conv2d(o.channels, 6, {5}, {.padding = {2}, .dtype = o.dtype})).add("act1", Tanh());
  net.add("pool1", AvgPool2d({2}));
  net.add("conv2", Conv2d(6, 16, {5}, {.dtype = o.dtype})).add("act2", Tanh());
  net.add("pool2", AvgPool2d({2}));
  net.add("flatten", Flatten());
  add_dense<Tanh>(net, {16 * 5 * 5, 120, 84, o.classes}, o.dtype);
  return net;
}

}  // namespace splot::models
