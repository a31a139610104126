#include "splot/models/network3.h"

#include "splot/nn/activation_layers.h"
#include "splot/nn/conv.h"
#include "splot/nn/dropout.h"
#include "splot/nn/flatten.h"
#include "splot/nn/linear.h"
#include "splot/nn/pooling_layers.h"

namespace splot::models {
namespace {

constexpr Index kKernel = 5;

Sequential& add_activation(Sequential& net, bool relu) { return relu ? net.add(ReLU()) : net.add(Sigmoid()); }

void add_maps(Sequential& net, Index channels, Index maps, double deviation, bool relu, DType dtype) {
  net.add(Conv2d(
      channels, maps, {kKernel},
      {.weight_init = init::normal(0.0, deviation), .bias_init = init::normal(0.0, 1.0), .dtype = dtype}));
  net.add(MaxPool2d({2}));
  add_activation(net, relu);
}

void add_units(Sequential& net, Index in, Index units, double deviation, bool relu, DType dtype) {
  net.add(Linear(
      in, units,
      {.weight_init = init::normal(0.0, deviation), .bias_init = init::normal(0.0, 1.0), .dtype = dtype}));
  add_activation(net, relu);
}

}  // namespace

Sequential network3(Network3 kind, DType dtype) {
  const bool relu = kind == Network3::relu || kind == Network3::dropout;
  const bool drop = kind == Network3::dropout;
  Sequential net;
  Index numbers = 28 * 28;
  if (kind != Network3::fc) {
    add_maps(net, 1, 20, 0.0894427191, relu, dtype);  // 1 / sqrt(20 * 25 / 4)
    numbers = 20 * 12 * 12;
  }
  if (kind != Network3::fc && kind != Network3::conv) {
    add_maps(net, 20, 40, 0.0632455532, relu, dtype);  // 1 / sqrt(40 * 25 / 4)
    numbers = 40 * 4 * 4;
  }
  net.add(Flatten());
  const Index units = drop ? 1000 : 100;
  for (int layer = 0; layer < (drop ? 2 : 1); ++layer) {
    if (drop) net.add(Dropout({.p = 0.5}));
    // 1 / sqrt(units), behind a dropout half
    add_units(net, numbers, units, drop ? 0.0158113883 : 0.1, relu, dtype);
    numbers = units;
  }
  if (drop) net.add(Dropout({.p = 0.5}));
  net.add(Linear(numbers, 10, {.weight_init = init::zeros(), .bias_init = init::zeros(), .dtype = dtype}));
  return net;
}

}  // namespace splot::models
