// The small networks of the lectures, for pictures x[N, channels, H, W]. Parameters are named as in the
// PyTorch programs they come from, so that weights travel by name.
#pragma once

#include "splot/nn/sequential.h"

namespace splot::models {

struct ImageModelOptions {
  Index channels = 3;
  Index classes = 10;
  DType dtype = kFloat32;
};

/// The lecture's OurMultilayerPerceptron for pictures of `size` x `size`: flatten, then fc1 120, fc2 120, fc3
/// 84 with relu, fc4 to the classes. Of 3 x 32 x 32 numbers it has 394,294 parameters.
SPLOT_API Sequential our_multilayer_perceptron(Index size = 32, const ImageModelOptions& options = {});

/// The lecture's OurCNN for pictures of 32 x 32: conv1 18 of 5 x 5, relu, pool 2, conv2 32 of 3 x 3, relu,
/// pool 2, then fc1 120, fc2 84 with relu, fc3 to the classes: 155,958 parameters.
SPLOT_API Sequential our_cnn(const ImageModelOptions& options = {});

/// LeNet-5 after LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
/// recognition", 1998, for pictures of 28 x 28, as it is usually built today: conv1 6 of 5 x 5 with padding
/// 2, tanh, mean of 2 x 2, conv2 16 of 5 x 5, tanh, mean of 2 x 2, fc1 120, fc2 84 with tanh, fc3 to the
/// classes. All maps of the second convolution see all of the first, and the outputs are sums instead of
/// distances. 61,706 parameters.
SPLOT_API Sequential lenet5(const ImageModelOptions& options = {.channels = 1});

}  // namespace splot::models
