#include <fstream>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "splot/core/file.h"
#include "splot/data/image.h"
#include "splot/data/resize.h"

#include "tests/support/expect_error.h"
#include "tests/support/jpeg_bytes.h"
#include "tests/support/png_bytes.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Json = nlohmann::json;

const std::string kFolder = SPLOT_TESTS_DIR "/golden/pictures/";

const Json& golden() {
  static const Json all = [] {
    std::ifstream file(kFolder + "pictures.json");
    return Json::parse(file);
  }();
  return all;
}

Image golden_image(const Json& json, Index channels) {
  Image out{json.at("width").get<Index>(), json.at("height").get<Index>(), channels, {}};
  const auto hex = json.at("hex").get<std::string>();
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.pixels.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return out;
}

// The largest difference of two pixels; 256 where the sizes differ.
int difference(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height || a.pixels.size() != b.pixels.size()) return 256;
  int most = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i)
    most = std::max(most, std::abs(a.pixels[i] - b.pixels[i]));
  return most;
}

// Another version of libjpeg-turbo may round otherwise.
constexpr int kJpegTolerance = 1;

TEST(ReadImage, DecodesAsPilDoes) {
  ASSERT_GT(golden().at("decoded").size(), 20u);
  for (const auto& [name, expected] : golden().at("decoded").items()) {
    const int tolerance = name.ends_with(".jpg") ? kJpegTolerance : 0;
    const auto read = [&](Index channels) {
      return read_image(kFolder + name, {.channels = channels, .transparency = Transparency::ignored});
    };
    EXPECT_LE(difference(read(3), golden_image(expected.at("rgb"), 3)), tolerance) << name;
    if (name == "cmyk.jpg") continue;  // PIL takes another way from CMYK to grey than by RGB
    EXPECT_LE(difference(read(1), golden_image(expected.at("grey"), 1)), tolerance) << name;
  }
}

