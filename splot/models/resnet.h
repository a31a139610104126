// Deep networks for small pictures whose layers are joined by shortcuts: residual and dense.
#pragma once

#include "splot/models/image_models.h"

namespace splot::models {

struct ResNetOptions {
  Index depth = 20;  ///< layers with weights: 6 n + 2
  bool skip = true;  ///< false: the same layers without shortcuts, what the paper calls plain
  Index channels = 3;
  Index classes = 10;
  DType dtype = kFloat32;
};

/// The residual networks for CIFAR of He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition",
/// 2015, section 4.2: a 3 x 3 convolution, three stages of n blocks with 16, 32 and 64 channels, the mean of
/// each channel, a dense layer. A block is conv - batch norm - relu - conv - batch norm - sum with its input
/// - relu; the first block of the later stages has stride 2 and a shortcut without parameters (PadShortcut).
/// Depths of the paper, with parameters: 20 (269,722), 32 (464,154), 44 (658,586), 56 (853,018), 110
/// (1,727,962).
///
/// x[N, channels, H, W] -> [N, classes]. Names are torchvision's: conv1, bn1, layer1.0.conv1, ..., fc.
/// Weights of convolutions start from he_normal(). Throws ValueError unless the depth is 6 n + 2.
///
///   Sequential net = models::resnet({.depth = 56});
SPLOT_API Sequential resnet(const ResNetOptions& options = {});

struct DenseNetOptions {
  Index depth = 40;   ///< layers with weights: 3 n + 4
  Index growth = 12;  ///< channels that each layer adds
  Index channels = 3;
  Index classes = 10;
  DType dtype = kFloat32;
};

/// The densely connected networks for CIFAR of Huang, Liu, van der Maaten and Weinberger, "Densely Connected
/// Convolutional Networks", 2016, without bottlenecks: a 3 x 3 convolution to 16 channels, three blocks of n
/// layers, each batch norm - relu - 3 x 3 convolution, whose output is put behind all it saw; between the
/// blocks batch norm - relu - 1 x 1 convolution - mean of 2 x 2; at the end batch norm - relu - mean of each
/// channel - dense layer. Depth 40 with growth 12 has 1,019,722 parameters.
///
/// x[N, channels, H, W] -> [N, classes]. Throws ValueError unless the depth is 3 n + 4 and the growth
/// positive.
SPLOT_API Sequential densenet(const DenseNetOptions& options = {});

}  // namespace splot::models
