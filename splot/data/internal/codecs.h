// The formats behind decode_image(), and what EXIF says about a photo's position.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "splot/data/image.h"

namespace splot::data_detail {

/// A whole file in memory, and what errors call it.
struct ImageBytes {
  std::span<const std::uint8_t> bytes;
  std::string_view name;
};

/// These throw FormatError "[png] "name" at byte 33: ...". The result has one channel or three.
Image decode_png(const ImageBytes& file, Transparency transparency);
Image decode_jpeg(const ImageBytes& file);

/// How the picture lies in a JPEG file, 1 to 8: EXIF's tag 0x0112 (CIPA DC-008, "Orientation"). 1, upright,
/// where it does not say or what it says cannot be read: a photo is no worse for damaged EXIF data.
int exif_orientation(std::span<const std::uint8_t> jpeg);

/// The same from the TIFF data alone, as PNG's eXIf chunk has them.
int tiff_orientation(std::span<const std::uint8_t> tiff);

/// How many pixels the header of a PNG or JPEG file claims; 0 where there is no header.
std::uint64_t claimed_pixels(std::span<const std::uint8_t> file);

/// Where pixel (x, y) of a stored picture of width x height belongs in the upright one.
struct Place {
  Index x = 0;
  Index y = 0;
};
Place upright_place(int orientation, Index width, Index height, Place stored);
/// Whether upright and stored picture have width and height exchanged.
constexpr bool lies_on_its_side(int orientation) { return orientation >= 5; }

}  // namespace splot::data_detail
