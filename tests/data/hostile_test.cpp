// Damaged IDX, IDX.gz, PNG and JPEG files: a typed error or an answer that fits the file, within 256 MiB.
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "splot/data/digits.h"
#include "splot/data/idx.h"
#include "splot/data/image.h"

#include "tests/support/gzip_bytes.h"
#include "tests/support/jpeg_bytes.h"
#include "tests/support/mutate.h"
#include "tests/support/png_bytes.h"

namespace splot {
namespace {

using test::Bytes;

Bytes idx_bytes(std::uint8_t type, const std::vector<std::uint8_t>& sizes, std::size_t element) {
  Bytes out = {0, 0, type, static_cast<std::uint8_t>(sizes.size())};
  std::size_t count = element;
  for (const std::uint8_t size : sizes) {
    out.insert(out.end(), {0, 0, 0, size});
    count *= size;
  }
  for (std::size_t i = 0; i < count; ++i) out.push_back(static_cast<std::uint8_t>(i * 7));
  return out;
}

const std::vector<Bytes> kIdxFiles = {idx_bytes(0x08, {5, 28, 28}, 1), idx_bytes(0x08, {50}, 1),
                                      idx_bytes(0x0c, {3, 4}, 4),      idx_bytes(0x0d, {6}, 4),
                                      idx_bytes(0x0e, {2, 1, 3}, 8),   idx_bytes(0x08, {0, 28, 28}, 1)};

TEST(Hostile, Idx) {
  const auto read = [](const std::string& path) {
    const Tensor x = read_idx(path);
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (file.seekg(0); file.get() == 0x1f) return;
    file.seekg(0, std::ios::end);
    EXPECT_EQ(4 + 4 * x.rank() + x.numel() * static_cast<Index>(x.dtype().size()),
              static_cast<Index>(file.tellg()));
  };
  const test::HostileResult result =
      test::try_hostile_files({.name = "idx", .files = kIdxFiles, .count = 900, .read = read}, 1);
  EXPECT_GT(result.refused, 500);
  EXPECT_GT(result.accepted, 20) << "some damage, as to a pixel, cannot be seen";
}

TEST(Hostile, IdxInGzip) {
  std::vector<Bytes> packed;
  for (const Bytes& file : kIdxFiles) packed.push_back(test::gzip_bytes(file));
  const auto read = [](const std::string& path) {
    const Tensor x = read_idx(path);
    EXPECT_LE(x.numel(), 100'000);
  };
  const test::HostileResult outside =
      test::try_hostile_files({.name = "idx.gz", .files = packed, .count = 600, .read = read}, 2);
  EXPECT_GT(outside.refused, 400);
  // Damage inside a sound gzip stream; every second file is packed after the damage.
  const auto pack = [](Bytes& file) { file = test::gzip_bytes(file); };
  const test::HostileResult inside = test::try_hostile_files(
      {.name = "idx in gzip", .files = kIdxFiles, .count = 600, .read = read, .repair = pack}, 3);
  EXPECT_GT(inside.refused, 300);
}

TEST(Hostile, Png) {
  Bytes grey(28 * 28), labels(1);
  draw_digits(1, 0, grey, labels);
  std::vector<Bytes> rows(28);
  for (std::size_t y = 0; y < 28; ++y)
    rows[y].assign(grey.begin() + static_cast<std::ptrdiff_t>(28 * y),
                   grey.begin() + static_cast<std::ptrdiff_t>(28 * (y + 1)));
  const test::PngChunk end = {"IEND", {}};
  const std::vector<Bytes> files = {
      test::png_file({test::png_header(28, 28, 8, 0), test::png_rows(rows), end}),
      test::png_file(
          {test::png_header(28, 28, 8, 0, true), test::png_rows(test::interlaced_rows(grey, 28, 28)), end}),
      test::png_file(
          {test::png_header(7, 28, 8, 6), {"gAMA", {0, 0, 0xb1, 0x8f}}, test::png_rows(rows), end}),
      test::png_file({test::png_header(14, 28, 16, 0), test::png_rows(rows), end}),
      test::png_file({test::png_header(224, 28, 1, 3),
                      {"PLTE", {0, 0, 0, 250, 250, 250}},
                      {"tRNS", {255, 0}},
                      {"tEXt", {'a', 0, 'b'}},
                      test::png_rows(rows),
                      end})};
  const auto read = [](const std::string& path) {
    const Image image = read_image(path);
    EXPECT_EQ(static_cast<Index>(image.pixels.size()), image.width * image.height * image.channels);
    try {
      EXPECT_EQ(prepare_digit(image).shape(), Shape({28, 28}));
    } catch (const ValueError&) {  // nothing drawn
    }
  };
  const test::HostileResult result = test::try_hostile_files(
      {.name = "png", .files = files, .count = 1000, .read = read, .repair = test::repair_png}, 4);
  EXPECT_GT(result.refused, 500);
}

// Claims that need much memory, with everything else right.
TEST(Hostile, PngThatClaimsToBeHuge) {
  const test::PngChunk end = {"IEND", {}};
  std::vector<Bytes> files;
  const auto read = [](const std::string& path) { EXPECT_THROW(read_image(path), FormatError); };
  for (const std::uint32_t width : {65000u, 1000000u, 0x7fffffffu}) {
    for (const std::uint32_t height : {700u, 1000000u, 0x7fffffffu}) {
      for (const bool interlaced : {false, true}) {
        files.push_back(test::png_file(
            {test::png_header(width, height, 16, 6, interlaced), test::png_rows({{1, 2, 3}}), end}));
      }
    }
  }
  // A long profile that unpacks to much more than itself.
  test::PngChunk profile{"iCCP", {'p', 0, 0}};
  const test::PngChunk zeros = test::png_rows({Bytes(100 << 20)});
  profile.data.insert(profile.data.end(), zeros.data.begin(), zeros.data.end());
  const auto read_any = [](const std::string& path) {
    try {
      read_image(path);
    } catch (const FormatError&) {
    }
  };
  test::try_hostile_files({.name = "huge png", .files = files, .count = 100, .read = read}, 5);
  test::try_hostile_files(
      {.name = "png with a bomb",
       .files = {test::png_file({test::png_header(1, 1, 8, 0), profile, test::png_rows({{7}}), end})},
       .count = 50,
       .read = read_any,
       .repair = test::repair_png},
      6);
}

// Something to see, so that damage shows.
Image waves(Index width, Index height, Index channels) {
  Image out{width, height, channels, {}};
  for (Index i = 0; i < width * height * channels; ++i) {
    out.pixels.push_back(static_cast<std::uint8_t>(i * i / 50 + 37 * (i % channels)));
  }
  return out;
}

TEST(Hostile, Jpeg) {
  const std::vector<Bytes> files = {
      test::jpeg_file(waves(40, 31, 3)),
      test::jpeg_file(waves(33, 20, 1), {.quality = 60}),
      test::jpeg_file(waves(40, 31, 3), {.progressive = true}),
      test::jpeg_file(waves(24, 40, 3), {.sampling = 1, .restart = 2, .orientation = 6}),
      test::jpeg_file(waves(20, 20, 4)),
      test::jpeg_file(waves(20, 20, 4), {.progressive = true, .orientation = 3, .adobe = false}),
      test::jpeg_file(waves(40, 31, 3), {.arithmetic = true, .orientation = 8, .big_endian = true})};
  const auto read = [](const std::string& path) {
    const Image image = read_image(path);
    EXPECT_EQ(static_cast<Index>(image.pixels.size()), image.width * image.height * image.channels);
  };
  const test::HostileResult result =
      test::try_hostile_files({.name = "jpeg", .files = files, .count = 1400, .read = read}, 7);
  EXPECT_GT(result.refused, 600);
}

// The largest sizes that a file can claim, and the largest that are believed: progressive ones and those that
// have to be turned need more memory than others.
TEST(Hostile, JpegThatClaimsToBeHuge) {
  for (const bool progressive : {false, true}) {
    for (const Index channels : {Index{1}, Index{3}, Index{4}}) {
      Bytes file = test::jpeg_file(waves(40, 40, channels),
                                   {.progressive = progressive, .sampling = 1, .orientation = 5});
      const Bytes sound = file;
      test::set_jpeg_size(file, 65500, 65500);
      EXPECT_THROW(decode_image(file, "huge"), FormatError);
      test::set_jpeg_size(file, 7000, 7000);
      EXPECT_THROW(decode_image(file, "large"), FormatError);
      // Long enough, by a comment, for what it claims: memory is asked for, and nothing comes.
      Bytes segment = {0xff, 0xfe, 0xff, 0xff};
      segment.resize(65537);
      file.insert(file.begin() + 2, segment.begin(), segment.end());
      file.insert(file.begin() + 2, segment.begin(), segment.end());
      const auto read = [](const std::string& path) { read_image(path); };
      const auto restore = [&](Bytes& damaged) { damaged = file; };
      const test::HostileResult result = test::try_hostile_files({.name = "jpeg of 49 million pixels",
                                                                  .files = {sound},
                                                                  .count = 2,
                                                                  .read = read,
                                                                  .repair = restore},
                                                                 8);
      EXPECT_GE(result.refused, 1);
    }
  }
}

TEST(Hostile, JpegWithAThousandScans) {
  Bytes file = test::jpeg_file(waves(16, 16, 3), {.separate = true});
  EXPECT_EQ(decode_image(file, "three scans").pixels.size(), 16u * 16 * 3);
  // The last scan, again and again.
  const std::size_t last = file.size() - 2;
  std::size_t scan = 0;
  for (std::size_t i = 0; i + 1 < last; ++i) {
    if (file[i] == 0xff && file[i + 1] == 0xda) scan = i;
  }
  const Bytes again(file.begin() + static_cast<std::ptrdiff_t>(scan),
                    file.begin() + static_cast<std::ptrdiff_t>(last));
  for (int i = 0; i < 1000; ++i) file.insert(file.end() - 2, again.begin(), again.end());
  try {
    decode_image(file, "scans");
    ADD_FAILURE() << "every scan costs time";
  } catch (const FormatError& error) {
    EXPECT_TRUE(std::string(error.what()).ends_with(": has too many scans")) << error.what();
  }
}

}  // namespace
}  // namespace splot
