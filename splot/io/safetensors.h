// safetensors: tensors by name in one file, as exchanged with PyTorch and others.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "splot/core/export.h"
#include "splot/core/tensor.h"

namespace splot {

/// Sorted by name, so that whatever walks it does so in one order.
using TensorMap = std::map<std::string, Tensor>;
using Metadata = std::map<std::string, std::string>;

struct TensorFile {
  TensorMap tensors;
  Metadata metadata;
};

/// Reads a whole safetensors file. The file is taken to be hostile; each of these is a FormatError that names
/// the file, the place and both values:
///
///   - a header that is longer than the file or than 100 MB, is not one JSON object in UTF-8 that begins with
///   its first byte and is followed by blanks alone, or names a key twice;
///   - an element type other than BOOL, U8, I32, I64, BF16, F32, F64; a BOOL that is neither 0 nor 1;
///   - a shape whose bytes differ from its data_offsets; data that overlap, leave a hole or end before or
///   after the file.
///
/// Throws IoError when the file cannot be read. Memory is asked for only when everything has been checked.
///
///   TensorFile file = load_safetensors("model.safetensors");
///   Tensor w = file.tensors.at("0.weight");
SPLOT_API TensorFile load_safetensors(const std::string& path);
/// The same from memory; `name` stands for the path in messages.
SPLOT_API TensorFile load_safetensors(std::span<const std::uint8_t> bytes, const std::string& name);

/// Replaces the file at once: a reader sees the old one or the new one. The same tensors give the same bytes:
/// data are ordered by element size, largest first, then by name, so that all are aligned. Throws ValueError
/// for an undefined tensor, the name "__metadata__" or text that is not UTF-8, and IoError.
SPLOT_API void save_safetensors(const std::string& path, const TensorMap& tensors,
                                const Metadata& metadata = {});

/// SHA-256 over the tensors sorted by name (as bytes). Each adds, numbers as 8 bytes with the lowest first:
/// length of the name, the name, length of the element type's name in safetensors ("F32"), that name, number
/// of axes, the sizes, and the elements, little-endian in row-major order.
///
/// Two networks with the same hash have bit for bit the same weights. scripts/safetensors.py computes it from
/// a file.
SPLOT_API std::string weights_sha256(const TensorMap& tensors);

}  // namespace splot
