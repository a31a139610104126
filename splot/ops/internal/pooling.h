// What the poolings share: their sizes.
#pragma once

#include "splot/backend/cpu/pooling.h"
#include "splot/core/op.h"
#include "splot/ops/shape.h"

namespace splot {

/// One number for both axes, or two; raises ValueError naming `what` for anything else.
Ints both_axes(const Ints& values, std::string_view op, const char* what);
/// The only number of `values`, or `fallback` where there is none; raises ValueError for more.
Index one_size(const Ints& values, Index fallback, std::string_view op, const char* what);

/// Checks the attributes "kernel", "stride", "padding" and, where the record has it, "dilation" against
/// images of size h x w, and says how many windows there are; raises ShapeError or ValueError.
struct PoolAxes {
  cpu::PoolAxis h, w;
};
PoolAxes pool_axes(std::string_view op, const Attrs& attrs, Index h, Index w, bool dilated, bool ceil);

/// The same for images that have been pooled to `pooled`, [N, C, H', W'], rounding down or up; raises
/// ShapeError when they cannot have been.
PoolAxes with_windows(std::string_view op, const Attrs& attrs, Index h, Index w, const Shape& pooled,
                      bool dilated);

/// For rules: raises unless input i is a batch of float32 or float64 images.
void require_images(const RuleArgs& r, std::size_t i);

/// Calls a function of batches [N, C, H, W] with x[N, C, H, W] or x[C, H, W], and answers in the same form.
template <typename F>
Tensor on_images(const Tensor& x, std::string_view op, F&& f) {
  require(x.rank() == 3 || x.rank() == 4, op, "needs images [N, C, H, W] or [C, H, W], got x", x);
  if (x.rank() == 4) return f(x);
  return squeeze(f(unsqueeze(x, 0)), {0});
}
/// The same with lines x[N, C, L] or x[C, L], which the function sees as images of height 1.
template <typename F>
Tensor on_lines(const Tensor& x, std::string_view op, F&& f) {
  require(x.rank() == 2 || x.rank() == 3, op, "needs [N, C, L] or [C, L], got x", x);
  return squeeze(f(unsqueeze(x, -2)), {-2});
}

}  // namespace splot
