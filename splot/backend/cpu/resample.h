// Linear maps of images that treat rows and columns alike: means over windows, interpolation, and the
// transposed maps.
#pragma once

#include <vector>

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot::cpu {

/// One axis of such a map: output i is the weighted sum of the inputs taps[first[i]] .. taps[first[i + 1] -
/// 1].
struct SPLOT_API LinearAxis {
  struct Tap {
    Index input;
    double weight;
  };
  Index inputs = 0;
  std::vector<Index> first = {0};
  std::vector<Tap> taps = {};

  Index outputs() const { return static_cast<Index>(first.size()) - 1; }
  void add_tap(Index input, double weight) { taps.push_back({input, weight}); }
  /// The taps added since the last call are those of the next output.
  void end_output() { first.push_back(static_cast<Index>(taps.size())); }
  /// The map with inputs and outputs exchanged; each sum in the order of its inputs.
  LinearAxis transposed() const;
};

/// y[p, i, j, n] = sum_h sum_w rows[i, h] columns[j, w] x[p, h, w, n], both dense: x is [planes][rows.inputs]
/// [columns.inputs][images] in memory, y [planes][rows.outputs()][columns.outputs()][images]. T is float or
/// double.
template <typename T>
void resample(Index planes, Index images, const LinearAxis& rows, const LinearAxis& columns, const T* x,
              T* y);

extern template SPLOT_API void resample(Index, Index, const LinearAxis&, const LinearAxis&, const float*,
                                        float*);
extern template SPLOT_API void resample(Index, Index, const LinearAxis&, const LinearAxis&, const double*,
                                        double*);

}  // namespace splot::cpu
