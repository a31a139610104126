#include "splot/core/strided.h"

#include <algorithm>
#include <cstring>

namespace splot {
namespace {

// Doubling what is there with memcpy is several times faster than a loop over the elements.
template <typename T>
void fill_run(T* out, Index n, T value) {
  Index done = std::min<Index>(n, 16);
  std::fill_n(out, done, value);
  while (done < n) {
    const Index more = std::min(done, n - done);
    std::memcpy(out + done, out, static_cast<std::size_t>(more) * sizeof(T));
    done += more;
  }
}

template <typename T>
void gather_typed(const T* base, const MergedAxes& axes, std::size_t operand, Index first, Index n, T* out) {
  const Strides& strides = axes.strides[operand];
  const int rank = static_cast<int>(axes.sizes.size());
  const Index inner = axes.sizes[static_cast<std::size_t>(rank - 1)];
  const Index inner_stride = strides[rank - 1];

  // The position of `first`, axis by axis.
  Index position[kMaxRank] = {};
  Index rest = first;
  for (int i = rank - 1; i >= 0; --i) {
    const Index size = axes.sizes[static_cast<std::size_t>(i)];
    position[i] = rest % size;
    rest /= size;
  }
  const T* row = base;
  for (int i = 0; i + 1 < rank; ++i) row += position[i] * strides[i];

  Index column = position[rank - 1];
  while (n > 0) {
    const Index run = std::min(n, inner - column);
    const T* from = row + column * inner_stride;
    if (inner_stride == 1) {
      std::memcpy(out, from, static_cast<std::size_t>(run) * sizeof(T));
    } else if (inner_stride == 0) {
      fill_run(out, run, *from);
    } else {
      for (Index i = 0; i < run; ++i) out[i] = from[i * inner_stride];
    }
    out += run;
    n -= run;
    column = 0;
    for (int i = rank - 2; i >= 0; --i) {
      row += strides[i];
      if (++position[i] < axes.sizes[static_cast<std::size_t>(i)]) break;
      row -= position[i] * strides[i];
      position[i] = 0;
    }
  }
}

}  // namespace

Strides broadcast_strides(const Tensor& x, const Shape& shape) {
  Strides out(shape.rank(), 0);
  const int lead = shape.rank() - x.rank();
  for (int i = 0; i < x.rank(); ++i) {
    if (x.shape()[i] == shape[lead + i] && x.shape()[i] != 1) out[lead + i] = x.strides()[i];
  }
  return out;
}

bool is_row_major(const Shape& shape, const Strides& strides) {
  if (shape.numel() == 0) return true;
  Index expected = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

Axes memory_order(const Shape& shape, const Strides& strides) {
  Axes order;
  for (int i = 0; i < shape.rank(); ++i) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) {
    const auto i = static_cast<int>(a), j = static_cast<int>(b);
    if ((shape[i] == 1) != (shape[j] == 1)) return shape[i] == 1;
    return shape[i] != 1 && strides[i] > strides[j];
  });
  return order;
}

bool is_dense(const Shape& shape, const Strides& strides) {
  const Axes order = memory_order(shape, strides);
  return is_row_major(Shape(reordered(shape.ints(), order)), reordered(strides, order));
}

Ints reordered(const Ints& values, const Axes& order) {
  Ints out;
  for (const Index axis : order) out.push_back(values[static_cast<int>(axis)]);
  return out;
}

MergedAxes merge_axes(const Shape& shape, std::span<const Strides> operands) {
  MergedAxes out;
  out.strides.resize(operands.size());
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const Index size = shape[axis];
    if (size == 1) continue;
    bool merge = !out.sizes.empty();
    for (std::size_t i = 0; merge && i < operands.size(); ++i) {
      merge = out.strides[i][out.strides[i].size() - 1] == operands[i][axis] * size;
    }
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (merge) {
        out.strides[i][out.strides[i].size() - 1] = operands[i][axis];
      } else {
        out.strides[i].push_back(operands[i][axis]);
      }
    }
    if (merge) {
      out.sizes.back() *= size;
    } else {
      out.sizes.push_back(size);
    }
  }
  if (out.sizes.empty()) {
    out.sizes.push_back(1);
    for (Strides& strides : out.strides) strides.push_back(1);
  }
  return out;
}

void gather_run(const void* base, std::size_t element_bytes, const MergedAxes& axes, std::size_t operand,
                Index first, Index n, void* out) {
  const auto run = [&]<typename T>(TypeTag<T>) {
    gather_typed(static_cast<const T*>(base), axes, operand, first, n, static_cast<T*>(out));
  };
  switch (element_bytes) {
    case 1:
      return run(TypeTag<std::uint8_t>());
    case 2:
      return run(TypeTag<std::uint16_t>());
    case 4:
      return run(TypeTag<std::uint32_t>());
    default:
      return run(TypeTag<std::uint64_t>());
  }
}

void copy_dense(const Tensor& x, DType dtype, void* out) {
  const Index n = x.numel();
  if (n == 0) return;
  if (dtype == x.dtype()) {
    if (x.is_contiguous()) {
      std::memcpy(out, x.raw(), static_cast<std::size_t>(n) * dtype.size());
    } else {
      gather_run(x.raw(), dtype.size(), merge_axes(x.shape(), {&x.strides(), 1}), 0, 0, n, out);
    }
    return;
  }
  const Tensor dense = contiguous(x);
  visit_any(x.dtype(), [&](auto from) {
    using From = typename decltype(from)::type;
    visit_any(dtype, [&](auto to) {
      using To = typename decltype(to)::type;
      const From* in = static_cast<const From*>(dense.raw());
      To* typed = static_cast<To*>(out);
      for (Index i = 0; i < n; ++i) typed[i] = convert<To>(in[i]);
    });
  });
}

}  // namespace splot
