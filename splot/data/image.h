// Pictures: PNG and JPEG files, and the way from a drawn digit to what a network trained on MNIST knows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
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

/// What becomes of the transparent parts of a PNG.
enum class Transparency {
  /// They are laid over white, or over black where the visible part is lighter than the middle on average, so
  /// that ink drawn on a transparent page can be seen either way.
  over_page,
  /// They show the colour that is stored under them, as in PIL's convert("RGB") and so in torchvision.
  ignored,
};

struct ReadImageOptions {
  /// 1: grey, by PIL's weights 0.299, 0.587 and 0.114; 3: red, green and blue; 0: 1 for grey files, else 3.
  Index channels = 0;
  Transparency transparency = Transparency::over_page;
};

/// Reads a picture; its first bytes say which kind of file it is, the name does not matter.
///
/// PNG: grey, coloured or with a palette, 1 to 16 bits (16 are scaled to 8), interlaced or not.
/// JPEG: baseline or progressive, grey, RGB, CMYK or YCCK. Pixels are those of libjpeg-turbo's accurate
/// transform and smooth upsampling, which are PIL's too.
/// Both are turned upright as their EXIF data say.
///
/// Throws IoError when the file cannot be read; FormatError when it is neither, is damaged or cut short, or
/// has more than kMaxImagePixels. Sizes are checked against the file before memory is asked for: reading
/// takes at most 256 MiB more than the file. Never prints.
///
///   Image picture = read_image("seven.png");
///   Image photo = read_image("cat.jpg", {.channels = 3, .transparency = Transparency::ignored});
SPLOT_API Image read_image(const std::string& path, const ReadImageOptions& options = {});
/// The same from memory; `name` is what errors call it.
SPLOT_API Image decode_image(std::span<const std::uint8_t> file, std::string_view name,
                             const ReadImageOptions& options = {});

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
///   Tensor digit = prepare_digit(read_image("seven.png"));
SPLOT_API Tensor prepare_digit(const Image& image);

}  // namespace splot
