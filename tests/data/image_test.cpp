#include "splot/data/image.h"

#include <cmath>
#include <cstdlib>
#include <numeric>

#include <gtest/gtest.h>
#include <unistd.h>

#include "splot/core/file.h"
#include "splot/data/digits.h"
#include "splot/data/mnist.h"

#include "tests/support/expect_error.h"
#include "tests/support/png_bytes.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

using test::Bytes;
using test::png_file;
using test::png_header;
using test::png_rows;
const test::PngChunk kEnd = {"IEND", {}};

class Png : public ::testing::Test {
 protected:
  Image read(const Bytes& bytes) {
    write_file(path_, bytes);
    return read_image(path_);
  }

  test::TempFolder folder_;
  std::string path_ = folder_.file("x.png");
};

TEST_F(Png, ComesBackAsWritten) {
  Image grey{3, 2, 1, {0, 50, 255, 1, 2, 3}};
  write_png(path_, grey);
  EXPECT_EQ(read_image(path_).pixels, grey.pixels);
  Image color{2, 1, 3, {1, 2, 3, 250, 251, 252}};
  write_png(path_, color);
  const Image back = read_image(path_);
  EXPECT_EQ(back.width, 2);
  EXPECT_EQ(back.height, 1);
  EXPECT_EQ(back.channels, 3);
  EXPECT_EQ(back.pixels, color.pixels);
}

TEST_F(Png, ReadsEveryKind) {
  EXPECT_EQ(read(png_file({png_header(4, 1, 1, 0), png_rows({{0xa0}}), kEnd})).pixels,
            (Bytes{255, 0, 255, 0}));
  EXPECT_EQ(read(png_file({png_header(4, 1, 2, 0), png_rows({{0x1b}}), kEnd})).pixels,
            (Bytes{0, 85, 170, 255}));
  EXPECT_EQ(read(png_file({png_header(2, 1, 4, 0), png_rows({{0x1f}}), kEnd})).pixels, (Bytes{17, 255}));
  EXPECT_EQ(read(png_file({png_header(2, 1, 16, 0), png_rows({{0x80, 0x80, 0xff, 0xff}}), kEnd})).pixels,
            (Bytes{128, 255}));
  EXPECT_EQ(
      read(png_file({png_header(1, 1, 16, 2), png_rows({{0, 0, 0x80, 0x80, 0xff, 0xff}}), kEnd})).pixels,
      (Bytes{0, 128, 255}));
  const Image palette =
      read(png_file({png_header(2, 1, 8, 3), {"PLTE", {1, 2, 3, 4, 5, 6}}, png_rows({{1, 0}}), kEnd}));
  EXPECT_EQ(palette.channels, 3);
  EXPECT_EQ(palette.pixels, (Bytes{4, 5, 6, 1, 2, 3}));
  Bytes many(19 * 11);
  std::iota(many.begin(), many.end(), std::uint8_t{0});
  EXPECT_EQ(
      read(png_file({png_header(19, 11, 8, 0, true), png_rows(test::interlaced_rows(many, 19, 11)), kEnd}))
          .pixels,
      many);
}

TEST_F(Png, LaysTransparentPicturesOverAPageThatShowsTheInk) {
  const Image black = read(png_file({png_header(3, 1, 8, 4), png_rows({{0, 255, 0, 128, 0, 0}}), kEnd}));
  EXPECT_EQ(black.channels, 1);
  EXPECT_EQ(black.pixels, (Bytes{0, 127, 255}));
  EXPECT_EQ(
      read(png_file({png_header(2, 1, 8, 6), png_rows({{255, 255, 255, 255, 0, 0, 0, 0}}), kEnd})).pixels,
      (Bytes{255, 255, 255, 0, 0, 0}));
  EXPECT_EQ(read(png_file({png_header(2, 1, 8, 3),
                           {"PLTE", {9, 9, 9, 0, 0, 0}},
                           {"tRNS", {255, 0}},
                           png_rows({{0, 1}}),
                           kEnd}))
                .pixels,
            (Bytes{9, 9, 9, 255, 255, 255}));
}

TEST_F(Png, SaysWhatIsWrong) {
  EXPECT_ERROR(FormatError, read({1, 2, 3}),
               "[image] \"" + path_ + "\" at byte 0: begins neither like a PNG nor like a JPEG");
  EXPECT_ERROR(FormatError, read(png_file({png_header(3, 1, 8, 0)})),
               "[png] \"" + path_ + "\" at byte 33: the file is cut short");
  EXPECT_ERROR(FormatError, read(png_file({png_header(900000, 900000, 8, 0), png_rows({{1}}), kEnd})),
               "[png] \"" + path_ + "\" at byte 41: the picture has too many pixels");
  EXPECT_ERROR(FormatError, read(png_file({png_header(7000, 7000, 8, 6), png_rows({{1}}), kEnd})),
               "[png] \"" + path_ + "\" at byte 41: the file is too short for the size it claims");
  Bytes wrong = png_file({png_header(3, 1, 8, 0), png_rows({{1, 2, 3}}), kEnd});
  wrong[30] ^= 1;
  EXPECT_ERROR(FormatError, read(wrong), "[png] \"" + path_ + "\" at byte 33: IHDR: CRC error");
  const std::string missing = folder_.file("missing.png");
  EXPECT_ERROR(IoError, read_image(missing),
               "[read] \"" + missing + "\" cannot be opened: No such file or directory");
  EXPECT_ERROR(ValueError, write_png(path_, Image{2, 2, 2, Bytes(8)}), "[png] needs 1 or 3 channels, got 2");
  EXPECT_ERROR(ValueError, write_png(path_, Image{2, 2, 1, Bytes(5)}),
               "[png] 2 x 2 x 1 needs 4 bytes, got 5");
  EXPECT_ERROR(ValueError, write_png(path_, Image{0, 2, 1, {}}),
               "[png] the size 0 x 2 is not from 1 to 1000000");
}

