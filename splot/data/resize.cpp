#include "splot/data/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "splot/core/error.h"

namespace splot {
namespace {

constexpr Index kLongestSide = 65'535;
constexpr int kFractionBits = 22;  // 8 bits of a pixel, 2 of sums beyond it: PIL's precision

void check_picture(const char* what, const Image& image, Index width, Index height) {
  require<ValueError>(
      image.width > 0 && image.height > 0 && image.channels > 0 &&
          static_cast<Index>(image.pixels.size()) == image.width * image.height * image.channels,
      what, "a picture of ", image.width, " x ", image.height, " x ", image.channels, " cannot have ",
      image.pixels.size(), " bytes");
  require<ValueError>(width >= 1 && height >= 1 && width <= kLongestSide && height <= kLongestSide, what,
                      "the size ", width, " x ", height, " is not from 1 to ", kLongestSide);
}

// How much of which old pixels makes one new one, along one axis.
struct Tap {
  Index first = 0;
  std::vector<std::int32_t> weights;
};

std::vector<Tap> taps_for(Index from, Index to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double reach = std::max(scale, 1.0);  // of the triangle, to either side
  std::vector<Tap> out(static_cast<std::size_t>(to));
  std::vector<double> weights;
  for (Index i = 0; i < to; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const Index first = std::max<Index>(0, static_cast<Index>(center - reach + 0.5));
    const Index last = std::min(from, static_cast<Index>(center + reach + 0.5));
    weights.clear();
    double sum = 0.0;
    for (Index x = first; x < last; ++x) {
      // Times 1 / reach, not over reach: as PIL, to the last bit.
      const double away = std::abs((static_cast<double>(x) - center + 0.5) * (1.0 / reach));
      weights.push_back(away < 1.0 ? 1.0 - away : 0.0);
      sum += weights.back();
    }
    Tap& tap = out[static_cast<std::size_t>(i)];
    tap.first = first;
    for (const double w : weights) {
      tap.weights.push_back(static_cast<std::int32_t>(0.5 + w / sum * (1 << kFractionBits)));
    }
  }
  return out;
}

// Weighted sum of pixels `step` bytes apart, rounded.
std::uint8_t weighted(const Tap& tap, const std::uint8_t* pixel, Index step) {
  std::int32_t sum = 1 << (kFractionBits - 1);
  for (const std::int32_t weight : tap.weights) {
    sum += weight * *pixel;
    pixel += step;
  }
  return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

Image resized_across(const Image& image, Index width) {
  const std::vector<Tap> taps = taps_for(image.width, width);
  Image out{width, image.height, image.channels, {}};
  out.pixels.resize(static_cast<std::size_t>(width * image.height * image.channels));
  std::uint8_t* to = out.pixels.data();
  for (Index y = 0; y < image.height; ++y) {
    const std::uint8_t* row = image.pixels.data() + y * image.width * image.channels;
    for (const Tap& tap : taps) {
      for (Index c = 0; c < image.channels; ++c) {
        *to++ = weighted(tap, row + tap.first * image.channels + c, image.channels);
      }
    }
  }
  return out;
}

Image resized_down(const Image& image, Index height) {
  const std::vector<Tap> taps = taps_for(image.height, height);
  const Index row = image.width * image.channels;
  Image out{image.width, height, image.channels, {}};
  out.pixels.resize(static_cast<std::size_t>(row * height));
  std::uint8_t* to = out.pixels.data();
  for (const Tap& tap : taps) {
    const std::uint8_t* from = image.pixels.data() + tap.first * row;
    for (Index i = 0; i < row; ++i) *to++ = weighted(tap, from + i, row);
  }
  return out;
}

}  // namespace

Image resized(const Image& image, Index width, Index height) {
  check_picture("resized", image, width, height);
  if (width == image.width && height == image.height) return image;
  if (height == image.height) return resized_across(image, width);
  if (width == image.width) return resized_down(image, height);
  require<ValueError>(static_cast<std::uint64_t>(width * image.height) <= kMaxImagePixels, "resized",
                      image.width, " x ", image.height, " is too narrow or too flat to become ", width, " x ",
                      height, ": on the way it would have ", width * image.height, " pixels, more than ",
                      kMaxImagePixels);
  return resized_down(resized_across(image, width), height);
}

Image center_cropped(const Image& image, Index width, Index height) {
  check_picture("center_cropped", image, width, height);
  require<ValueError>(width <= image.width && height <= image.height, "center_cropped", width, " x ", height,
                      " cannot be cut out of ", image.width, " x ", image.height);
  const Index left = (image.width - width) / 2;
  const Index top = (image.height - height) / 2;
  Image out{width, height, image.channels, {}};
  const auto row = static_cast<std::size_t>(width * image.channels);
  out.pixels.resize(row * static_cast<std::size_t>(height));
  for (Index y = 0; y < height; ++y) {
    const Index from = ((top + y) * image.width + left) * image.channels;
    std::memcpy(out.pixels.data() + static_cast<std::size_t>(y) * row, image.pixels.data() + from, row);
  }
  return out;
}

Image fitted(const Image& image, Index width, Index height) {
  check_picture("fitted", image, width, height);
  // The largest part of the asked-for shape; at least a pixel of a very thin picture.
  const Index part_width = std::clamp<Index>(image.height * width / height, 1, image.width);
  const Index part_height = std::clamp<Index>(image.width * height / width, 1, image.height);
  return resized(center_cropped(image, part_width, part_height), width, height);
}

}  // namespace splot
