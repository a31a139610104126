#include "tests/support/png_bytes.h"

#include <zlib.h>

namespace splot::test {
namespace {

void append_big(Bytes& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

std::uint32_t sum_of(const std::uint8_t* bytes, std::size_t n) {
  return static_cast<std::uint32_t>(crc32(0, bytes, static_cast<uInt>(n)));
}

}  // namespace

Bytes png_file(const std::vector<PngChunk>& chunks) {
  Bytes out = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  for (const PngChunk& chunk : chunks) {
    append_big(out, static_cast<std::uint32_t>(chunk.data.size()));
    const std::size_t begin = out.size();
    out.insert(out.end(), chunk.type.begin(), chunk.type.end());
    out.insert(out.end(), chunk.data.begin(), chunk.data.end());
    append_big(out, sum_of(out.data() + begin, out.size() - begin));
  }
  return out;
}

PngChunk png_header(std::uint32_t width, std::uint32_t height, int depth, int color, bool interlaced) {
  PngChunk chunk{"IHDR", {}};
  append_big(chunk.data, width);
  append_big(chunk.data, height);
  for (const int byte : {depth, color, 0, 0, interlaced ? 1 : 0}) {
    chunk.data.push_back(static_cast<std::uint8_t>(byte));
  }
  return chunk;
}

PngChunk png_rows(const std::vector<Bytes>& rows) {
  Bytes raw;
  for (const Bytes& row : rows) {
    raw.push_back(0);  // no filter
    raw.insert(raw.end(), row.begin(), row.end());
  }
  uLongf size = compressBound(static_cast<uLong>(raw.size()));
  PngChunk chunk{"IDAT", Bytes(size)};
  compress(chunk.data.data(), &size, raw.data(), static_cast<uLong>(raw.size()));
  chunk.data.resize(size);
  return chunk;
}

std::vector<Bytes> interlaced_rows(const Bytes& pixels, std::size_t width, std::size_t height) {
  struct Pass {
    std::size_t x, y, step_x, step_y;
  };
  constexpr Pass kPasses[] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                              {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
  std::vector<Bytes> rows;
  for (const Pass& pass : kPasses) {
    if (pass.x >= width) continue;
    for (std::size_t y = pass.y; y < height; y += pass.step_y) {
      Bytes row;
      for (std::size_t x = pass.x; x < width; x += pass.step_x) row.push_back(pixels[y * width + x]);
      rows.push_back(row);
    }
  }
  return rows;
}

void repair_png(Bytes& file) {
  std::size_t at = 8;
  while (file.size() >= at + 12) {
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | file[at + i];
    if (length > file.size() - at - 12) return;
    const std::uint32_t sum = sum_of(file.data() + at + 4, static_cast<std::size_t>(length) + 4);
    at += 8 + static_cast<std::size_t>(length);
    for (std::size_t i = 0; i < 4; ++i) file[at + i] = static_cast<std::uint8_t>(sum >> (24 - 8 * i));
    at += 4;
  }
}

}  // namespace splot::test
