// Saliency: which parts of a picture an answer depends on.
#pragma once

#include "splot/core/export.h"
#include "splot/core/tensor.h"
#include "splot/nn/layer.h"

namespace splot {

struct OcclusionOptions {
  Index patch = 0;     ///< side of the square that is covered; 0: a quarter of the shorter side
  Index step = 0;      ///< from one place of the square to the next; 0: half a patch
  double value = 0.0;  ///< what it is covered with: 0, the mean of inputs that are standardised
  Index batch = 64;    ///< covered pictures that run at once
};

/// How much an output falls when a part of the picture is covered: x[1, C, H, W] as the network sees it and
/// one of its outputs y[1, K] -> [H, W] float32. Each pixel has the mean of the falls over all places of the
/// square that cover it, so that what is above 0 speaks for the output and what is below against it. M. D.
/// Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014.
///
/// Throws ShapeError for other shapes, IndexError where there is no such output, ValueError for options that
/// are negative or a patch larger than the picture.
///
///   Tensor heat = occlusion(net, data.batch(7, 1).inputs, 3);
SPLOT_API Tensor occlusion(Layer& model, const Tensor& x, Index output, const OcclusionOptions& options = {});

/// How strongly an output changes with each pixel: the largest absolute derivative over the channels,
/// [1, C, H, W] -> [H, W] float32. K. Simonyan, A. Vedaldi, A. Zisserman, "Deep Inside Convolutional
/// Networks", 2013. Throws ShapeError and IndexError as occlusion(), GradientError when the network's answer
/// does not depend on its input.
///
///   Tensor heat = gradient_saliency(net, data.batch(7, 1).inputs, 3);
SPLOT_API Tensor gradient_saliency(Layer& model, const Tensor& x, Index output);

}  // namespace splot
