#include <algorithm>
#include <array>
#include <cstring>

#include "splot/data/internal/codecs.h"

namespace splot::data_detail {
namespace {

using ByteSpan = std::span<const std::uint8_t>;

// Numbers in a header; TIFF says itself in which order its bytes come. Outside the data they are 0.
struct HeaderNumbers {
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

// Calls visit(marker, body) for the segments before the first scan until it says that it has what it wants.
template <typename Visit>
void visit_segments(ByteSpan jpeg, const Visit& visit) {
  constexpr std::uint8_t kStartOfScan = 0xda;
  for (std::size_t at = 2; at + 4 <= jpeg.size() && jpeg[at] == 0xff;) {
    const std::uint8_t marker = jpeg[at + 1];
    if (marker == 0xff) {  // markers may be filled up
      ++at;
      continue;
    }
    const auto length = static_cast<std::size_t>(jpeg[at + 2] << 8 | jpeg[at + 3]);  // counts itself
    if (marker == kStartOfScan || length < 2 || length > jpeg.size() - at - 2) return;
    if (visit(marker, jpeg.subspan(at + 4, length - 2))) return;
    at += 2 + length;
  }
}

bool is_frame(std::uint8_t marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

}  // namespace

// Of the first directory, which is that of the picture itself.
int tiff_orientation(ByteSpan bytes) {
  if (bytes.size() < 8) return 1;
  const HeaderNumbers tiff{bytes, bytes[0] == 'M'};
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

int exif_orientation(ByteSpan jpeg) {
  constexpr std::array<std::uint8_t, 6> kExif = {'E', 'x', 'i', 'f', 0, 0};
  constexpr std::uint8_t kApp1 = 0xe1;
  int out = 1;
  visit_segments(jpeg, [&](std::uint8_t marker, ByteSpan body) {
    const bool found = marker == kApp1 && body.size() >= kExif.size() &&
                       std::equal(kExif.begin(), kExif.end(), body.begin());
    if (found) out = tiff_orientation(body.subspan(kExif.size()));
    return found;
  });
  return out;
}

std::uint64_t claimed_pixels(ByteSpan file) {
  const auto product = [](const HeaderNumbers& numbers, std::uint64_t at, std::size_t width) {
    return numbers.number(at, width) * numbers.number(at + width, width);
  };
  if (!file.empty() && file[0] != 0xff) return product({file, true}, 16, 4);  // PNG: IHDR comes first
  std::uint64_t out = 0;
  visit_segments(file, [&](std::uint8_t marker, ByteSpan body) {
    if (is_frame(marker)) out = product({body, true}, 1, 2);
    return is_frame(marker);
  });
  return out;
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
