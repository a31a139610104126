// .npy, whether it is a file or a member of an .npz.
#pragma once

#include <string>

#include "splot/core/tensor.h"
#include "splot/io/internal/source.h"

namespace splot::io {

/// Reads all of `in`.
Tensor read_npy(Source& in);
/// What stands in front of the elements.
std::string npy_header(const Tensor& x);

}  // namespace splot::io
