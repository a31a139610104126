// NumPy's .npz: arrays by name in a zip file.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "splot/core/export.h"
#include "splot/io/safetensors.h"

namespace splot {

/// The most bytes that the arrays of one .npz may have together unless the caller says otherwise.
inline constexpr std::uint64_t kNpzLimit = std::uint64_t{16} << 30;

/// Reads a .npz file, written by np.savez() or np.savez_compressed(): a zip of .npy files, each stored or
/// deflated. The member "w.npy" becomes the tensor "w".
///
/// The file is taken to be hostile. Beyond what load_npy() refuses, each of these is a FormatError: a zip
/// whose parts contradict each other; a member that is no .npy, is there twice, is encrypted or packed in
/// another way; a check sum that is wrong; arrays that claim more bytes than their packed form can hold, or
/// than `limit` together. A claim costs no memory before it has been tried: an array of more than 64 MiB is
/// first unpacked into nothing. Throws IoError when the file cannot be read.
///
///   TensorMap arrays = load_npz("xy.npz");   // np.savez("xy.npz", x=x, y=y)
SPLOT_API TensorMap load_npz(const std::string& path, std::uint64_t limit = kNpzLimit);
/// The same from memory; `name` stands for the path in messages.
SPLOT_API TensorMap load_npz(std::span<const std::uint8_t> bytes, const std::string& name,
                             std::uint64_t limit = kNpzLimit);

enum class NpzPacking {
  stored,   ///< as np.savez() does
  deflated  ///< as np.savez_compressed() does
};

/// Replaces the file at once; np.load() reads it. The same tensors give the same bytes. The zip is made in
/// memory first. Throws DTypeError for bfloat16, ValueError for an undefined tensor or a name that is not
/// UTF-8 or holds a zero byte, and IoError.
///
///   save_npz("xy.npz", {{"x", x}, {"y", y}}, NpzPacking::deflated);
SPLOT_API void save_npz(const std::string& path, const TensorMap& arrays,
                        NpzPacking packing = NpzPacking::stored);

}  // namespace splot
