// More examples from those there are: pictures with copies moved by a pixel.
#pragma once

#include "splot/core/export.h"
#include "splot/data/dataset.h"

namespace splot {

/// Every picture followed by four copies of it, moved down, up, right and left by `pixels`: five times as
/// many examples, 5 i + j being copy j of picture i. What leaves a picture is lost, what comes in is 0. The
/// copies are made when they are read and take no memory. This is how M. Nielsen expands MNIST (Neural
/// Networks and Deep Learning, 2015, expand_mnist.py); transforms.h moves pictures by chance instead.
///
/// Throws ShapeError unless examples are pictures [channels, height, width], ValueError unless `pixels` is
/// positive and data has no transforms, which would be lost: give them to what comes back.
///
///   Dataset five = with_displaced(mnist.train, 1);   // 50,000 -> 250,000
SPLOT_API Dataset with_displaced(const Dataset& data, Index pixels);

}  // namespace splot