TEST_F(Png, PrintsNothing) {
  testing::internal::CaptureStderr();
  EXPECT_THROW(read(png_file({png_header(3, 1, 8, 0), {"gAMA", {0}}, png_rows({{1}}), kEnd})), FormatError);
  EXPECT_EQ(read(png_file({png_header(1, 1, 8, 0), {"tEXt", {'x'}}, {"gAMA", {0}}, png_rows({{1}}), kEnd}))
                .pixels.size(),
            1u);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// How a digit may come: enlarged, somewhere on a larger page, dark or light, with another contrast.
struct Form {
  Index enlarged;
  Index page;
  Index left;
  Index top;
  std::uint8_t paper;
  std::uint8_t ink;
};

Image on_page(std::span<const std::uint8_t> digit, const Form& form) {
  Image page{form.page, form.page, 1, Bytes(static_cast<std::size_t>(form.page * form.page), form.paper)};
  for (Index y = 0; y < 28 * form.enlarged; ++y) {
    for (Index x = 0; x < 28 * form.enlarged; ++x) {
      const int ink = digit[static_cast<std::size_t>(28 * (y / form.enlarged) + x / form.enlarged)];
      page.pixels[static_cast<std::size_t>((form.top + y) * form.page + form.left + x)] =
          static_cast<std::uint8_t>(form.paper + (form.ink - form.paper) * ink / 255);
    }
  }
  return page;
}

// Of 1: the same picture.
double likeness(std::span<const std::uint8_t> a, const Tensor& b) {
  double ab = 0.0, aa = 0.0, bb = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = a[i];
    const double y = b.data<std::uint8_t>()[i];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / std::sqrt(aa * bb);
}

void check_come_back(std::span<const std::uint8_t> pixels, const std::string& path) {
  const Form forms[] = {{1, 28, 0, 0, 0, 255},    {1, 60, 30, 1, 255, 0},     {10, 280, 0, 0, 255, 0},
                        {7, 400, 200, 3, 0, 255}, {4, 300, 10, 180, 230, 90}, {5, 200, 20, 30, 40, 180}};
  double worst = 1.0, sum = 0.0;
  int count = 0;
  for (std::size_t i = 0; i < pixels.size() / 784; ++i) {
    const auto digit = pixels.subspan(784 * i, 784);
    for (const Form& form : forms) {
      write_png(path, on_page(digit, form));
      const double same = likeness(digit, prepare_digit(read_image(path)));
      worst = std::min(worst, same);
      sum += same;
      ++count;
    }
  }
  EXPECT_GT(sum / count, 0.985);
  EXPECT_GT(worst, 0.85) << "a quarter of a pixel's shift of a thin stroke";
}

TEST(PrepareDigit, BringsDrawnDigitsBack) {
  const test::TempFolder folder;
  Bytes pixels(20 * 784), labels(20);
  draw_digits(1, 0, pixels, labels);
  check_come_back(pixels, folder.file("digit.png"));
}

TEST(PrepareDigit, BringsMnistBack) {
  const char* root = std::getenv("SPLOT_DATA");
  if (root == nullptr || access((std::string(root) + "/mnist").c_str(), R_OK) != 0) {
    GTEST_SKIP() << "mnist is not in SPLOT_DATA";
  }
  const test::TempFolder folder;
  const DataSplits mnist = load_mnist();
  check_come_back({mnist.test.inputs().data<std::uint8_t>(), 20 * 784}, folder.file("digit.png"));
}

TEST(PrepareDigit, KeepsTheAspectOfAThinLineAndFillsTheBox) {
  Image line{100, 300, 1, Bytes(30000, 255)};
  for (std::size_t y = 20; y < 280; ++y) {
    for (std::size_t x = 10; x < 36; ++x) line.pixels[y * 100 + x] = 0;
  }
  const Tensor digit = prepare_digit(line);
  for (Index y = 0; y < 28; ++y) {
    for (Index x = 0; x < 28; ++x) {
      EXPECT_EQ(digit.data<std::uint8_t>()[28 * y + x], y >= 4 && y < 24 && (x == 13 || x == 14) ? 255 : 0)
          << x << ' ' << y;
    }
  }
}

TEST(PrepareDigit, TakesColour) {
  Image red{30, 30, 3, Bytes(2700, 255)};
  for (std::size_t y = 5; y < 25; ++y) {
    for (std::size_t x = 14; x < 16; ++x)
      red.pixels[3 * (30 * y + x) + 1] = red.pixels[3 * (30 * y + x) + 2] = 0;
  }
  const Tensor digit = prepare_digit(red);
  EXPECT_EQ(digit.data<std::uint8_t>()[28 * 14 + 14], 255);
  EXPECT_EQ(digit.data<std::uint8_t>()[0], 0);
}

TEST(PrepareDigit, SaysThatNothingIsDrawn) {
  EXPECT_ERROR(ValueError, prepare_digit(Image{40, 30, 1, Bytes(1200, 255)}),
               "[prepare_digit] nothing is drawn in this picture of 40 x 30: all of it is like its border");
  Bytes noise(1200, 250);
  for (std::size_t i = 0; i < noise.size(); i += 3) noise[i] = 240;
  EXPECT_ERROR(ValueError, prepare_digit(Image{40, 30, 1, noise}),
               "[prepare_digit] nothing is drawn in this picture of 40 x 30: all of it is like its border");
  EXPECT_ERROR(ValueError, prepare_digit(Image{40, 30, 1, Bytes(3)}),
               "[prepare_digit] a picture of 40 x 30 x 1 cannot have 3 bytes");
}

}  // namespace
}  // namespace splot
