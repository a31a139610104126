// Pictures: PNG files, and the way from a drawn digit to what a network trained on MNIST knows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "splot/core/export.h"
#include "splot/core/index.h"
#include "splot/core/tensor.h"

namespace splot {

/// Rows from the top, pixels from the left, channels (1: grey, 3: red, green, blue) together; 8 bits each.
struct Image {
  Index width = 0;
  Index height = 0;
  Index channels = 1;
  std::vector<std::uint8_t> pixels;  ///< height * width * channels
};

/// More pixels than this are refused before memory is asked for.
inline constexpr std::uint64_t kMaxImagePixels = 50'000'000;

/// Reads a PNG of any kind: grey, coloured or with a palette, 1 to 16 bits, interlaced or not. Grey files
/// give one channel, all others three. What is transparent is laid over white, or over black where the
/// visible part is lighter than the middle on average, so that ink drawn on a transparent page can be seen
/// either way. Throws IoError when the file cannot be read, FormatError when it is not a sound PNG or has
/// more than kMaxImagePixels. Never prints.
///
///   Image picture = read_png("seven.png");
SPLOT_API Image read_png(const std::string& path);

/// The picture as a PNG file in memory, grey or RGB; ValueError for other numbers of channels, no pixels, or
/// pixels that do not fit the size.
SPLOT_API std::vector<std::uint8_t> encode_png(const Image& image);

/// Writes what encode_png() gives.
SPLOT_API void write_png(const std::string& path, const Image& image);

/// Brings a drawn digit to MNIST's form: [28, 28] uint8, ink 255 on 0, the ink fitted into 20 x 20 with its
/// aspect kept, its centre of mass in the middle. The border of the picture is taken for the background, so
/// dark ink on a light page and light ink on a dark one both work, wherever and however large the digit is;
/// contrast is stretched. Throws ValueError for a picture in which nothing is drawn.
///
///   Tensor digit = prepare_digit(read_png("seven.png"));
SPLOT_API Tensor prepare_digit(const Image& image);

}  // namespace splot
