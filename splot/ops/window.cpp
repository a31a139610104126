#include "splot/ops/internal/window.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "splot/backend/cpu/thread_pool.h"
#include "splot/core/strided.h"

namespace splot {
namespace {

// The unit of work of a thread, in elements.
constexpr Index kChunk = 64 * 1024;

template <typename T>
void copy_row(const T* from, Index from_stride, T* to, Index to_stride, Index n) {
  if (from_stride == 1 && to_stride == 1) {
    std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(T));
  } else if (to_stride == 1) {
    for (Index i = 0; i < n; ++i) to[i] = from[i * from_stride];
  } else {
    for (Index i = 0; i < n; ++i) to[i * to_stride] = from[i * from_stride];
  }
}

// n elements from number `first` on, counted in row-major order over the merged axes.
template <typename T>
void copy_run(const T* from, T* to, const MergedAxes& axes, Index first, Index n) {
  const std::size_t rank = axes.sizes.size();
  const Strides& in = axes.strides[0];
  const Strides& out = axes.strides[1];
  const int last = static_cast<int>(rank) - 1;

  Index position[kMaxRank] = {};
  Index rest = first;
  for (std::size_t i = rank; i-- > 0;) {
    position[i] = rest % axes.sizes[i];
    rest /= axes.sizes[i];
  }
  for (int i = 0; i < last; ++i) {
    from += position[i] * in[i];
    to += position[i] * out[i];
  }
  Index column = position[last];
  while (n > 0) {
    const Index run = std::min(n, axes.sizes[rank - 1] - column);
    copy_row(from + column * in[last], in[last], to + column * out[last], out[last], run);
    n -= run;
    column = 0;
    for (int i = last - 1; i >= 0; --i) {
      from += in[i];
      to += out[i];
      if (++position[i] < axes.sizes[static_cast<std::size_t>(i)]) break;
      from -= position[i] * in[i];
      to -= position[i] * out[i];
      position[i] = 0;
    }
  }
}

template <typename T>
void copy_typed(const Tensor& from, const Window& to, const MergedAxes& axes) {
  const Index n = from.numel();
  const T* in = static_cast<const T*>(from.raw());
  T* out = static_cast<T*>(to.first);
  const double microseconds = 2.0 * static_cast<double>(n) * sizeof(T) / kBytesPerMicrosecond;
  cpu::parallel_for((n + kChunk - 1) / kChunk, microseconds, [&](Index chunk) {
    copy_run(in, out, axes, chunk * kChunk, std::min(kChunk, n - chunk * kChunk));
  });
}

}  // namespace

void copy_to_window(const Tensor& from, const Window& to) {
  if (from.numel() == 0) return;
  // In the order in which the window lies in memory: images may be the inner axis.
  const Axes order = memory_order(from.shape(), to.strides);
  const std::array operands = {reordered(from.strides(), order), reordered(to.strides, order)};
  const MergedAxes axes = merge_axes(Shape(reordered(from.shape().ints(), order)), operands);
  switch (from.dtype().size()) {
    case 1:
      return copy_typed<std::uint8_t>(from, to, axes);
    case 2:
      return copy_typed<std::uint16_t>(from, to, axes);
    case 4:
      return copy_typed<std::uint32_t>(from, to, axes);
    default:
      return copy_typed<std::uint64_t>(from, to, axes);
  }
}

}  // namespace splot
