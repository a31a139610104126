// The windows of convolutions and pooling along one axis, as C finds them.
#pragma once

#include <string>

#include "splot/compiler/c/internal/c_text.h"
#include "splot/core/attributes.h"
#include "splot/core/shape.h"

namespace splot::compiler {

struct Axis {
  Index in, out, kernel, stride, dilation, pad;

  /// Whether a window can lie outside: then each of its elements is looked at first.
  bool leaves() const { return pad > 0 || (out - 1) * stride + (kernel - 1) * dilation >= in; }
};

/// Of conv2d: axis 0 or 1 of x[N, C, H, W], weight[O, C / groups, KH, KW] and y[N, O, H', W'].
Axis axis_of(const Attrs& attrs, int axis, const Shape& x, const Shape& weight, const Shape& y);

/// const int row = i * 2 + k - 1; outside the image the rest of the loop is left out. The name, or "0".
std::string window_position(Code& code, const std::string& name, const Axis& a, const std::string& i,
                            const std::string& k);
/// The loop over a window. One that may leave the image needs it for `continue`, also where it has one
/// element.
std::string window_loop(Code& code, const std::string& name, const Axis& a);
/// Channel c of the group that output channel o belongs to; `each` channels in a group of the input.
std::string group_channel(Index out_channels, Index each, Index groups, const std::string& o,
                          const std::string& c);
/// "6 windows of 1 x 5 x 5, stride 1, padding 2", of conv2d.
std::string geometry_text(const Attrs& attrs, const Shape& weight);

}  // namespace splot::compiler
