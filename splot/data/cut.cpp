#include "splot/data/internal/cut.h"

#include <cstdint>
#include <cstring>

namespace splot::data_detail {
namespace {

// Half a pixel goes to the even number, where torchvision's center_crop puts it.
Index half(Index rest) { return rest / 2 + (rest % 4 == 3 ? 1 : 0); }

}  // namespace

Place middle_place(const Shape& picture, const Shape& piece) {
  return {.x = half(picture[2] - piece[2]), .y = half(picture[1] - piece[1])};
}

Place place_by_chance(const Shape& picture, const Shape& piece, const RandomKey& key) {
  RandomStream random(key);
  const auto up_to = [&](Index most) {
    return static_cast<Index>(random.below(static_cast<std::uint64_t>(most) + 1));
  };
  const Index top = up_to(picture[1] - piece[1]);
  return {.x = up_to(picture[2] - piece[2]), .y = top};
}

void cut(const std::byte* picture, const Shape& shape, const Place& place, const Shape& piece,
         std::size_t bytes, std::byte* to) {
  const std::size_t row_bytes = static_cast<std::size_t>(piece[2]) * bytes;
  for (Index channel = 0; channel < piece[0]; ++channel) {
    for (Index row = 0; row < piece[1]; ++row) {
      const Index from = (channel * shape[1] + place.y + row) * shape[2] + place.x;
      std::memcpy(to, picture + static_cast<std::size_t>(from) * bytes, row_bytes);
      to += row_bytes;
    }
  }
}

}  // namespace splot::data_detail
