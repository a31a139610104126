// cut(): a piece of a picture.
#pragma once

#include <cstddef>

#include "splot/core/random.h"
#include "splot/core/shape.h"
#include "splot/data/internal/codecs.h"

namespace splot::data_detail {

/// Where the piece [channels, height, width] begins that is the middle of a picture [channels, height,
/// width].
Place middle_place(const Shape& picture, const Shape& piece);
/// Where one begins that lies anywhere inside, each place as likely: a function of the key alone.
Place place_by_chance(const Shape& picture, const Shape& piece, const RandomKey& key);

/// Copies the piece at this place; a pixel of one channel takes `bytes`.
void cut(const std::byte* picture, const Shape& shape, const Place& place, const Shape& piece,
         std::size_t bytes, std::byte* to);

}  // namespace splot::data_detail
