// Padding with a tensor's own elements: one choice of positions along each axis.
#include <algorithm>
#include <vector>

#include "splot/ops/ops.h"

namespace splot {
namespace {

Tensor padded_axis(const Tensor& x, int axis, Index before, Index after, PadMode mode) {
  const Index size = x.shape()[axis], longest = std::max(before, after);
  if (mode == PadMode::reflect) {
    require(longest < size || longest <= 0, "pad", "axis ", axis, " of x", x, " has ",
            std::max<Index>(size - 1, 0), " elements to mirror; before ", before, " and after ", after,
            " need more");
  } else {
    require(size >= 1 || longest <= 0, "pad", "axis ", axis, " of x", x, " has no edge to repeat");
  }
  require(size + std::min<Index>(before, 0) + std::min<Index>(after, 0) >= 0, "pad", "axis ", axis, " of x",
          x, " has ", size, " elements; before ", before, " and after ", after, " cut off more");
  std::vector<std::int64_t> positions;
  for (Index i = -before; i < size + after; ++i) {
    const Index last = size - 1;
    const Index mirrored = i < 0 ? -i : i > last ? 2 * last - i : i;
    positions.push_back(mode == PadMode::reflect ? mirrored : std::clamp<Index>(i, 0, last));
  }
  const auto count = static_cast<Index>(positions.size());
  return index_select(x, axis, Tensor::from(positions, {count}));
}

}  // namespace

Tensor pad(const Tensor& x, const Ints& before, const Ints& after, PadMode mode) {
  if (mode == PadMode::constant) return pad(x, before, after);
  require(before.size() == x.rank() && after.size() == x.rank(), "pad", "before ", before, " and after ",
          after, " must have one number for each axis of x", x);
  Tensor y = x;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (before[axis] != 0 || after[axis] != 0) y = padded_axis(y, axis, before[axis], after[axis], mode);
  }
  return y;
}

}  // namespace splot
