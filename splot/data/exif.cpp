#include <algorithm>
#include <array>
#include <cstring>

#include "splot/data/internal/codecs.h"

namespace splot::data_detail {
namespace {

using ByteSpan = std::span<const std::uint8_t>;

// Numbers of a TIFF header, which says itself in which order its bytes come. Outside the data they are 0.
struct Tiff {
  ByteSpan bytes;
  bool big_endian = false;

  std::uint64_t number(std::uint64_t at, std::size_t width) const {
    if (at > bytes.size() || width > bytes.size() - at) return 0;
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < width; ++i) {
      out = out << 8 | bytes[static_cast<std::size_t>(at) + (big_endian ? i : width - 1 - i)];
    }
    return out;
  }
};

// Of the first directory, which is that of the picture itself.
int orientation_in(ByteSpan bytes) {
  if (bytes.size() < 8) return 1;
  const Tiff tiff{bytes, bytes[0] == 'M'};
  if (bytes[0] != bytes[1] || (bytes[0] != 'M' && bytes[0] != 'I') || tiff.number(2, 2) != 42) return 1;
  const std::uint64_t directory = tiff.number(4, 4);
  const std::uint64_t entries = tiff.number(directory, 2);
  for (std::uint64_t i = 0; i < entries; ++i) {
    const std::uint64_t at = directory + 2 + 12 * i;  // tag, type, count, value
    if (at >= bytes.size()) return 1;
    if (tiff.number(at, 2) != 0x0112) continue;
    constexpr std::uint64_t kShort = 3;
    const std::uint64_t value = tiff.number(at + 8, 2);
    const bool sound = tiff.number(at + 2, 2) == kShort && tiff.number(at + 4, 4) == 1;
    return sound && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace

int exif_orientation(ByteSpan jpeg) {
  constexpr std::array<std::uint8_t, 6> kExif = {'E', 'x', 'i', 'f', 0, 0};
  constexpr std::uint8_t kApp1 = 0xe1, kStartOfScan = 0xda;
  for (std::size_t at = 2; at + 4 <= jpeg.size() && jpeg[at] == 0xff;) {
    const std::uint8_t marker = jpeg[at + 1];
    if (marker == 0xff) {  // markers may be filled up
      ++at;
      continue;
    }
    if (marker == kStartOfScan) return 1;
    const auto length = static_cast<std::size_t>(jpeg[at + 2] << 8 | jpeg[at + 3]);  // counts itself
    if (length < 2 || length > jpeg.size() - at - 2) return 1;
    const ByteSpan body = jpeg.subspan(at + 4, length - 2);
    if (marker == kApp1 && body.size() >= kExif.size() &&
        std::equal(kExif.begin(), kExif.end(), body.begin())) {
      return orientation_in(body.subspan(kExif.size()));
    }
    at += 2 + length;
  }
  return 1;
}

Place upright_place(int orientation, Index width, Index height, Place p) {
  const Index from_right = width - 1 - p.x;
  const Index from_below = height - 1 - p.y;
  switch (orientation) {
    case 2:
      return {from_right, p.y};
    case 3:
      return {from_right, from_below};
    case 4:
      return {p.x, from_below};
    case 5:
      return {p.y, p.x};
    case 6:
      return {from_below, p.x};
    case 7:
      return {from_below, from_right};
    case 8:
      return {p.y, from_right};
    default:
      return p;
  }
}

}  // namespace splot::data_detail
