#include "tests/support/jpeg_bytes.h"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <jpeglib.h>

namespace splot::test {
namespace {

// An APP1 segment with one directory of one entry.
std::vector<std::uint8_t> exif_data(const JpegOptions& options) {
  std::vector<std::uint8_t> out = {'E', 'x', 'i', 'f', 0, 0};
  const auto put = [&](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) {
      const int shift = 8 * (options.big_endian ? bytes - 1 - i : i);
      out.push_back(static_cast<std::uint8_t>(value >> shift));
    }
  };
  out.insert(out.end(), 2, options.big_endian ? 'M' : 'I');
  put(42, 2);
  put(8, 4);  // where the directory is
  put(2, 2);  // entries
  put(0x010f, 2), put(2, 2), put(4, 4), put(0x41414100, 4);
  put(0x0112, 2), put(3, 2), put(1, 4), put(static_cast<std::uint32_t>(options.orientation), 2), put(0, 2);
  put(0, 4);
  return out;
}

void choose(jpeg_compress_struct& info, const Image& image, const JpegOptions& options) {
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.input_components = static_cast<int>(image.channels);
  info.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : image.channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, options.quality, TRUE);
  if (image.channels == 3)
    info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = options.sampling;
  if (image.channels == 4) info.write_Adobe_marker = options.adobe ? TRUE : FALSE;
  info.arith_code = options.arithmetic ? TRUE : FALSE;
  info.restart_interval = static_cast<unsigned>(options.restart);
  if (options.progressive) jpeg_simple_progression(&info);
  if (options.separate) {
    static const jpeg_scan_info scans[] = {
        {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
    info.scan_info = scans;
    info.num_scans = 3;
  }
}

}  // namespace

std::vector<std::uint8_t> jpeg_file(const Image& image, const JpegOptions& options) {
  if (image.pixels.size() != static_cast<std::size_t>(image.width * image.height * image.channels)) {
    throw std::logic_error("jpeg_file: pixels do not fit the size");
  }
  jpeg_compress_struct info = {};
  jpeg_error_mgr errors = {};
  info.err = jpeg_std_error(&errors);  // ends the program: the tests ask for nothing wrong
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  choose(info, image, options);
  jpeg_start_compress(&info, TRUE);
  if (options.orientation != 0) {
    const std::vector<std::uint8_t> exif = exif_data(options);
    jpeg_write_marker(&info, JPEG_APP0 + 1, exif.data(), static_cast<unsigned>(exif.size()));
  }
  while (info.next_scanline < info.image_height) {
    const auto at =
        static_cast<std::size_t>(info.next_scanline) * static_cast<std::size_t>(image.width * image.channels);
    JSAMPROW row = const_cast<JSAMPROW>(image.pixels.data() + at);  // libjpeg only reads it
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::vector<std::uint8_t> out(memory, memory + size);
  std::free(memory);
  return out;
}

void set_jpeg_size(std::vector<std::uint8_t>& file, std::uint16_t width, std::uint16_t height) {
  for (std::size_t at = 2; at + 9 < file.size() && file[at] == 0xff;) {
    const std::uint8_t marker = file[at + 1];
    if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc) {
      file[at + 5] = static_cast<std::uint8_t>(height >> 8);
      file[at + 6] = static_cast<std::uint8_t>(height);
      file[at + 7] = static_cast<std::uint8_t>(width >> 8);
      file[at + 8] = static_cast<std::uint8_t>(width);
      return;
    }
    at += 2 + static_cast<std::size_t>(file[at + 2] << 8 | file[at + 3]);
  }
  throw std::logic_error("set_jpeg_size: no frame header");
}

}  // namespace splot::test
