// The later lecture's six networks, each a step from the one before: from two convolutions to a residual
// network. For pictures x[N, channels, H, W].
#pragma once

#include "splot/models/image_models.h"
#include "splot/nn/sequential.h"

namespace splot::models {

enum class LectureNetwork {
  cnn,         ///< 32 and 64 maps of 3 x 3, each pooled, 128 units
  dropout,     ///< a fifth of what each pooling gives and half of the units dropped
  batch_norm,  ///< and batch norm after each convolution
  vgg,         ///< after Simonyan and Zisserman, 2014: twice 16, twice 32, twice 64 maps of 3 x 3
  vgg_batch_norm,
};

/// The first five, for pictures of `size` x `size`; the sixth is resnet({.depth = 8}) (resnet.h), after He,
/// Zhang, Ren and Sun, 2015. Of 1 x 28 x 28 numbers and 10 classes they have 225,034, 225,034, 225,130,
/// 146,938 and 147,162 parameters. Relu throughout; the convolutions of the vgg networks begin with He's
/// initialiser. Throws ValueError for pictures that are too small to be pooled as often.
///
///   Sequential net = models::lecture_network(models::LectureNetwork::vgg);
SPLOT_API Sequential lecture_network(LectureNetwork kind, Index size = 28,
                                     const ImageModelOptions& options = {.channels = 1});

}  // namespace splot::models
