// What ops on matrices share.
#pragma once

#include "splot/backend/cpu/matmul.h"
#include "splot/core/tensor.h"

namespace splot {

/// The last two axes of x, whatever their strides, as the matrix product takes them; of several matrices the
/// first.
template <typename T>
cpu::Matrix<T> matrix_of(const Tensor& x) {
  return {x.data<T>(), x.strides()[x.rank() - 2], x.strides()[x.rank() - 1]};
}

}  // namespace splot
