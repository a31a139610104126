// JPEG files of every kind, for tests of the reader.
#pragma once

#include <cstdint>
#include <vector>

#include "splot/data/image.h"

namespace splot::test {

struct JpegOptions {
  int quality = 90;
  bool progressive = false;
  bool separate = false;  // each colour in a scan of its own
  bool arithmetic = false;
  int sampling = 2;         // how many pixels of a row, and of a column, share their colour
  int restart = 0;          // blocks between restart markers; 0: none
  int orientation = 0;      // of the EXIF data; 0: no EXIF data
  bool big_endian = false;  // the EXIF data
  bool adobe = true;        // of CMYK: an Adobe marker
};

/// The picture as a JPEG; 1 channel: grey, 3: RGB, 4: CMYK.
std::vector<std::uint8_t> jpeg_file(const Image& image, const JpegOptions& options = {});

/// Puts width and height into the frame header.
void set_jpeg_size(std::vector<std::uint8_t>& file, std::uint16_t width, std::uint16_t height);

}  // namespace splot::test
