// What a network looks like, layer by layer.
#pragma once

#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/nn/layer.h"

namespace splot {

/// One layer that holds no others.
struct LayerSummary {
  std::string path;
  std::string type;
  Shape output;             ///< without the axis of samples
  Index parameters = 0;     ///< numbers in its own parameters; shared ones only where they come first
  Index trainable = 0;      ///< of these, not frozen
  Index multiply_adds = 0;  ///< Layer::multiply_adds()
  /// Bytes of its parameters, counted as above, and of what it keeps of one sample while learning: its
  /// output, unless that is only another view of its input.
  Index parameter_bytes = 0;
  Index activation_bytes = 0;
};

/// The layers in the order they run, for samples of this shape. Runs the network once, on a batch without
/// samples: whatever does not fit is told as it would be later.
///
///   for (const LayerSummary& row : summarize(net, {784})) ...
SPLOT_API std::vector<LayerSummary> summarize(Layer& layer, const Shape& sample, DType dtype = kFloat32);

}  // namespace splot
