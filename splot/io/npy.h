// NumPy's .npy: one array in a file.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "splot/core/export.h"
#include "splot/core/tensor.h"

namespace splot {

/// Reads a .npy file (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): versions 1.0,
/// 2.0 and 3.0; elements of NumPy's bool, uint8, int32, int64, float32 and float64 with either byte first; in
/// C or Fortran order. The result is dense and row-major, in this machine's byte order.
///
/// The file is taken to be hostile; each of these is a FormatError that names the file, the place and what is
/// there: another beginning or version; a header that is longer than the file or than 1 MiB, or is not a
/// Python dict with exactly descr, fortran_order and shape; any other element type (float16, complex, text,
/// records, pickled objects); more than 8 axes; more or fewer bytes of elements than the shape needs; a bool
/// that is neither 0 nor 1. Throws IoError when the file cannot be read. Memory is asked for only when
/// everything but the bools has been checked.
///
///   Tensor x = load_npy("x.npy");   // np.save("x.npy", x)
SPLOT_API Tensor load_npy(const std::string& path);
/// The same from memory; `name` stands for the path in messages.
SPLOT_API Tensor load_npy(std::span<const std::uint8_t> bytes, const std::string& name);

/// Replaces the file at once, with what np.load() reads (version 1.0, C order, lowest byte first). Throws
/// DTypeError for bfloat16, which NumPy does not have, ValueError for an undefined tensor, and IoError.
SPLOT_API void save_npy(const std::string& path, const Tensor& x);

}  // namespace splot
