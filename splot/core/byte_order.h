// Numbers stored with the highest byte first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace splot {

/// Turns round the bytes of each of `count` elements of `size` bytes.
inline void swap_bytes(void* data, std::size_t count, std::size_t size) {
  auto* byte = static_cast<std::uint8_t*>(data);
  for (std::size_t i = 0; size > 1 && i < count; ++i) std::reverse(byte + i * size, byte + (i + 1) * size);
}

}  // namespace splot
