// IDX: the format of MNIST. Big-endian: two zero bytes, element type, number of axes, sizes (32 bits each),
// elements.
#pragma once

#include <string>

#include "splot/core/export.h"
#include "splot/core/tensor.h"

namespace splot {

/// Reads an IDX file, packed with gzip or not. The result has the file's sizes and type: uint8, int32,
/// float32 or float64; IDX also knows int8 and int16, which Splot does not have.
///
/// Throws IoError when the file cannot be read and FormatError when it breaks a rule: the first bytes, the
/// type, 1 to 8 axes, and exactly as many elements as the sizes say. Sizes are checked against the file
/// before memory is asked for.
///
///   Tensor images = read_idx("mnist/train-images-idx3-ubyte.gz");   // [60000, 28, 28] uint8
SPLOT_API Tensor read_idx(const std::string& path);

/// Writes x (uint8, int32, float32 or float64, 1 to 8 axes) as IDX, unpacked; DTypeError or ShapeError
/// otherwise.
SPLOT_API void write_idx(const std::string& path, const Tensor& x);

}  // namespace splot
