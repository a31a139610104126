// Accuracy against shift, scale and rotation, of one network or several, as one figure.
#pragma once

#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/data/image.h"
#include "splot/report/svg.h"
#include "splot/train/robustness.h"

namespace splot {

struct MeasuredNetwork {
  std::string name;
  Robustness measured;
};

/// A picture as it was moved, and in words how.
struct MovedPicture {
  std::string name;
  Image picture;
};

/// The first picture of `test` as it is and under some of the motions that were measured.
SPLOT_API std::vector<MovedPicture> moved_pictures(const Dataset& test, const Robustness& measured);

/// Three plots - shifted, enlarged, turned; in the second the dashed curves are the worst of all shifts -,
/// under them the pictures, and a table of all shifts for each network. ValueError for no network, more than
/// 8 (there are no more colours), or networks that were measured with different options.
///
///   write_file("robustness.svg", draw_robustness({{"mlp", a}, {"cnn", b}}, moved_pictures(test, a)).file());
SPLOT_API Svg draw_robustness(const std::vector<MeasuredNetwork>& networks,
                              const std::vector<MovedPicture>& pictures);

/// A line for each motion: scale, right and down in pixels, degrees, then the accuracy of each network.
SPLOT_API std::string to_csv(const std::vector<MeasuredNetwork>& networks);

}  // namespace splot
