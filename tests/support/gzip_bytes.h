// Bytes packed with deflate, for tests of readers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace splot::test {

std::vector<std::uint8_t> gzip_bytes(std::span<const std::uint8_t> bytes);
/// The same stream bare, as a zip file holds it.
std::vector<std::uint8_t> deflate_bytes(std::span<const std::uint8_t> bytes);

}  // namespace splot::test
