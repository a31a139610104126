// How well pictures are told when they are shifted, enlarged and turned.
#pragma once

#include <functional>
#include <vector>

#include "splot/core/export.h"
#include "splot/data/dataset.h"
#include "splot/data/motion.h"
#include "splot/nn/layer.h"

namespace splot {

struct RobustnessOptions {
  Index shift = 4;  ///< steps to each side: 4 gives 9 x 9 places
  double step = 0;  ///< of a shift in pixels; 0: a 28th of the shorter side, at least one whole pixel
  std::vector<double> scales = {0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3};  ///< 1 is among them
  std::vector<double> degrees = {-45, -30, -20, -10, 0, 10, 20, 30, 45};
  /// Called after each motion with how many have been tried, of how many.
  std::function<void(Index done, Index of)> progress = {};
};

/// The accuracy of one network on the same examples under many motions (motion.h), shares of 1.
struct SPLOT_API Robustness {
  Index examples = 0;
  Index shift = 0;
  double step = 1.0;
  Index fill = 0;  ///< edge_level() of the data
  std::vector<double> scales;
  std::vector<double> degrees;
  /// Of every scale with every shift: at(scale, right, down).
  std::vector<double> moved;
  std::vector<double> turned;  ///< one for each of degrees

  /// Of the scale with this number, shifted by so many steps, -shift to shift; IndexError outside.
  double at(std::size_t scale, Index right, Index down) const;
  /// The number of scale 1.
  std::size_t unscaled() const;
  /// The lowest of at() over all shifts of up to `steps` steps to any side.
  double worst(std::size_t scale, Index steps) const;
};

/// Judges the network on all of `test` under each motion: (2 shift + 1)^2 scales.size() + degrees.size()
/// passes. The network's outputs are [n, classes]. Throws ValueError for a negative shift or step or scales
/// without 1, and what confusion_matrix() and with_motion() throw.
///
///   Robustness r = measure_robustness(net, mnist.test);
///   r.at(r.unscaled(), 4, -4);   // shifted to the upper right corner
SPLOT_API Robustness measure_robustness(Layer& model, const Dataset& test,
                                        const RobustnessOptions& options = {});

}  // namespace splot
