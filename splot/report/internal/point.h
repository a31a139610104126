// A place in a drawing.
#pragma once

namespace splot::report_detail {

/// In pixels from the left and from the top.
struct Point {
  double x = 0.0;
  double y = 0.0;
};

}  // namespace splot::report_detail
