// The records behind the public convolutions: each one's derivatives are the other two.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// What all three know, with a number for each axis.
struct ConvGeometry {
  Ints stride;    ///< {along H, along W}
  Ints padding;   ///< {top, bottom, left, right}
  Ints dilation;  ///< {along H, along W}
  Index groups = 1;
};

/// What dy[N, O, H', W'] says about an x of size {H, W} that gave it through w[O, C / groups, KH, KW]: [N, C,
/// H, W].
SPLOT_API Tensor conv2d_input_grad(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry,
                                   const Ints& size);

/// What dy[N, O, H', W'] says about weights of size {KH, KW} that gave it from x[N, C, H, W]: [O, C / groups,
/// KH, KW].
SPLOT_API Tensor conv2d_weight_grad(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry,
                                    const Ints& size);

}  // namespace splot