TEST(ReadImage, TellsKindsByTheirFirstBytes) {
  const test::TempFolder folder;
  const std::string path = folder.file("photo.png");
  write_file(path, read_file(kFolder + "grey.jpg", 100'000));
  EXPECT_EQ(read_image(path).channels, 1);
  EXPECT_EQ(read_image(path, {.channels = 3}).pixels.size(), 3u * 17 * 11);
  EXPECT_ERROR(ValueError, read_image(path, {.channels = 4}), "[image] channels must be 0, 1 or 3, got 4");
}

Image numbered(Index width, Index height, Index channels) {
  Image out{width, height, channels, {}};
  for (Index i = 0; i < width * height * channels; ++i) out.pixels.push_back(static_cast<std::uint8_t>(i));
  return out;
}

TEST(Jpeg, ReadsEveryKind) {
  for (const Index channels : {Index{1}, Index{3}}) {
    const Image image{24, 16, channels, Bytes(static_cast<std::size_t>(24 * 16 * channels), 77)};
    for (const test::JpegOptions& options :
         {test::JpegOptions{}, test::JpegOptions{.progressive = true}, test::JpegOptions{.arithmetic = true},
          test::JpegOptions{.sampling = 1, .restart = 1}, test::JpegOptions{.orientation = 3}}) {
      EXPECT_LE(difference(decode_image(test::jpeg_file(image, options), "flat"), image), 1);
    }
  }
}

TEST(Jpeg, TurnsCmykIntoLight) {
  const auto first_pixel = [](const Bytes& inks, bool adobe) {
    Image image{8, 8, 4, {}};
    for (int i = 0; i < 64; ++i) image.pixels.insert(image.pixels.end(), inks.begin(), inks.end());
    const Bytes file = test::jpeg_file(image, {.quality = 100, .adobe = adobe});
    const Image out = decode_image(file, "inks");
    EXPECT_EQ(out.channels, 3);
    return Bytes(out.pixels.begin(), out.pixels.begin() + 3);
  };
  EXPECT_EQ(first_pixel({0, 0, 0, 0}, false), (Bytes{255, 255, 255}));
  EXPECT_EQ(first_pixel({255, 0, 0, 0}, false), (Bytes{0, 255, 255}));
  EXPECT_EQ(first_pixel({0, 0, 0, 255}, false), (Bytes{0, 0, 0}));
  EXPECT_EQ(first_pixel({255, 255, 255, 255}, true), (Bytes{255, 255, 255})) << "Adobe's are the other way";
  EXPECT_EQ(first_pixel({255, 255, 255, 51}, true), (Bytes{51, 51, 51}));
}

TEST(Jpeg, ExifTurnsInEitherByteOrderAndNonsenseIsIgnored) {
  const Image image{16, 8, 1, Bytes(128, 9)};
  for (const bool big : {false, true}) {
    EXPECT_EQ(decode_image(test::jpeg_file(image, {.orientation = 6, .big_endian = big}), "x").width, 8);
    EXPECT_EQ(decode_image(test::jpeg_file(image, {.orientation = 9, .big_endian = big}), "x").width, 16);
  }
}

TEST(ReadImage, PngIsTurnedAsItsExifSays) {
  const test::PngChunk exif = {"eXIf",
                               {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0}};
  const test::PngChunk header = test::png_header(2, 3, 8, 0);
  const test::PngChunk rows = test::png_rows({{1, 2}, {3, 4}, {5, 6}});
  for (const Bytes& file : {test::png_file({header, exif, rows, {"IEND", {}}}),
                            test::png_file({header, rows, exif, {"IEND", {}}})}) {
    const Image upright = decode_image(file, "x.png");
    EXPECT_EQ(upright.width, 3);
    EXPECT_EQ(upright.pixels, (Bytes{5, 3, 1, 6, 4, 2})) << "by 90 degrees, clockwise";
  }
}

TEST(Jpeg, SaysWhatIsWrong) {
  const Bytes sound = test::jpeg_file(numbered(40, 40, 3));
  Bytes cut = sound;
  cut.resize(cut.size() - 100);
  EXPECT_ERROR(FormatError, decode_image(cut, "cut.jpg"),
               join("[jpeg] \"cut.jpg\" at byte ", cut.size(), ": Premature end of JPEG file"));
  Bytes huge = sound;
  test::set_jpeg_size(huge, 65000, 65000);
  EXPECT_THROW(decode_image(huge, "huge.jpg"), FormatError);
  test::set_jpeg_size(huge, 7000, 7000);
  try {
    decode_image(huge, "huge.jpg");
    ADD_FAILURE() << "a file of a few kilobytes cannot hold 49 million pixels";
  } catch (const FormatError& error) {
    EXPECT_TRUE(std::string(error.what()).ends_with("the file is too short for the size it claims"))
        << error.what();
  }
  EXPECT_THROW(decode_image(Bytes{0xff, 0xd8, 0xff}, "x"), FormatError);
  EXPECT_THROW(decode_image(Bytes{}, "x"), FormatError);
}

TEST(Jpeg, PrintsNothing) {
  testing::internal::CaptureStderr();
  Bytes file = test::jpeg_file(numbered(40, 40, 3));
  file.resize(file.size() / 2);
  EXPECT_THROW(decode_image(file, "half"), FormatError);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Resized, IsPils) {
  ASSERT_EQ(golden().at("resized").size(), 24u);
  for (const Json& sample : golden().at("resized")) {
    const auto channels = sample.at("channels").get<Index>();
    const Image expected = golden_image(sample.at("to"), channels);
    const Image got = resized(golden_image(sample.at("from"), channels), expected.width, expected.height);
    EXPECT_EQ(difference(got, expected), 0) << expected.width << " x " << expected.height;
  }
}

TEST(Resized, RefusesWhatCannotBe) {
  const Image image = numbered(4, 3, 1);
  EXPECT_ERROR(ValueError, resized(image, 0, 3), "[resized] the size 0 x 3 is not from 1 to 65535");
  EXPECT_ERROR(ValueError, resized(Image{2, 2, 1, Bytes(3)}, 1, 1),
               "[resized] a picture of 2 x 2 x 1 cannot have 3 bytes");
  EXPECT_ERROR(
      ValueError, resized(Image{1, 1'000'000, 1, Bytes(1'000'000)}, 224, 224),
      "[resized] 1 x 1000000 is too narrow or too flat to become 224 x 224: on the way it would have "
      "224000000 pixels, more than 50000000");
}

TEST(CenterCropped, TakesTheMiddle) {
  EXPECT_EQ(center_cropped(numbered(4, 3, 1), 2, 1).pixels, (Bytes{5, 6}));
  EXPECT_EQ(center_cropped(numbered(5, 2, 3), 2, 2).pixels,
            (Bytes{3, 4, 5, 6, 7, 8, 18, 19, 20, 21, 22, 23}));
  EXPECT_ERROR(ValueError, center_cropped(numbered(4, 3, 1), 5, 1),
               "[center_cropped] 5 x 1 cannot be cut out of 4 x 3");
}

TEST(Fitted, StretchesNothing) {
  const Image wide = numbered(9, 3, 1);
  EXPECT_EQ(fitted(wide, 3, 3).pixels, center_cropped(wide, 3, 3).pixels);
  EXPECT_EQ(fitted(numbered(3, 9, 1), 3, 3).pixels, center_cropped(numbered(3, 9, 1), 3, 3).pixels);
  EXPECT_EQ(fitted(numbered(1, 200, 1), 100, 2).width, 100) << "a line has a middle too";
}

}  // namespace
}  // namespace splot
