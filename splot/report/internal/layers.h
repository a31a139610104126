// Boxes in rows, so that every line between two of them leads downwards.
#pragma once

#include <vector>

#include "splot/core/export.h"
#include "splot/report/internal/point.h"

namespace splot::report_detail {

struct RowBox {
  double width = 0.0;
  double height = 0.0;
  bool first_row = false;  ///< stands at the top, and not just above the first box it leads to
  Point top = {};          ///< where lay_out() puts the middle of its upper side
};

/// From one box to a later one of the list.
struct RowLine {
  int from = 0;
  int to = 0;
  /// The way lay_out() finds, from the lower side of one to the upper of the other.
  std::vector<Point> points = {};
};

struct Rows {
  std::vector<RowBox> boxes;
  std::vector<RowLine> lines;
  double width = 0.0;
  double height = 0.0;
};

/// Gives each box a place, each line a way past the boxes between its ends, and the picture a size. After K.
/// Sugiyama, S. Tagawa and M. Toda, "Methods for visual understanding of hierarchical system structures",
/// IEEE Transactions on Systems, Man and Cybernetics 11 (1981): rows by the longest way from the top, an
/// order within each by the middle of what its boxes are joined to, then places that keep the order and
/// bring what is joined close together.
SPLOT_API void lay_out(Rows& rows);

}  // namespace splot::report_detail
