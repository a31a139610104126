// A checkpoint of a wanted size, and what becomes of it when one bit of it changes.
#pragma once

#include <cstdint>
#include <vector>

#include "splot/io/checkpoint.h"

namespace splot::test {

/// The bytes of a checkpoint as training writes them: weights, momenta, counters and state as text. At least
/// `bytes` long, and less than a KiB longer.
std::vector<std::uint8_t> sample_checkpoint(std::size_t bytes);

/// Whether load_checkpoint() refuses the bytes with a FormatError that names them; anything else thrown is
/// passed on.
bool refuses_checkpoint(const std::vector<std::uint8_t>& bytes);

/// Flips every `stride`th bit, beginning with bit `first`, one at a time. Returns the bits whose change was
/// not noticed.
std::vector<std::size_t> flips_not_noticed(std::vector<std::uint8_t> bytes, std::size_t first,
                                           std::size_t stride);

}  // namespace splot::test
