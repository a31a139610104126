// The networks of chapter 6 of M. Nielsen, Neural Networks and Deep Learning, 2015: digits x[N, 1, 28, 28].
#pragma once

#include "splot/nn/sequential.h"

namespace splot::models {

enum class Network3 {
  fc,       ///< 100 sigmoids: 79,510 parameters
  conv,     ///< 20 maps of 5 x 5 pooled, 100 sigmoids: 289,630
  conv2,    ///< 20 and 40 maps of 5 x 5, each pooled, 100 sigmoids: 85,670
  relu,     ///< conv2 with rectified linear units; network3-expanded gives it more pictures
  dropout,  ///< 20 and 40 maps, twice 1000 rectified linear units, half of what enters each dense layer
            ///< dropped
};

/// As network3.py builds it: maps are pooled, then biased sums go through the activation - the same as before
/// pooling, at a quarter of the work -, weights from N(0, 1/n_out), where n_out is filters k^2 / 4 of a
/// convolution and the number of units of a dense layer, biases from N(0, 1), the last layer zero. Behind a
/// dropout weights are half as large: splot doubles what is kept while learning, the program halves the
/// weights in use. Its outputs are logits.
///
///   Sequential net = models::network3(models::Network3::relu);
///   initialize(net, 1);
SPLOT_API Sequential network3(Network3 kind, DType dtype = kFloat32);

}  // namespace splot::models
