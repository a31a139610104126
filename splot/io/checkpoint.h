// Checkpoints: safetensors files that know when a single bit of them has changed.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "splot/core/export.h"
#include "splot/io/safetensors.h"

namespace splot {

/// The metadata key that holds the hash; a checkpoint's own metadata cannot use it.
inline constexpr const char* kCheckpointHash = "checkpoint_sha256";

/// Replaces the file at once, as save_safetensors() does, with a safetensors file that any reader of the
/// format reads. One more entry of its metadata, `checkpoint_sha256`, is the SHA-256 of all bytes of the
/// file, with the 64 digits of the hash itself taken as zeros: it covers every tensor (name, type, shape,
/// elements), every other entry of the metadata, and the padding.
///
/// Throws ValueError for what save_safetensors() refuses and for metadata that hold `checkpoint_sha256`
/// already, IoError when the file cannot be written; then the old file is as it was.
///
///   save_checkpoint("checkpoint.safetensors", {{"0.weight", w}}, {{"epoch", "3"}});
SPLOT_API void save_checkpoint(const std::string& path, const TensorMap& tensors,
                               const Metadata& metadata = {});

/// Reads a file of save_checkpoint(); the metadata come without the hash. Throws IoError when the file cannot
/// be read and FormatError when it is not safetensors, has no hash, or has another one than it should: every
/// truncation and every changed bit is found.
///
///   TensorFile saved = load_checkpoint("checkpoint.safetensors");
///   Tensor w = saved.tensors.at("0.weight");
SPLOT_API TensorFile load_checkpoint(const std::string& path);
/// The same from memory; `name` stands for the path in messages.
SPLOT_API TensorFile load_checkpoint(std::span<const std::uint8_t> bytes, const std::string& name);

}  // namespace splot
