// Bytes packed with gzip, for tests of readers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace splot::test {

std::vector<std::uint8_t> gzip_bytes(std::span<const std::uint8_t> bytes);

}  // namespace splot::test
