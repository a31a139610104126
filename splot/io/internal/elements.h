// The elements of a tensor as bytes of a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "splot/core/error.h"
#include "splot/core/tensor.h"

namespace splot::io {

inline std::size_t byte_count(const Tensor& x) {
  return static_cast<std::size_t>(x.numel()) * x.dtype().size();
}

/// FormatError "[format] where... BOOL number 3 is 7, neither 0 nor 1" for a dense tensor of bools with such
/// a byte: read as a C++ bool it would be undefined behaviour.
template <typename... Parts>
void check_bools(const Tensor& x, std::string_view format, const Parts&... where) {
  if (x.dtype() != kBool) return;
  const auto* byte = static_cast<const std::uint8_t*>(x.raw());
  for (Index i = 0; i < x.numel(); ++i) {
    if (byte[i] > 1)
      fail<FormatError>(format, where..., "BOOL number ", i, " is ", byte[i], ", neither 0 nor 1");
  }
}

}  // namespace splot::io
