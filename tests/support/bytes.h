// The elements of a tensor as bytes: what "the same bits" is compared by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "splot/core/tensor.h"
#include "splot/ops/ops.h"

namespace splot::test {

/// In row-major order, whatever order the tensor has.
inline std::vector<std::uint8_t> bytes_of(const Tensor& x) {
  const Tensor dense = contiguous(x);
  const auto* data = static_cast<const std::uint8_t*>(dense.raw());
  return {data, data + static_cast<std::size_t>(x.numel()) * x.dtype().size()};
}

}  // namespace splot::test
