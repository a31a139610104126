// PNG files of every kind, written without libpng, for tests of the reader.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace splot::test {

using Bytes = std::vector<std::uint8_t>;

struct PngChunk {
  std::string type;
  Bytes data;
};

/// The signature and the chunks, each with its check sum.
Bytes png_file(const std::vector<PngChunk>& chunks);
/// IHDR for a picture; colour: 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGB + alpha.
PngChunk png_header(std::uint32_t width, std::uint32_t height, int depth, int color, bool interlaced = false);
/// IDAT from the rows, each without its filter byte.
PngChunk png_rows(const std::vector<Bytes>& rows);
/// The rows of the seven passes of an interlaced 8-bit grey picture.
std::vector<Bytes> interlaced_rows(const Bytes& pixels, std::size_t width, std::size_t height);
/// Makes the check sums right again, as far as the chunks can still be told apart.
void repair_png(Bytes& file);

}  // namespace splot::test
