#include "splot/data/image_folder.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include <gtest/gtest.h>
#include <unistd.h>

#include "splot/core/file.h"
#include "splot/data/image.h"

#include "tests/support/expect_error.h"
#include "tests/support/gzip_bytes.h"
#include "tests/support/jpeg_bytes.h"
#include "tests/support/mutate.h"
#include "tests/support/tar_bytes.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Of one colour.
Bytes png_of(std::uint8_t level, Index width = 4, Index height = 3) {
  return encode_png({width, height, 3, Bytes(static_cast<std::size_t>(3 * width * height), level)});
}

class Folder : public ::testing::Test {
 protected:
  void put(const std::string& name, const Bytes& bytes) {
    const std::filesystem::path path = folder_.file(name);
    std::filesystem::create_directories(path.parent_path());
    write_file(path.string(), bytes);
  }

  test::TempFolder folder_;
};

std::vector<int> levels(const Dataset& data) {
  std::vector<int> out;
  for (Index i = 0; i < data.size(); ++i) {
    out.push_back(data.stored(i, 1).inputs.data<std::uint8_t>()[0]);
  }
  return out;
}

TEST_F(Folder, IsAClassForEachFolderInNaturalOrder) {
  put("dog/10.png", png_of(10));
  put("dog/2.png", png_of(2));
  put("dog/deeper/1.PNG", png_of(7));
  put("Cat/1.png", png_of(1));
  put("cat/.hidden.png", {1, 2, 3});
  put(".trash/x/1.png", {1, 2, 3});
  put("cat/readme.txt", {1, 2, 3});
  put("cat/x.jpeg", test::jpeg_file({4, 3, 1, Bytes(12, 99)}));
  const ImageFolder pictures(folder_.path());
  EXPECT_EQ(pictures.classes(), (std::vector<std::string>{"Cat", "cat", "dog"}));
  EXPECT_EQ(pictures.names(), (std::vector<std::string>{"Cat/1.png", "cat/x.jpeg", "dog/2.png", "dog/10.png",
                                                        "dog/deeper/1.PNG"}));
  const Dataset data = pictures.dataset();
  EXPECT_TRUE(data.in_memory());
  EXPECT_EQ(data.inputs().shape(), Shape({5, 3, 3, 4}));
  EXPECT_EQ(data.targets().to_vector<int>(), (std::vector<int>{0, 1, 2, 2, 2}));
  EXPECT_EQ(levels(data), (std::vector<int>{1, 99, 2, 10, 7}));
  EXPECT_EQ(data.classes(), pictures.classes());
  EXPECT_FLOAT_EQ(data.batch(3, 1).inputs.to_vector<float>()[0], 10.0f / 255.0f);
  EXPECT_EQ(levels(pictures.dataset(std::vector<Index>{3, 0})), (std::vector<int>{10, 1}));
}

TEST_F(Folder, KeepsColoursInPlanes) {
  put("a/1.png", encode_png({2, 1, 3, {1, 2, 3, 4, 5, 6}}));
  EXPECT_EQ(ImageFolder(folder_.path()).dataset().inputs().to_vector<int>(),
            (std::vector<int>{1, 4, 2, 5, 3, 6}));
  const Dataset grey = ImageFolder(folder_.path(), {.channels = 1}).dataset();
  EXPECT_EQ(grey.inputs().to_vector<int>(), (std::vector<int>{2, 5}));
}

TEST_F(Folder, ArchivesAreTheSame) {
  const std::vector<test::TarItem> items = {
      {"animals/dog/10.png", png_of(10)}, {"animals/dog/9.png", png_of(9)}, {"animals/cat/1.png", png_of(1)}};
  for (const test::TarItem& item : items) put("in/" + item.name, item.body);
  put("a.tar", test::tar_file(items));
  put("a.tgz", test::gzip_bytes(test::tar_file(items)));
  const ImageFolder plain(folder_.file("in"));
  for (const char* name : {"a.tar", "a.tgz"}) {
    const ImageFolder archive(folder_.file(name));
    EXPECT_EQ(archive.names(), plain.names());
    EXPECT_EQ(archive.classes(), (std::vector<std::string>{"cat", "dog"}));
    EXPECT_EQ(levels(archive.dataset()), (std::vector<int>{1, 9, 10}));
  }
}

TEST_F(Folder, BringsPicturesToOneSize) {
  put("a/1.png", png_of(5, 40, 30));
  put("a/2.png", png_of(6, 3, 90));
  for (const ImageFit fit : {ImageFit::crop, ImageFit::stretch}) {
    const Dataset data = ImageFolder(folder_.path(), {.height = 8, .width = 16, .fit = fit}).dataset();
    EXPECT_EQ(data.inputs().shape(), Shape({2, 3, 8, 16}));
    EXPECT_EQ(levels(data), (std::vector<int>{5, 6}));
  }
  EXPECT_ERROR(ValueError, ImageFolder(folder_.path()).dataset(),
               "[ImageFolder] \"" + folder_.file("a/2.png") + "\" is 3 x 90, \"" + folder_.file("a/1.png") +
                   "\" 40 x 30: pictures of different sizes need a size to be brought to");
}

TEST_F(Folder, OnePictureIsMadeReadyAsTheDataSetIs) {
  Bytes pixels;
  for (int i = 0; i < 3 * 50 * 20; ++i) pixels.push_back(static_cast<std::uint8_t>(i * i / 7));
  put("a/1.png", encode_png({50, 20, 3, pixels}));
  put("b/1.png", png_of(6, 8, 16));
  for (const Index channels : {1, 3}) {
    for (const ImageFit fit : {ImageFit::crop, ImageFit::stretch}) {
      const ImageFolder folder(folder_.path(), {.channels = channels, .height = 16, .width = 8, .fit = fit});
      for (const Index i : {0, 1}) {
        const Image picture = folder.picture(i);
        EXPECT_EQ(picture.width, i == 0 ? 50 : 8);
        const Tensor ready = picture_tensor(picture, 16, 8, fit);
        EXPECT_EQ(ready.shape(), Shape({channels, 16, 8}));
        EXPECT_EQ(ready.to_vector<int>(), folder.dataset().stored(i, 1).inputs.to_vector<int>());
      }
    }
  }
  EXPECT_ERROR(IndexError, ImageFolder(folder_.path()).picture(2),
               "[ImageFolder] there is no picture 2 of 2");
  EXPECT_THROW(picture_tensor({4, 4, 3, Bytes(5)}, 4, 4), ValueError);
}

TEST_F(Folder, OnDemandIsTheSameAsInMemory) {
  for (int i = 0; i < 20; ++i) {
    put((i % 3 == 0 ? "a/" : "b/") + std::to_string(i) + ".png", png_of(static_cast<std::uint8_t>(10 * i)));
  }
  const Dataset whole = ImageFolder(folder_.path()).dataset();
  constexpr std::uint64_t kEach = 3 * 3 * 4;
  for (const std::uint64_t limit : {std::uint64_t{0}, 5 * kEach, 20 * kEach - 1}) {
    for (const int threads : {1, 4}) {
      const Dataset some = ImageFolder(folder_.path(), {.memory_limit = limit, .threads = threads}).dataset();
      EXPECT_FALSE(some.in_memory());
      for (int epoch = 0; epoch < 2; ++epoch) {
        const std::vector<Index> order = shuffled_indices(20, 1, static_cast<std::uint64_t>(epoch));
        EXPECT_EQ(some.batch(order).inputs.to_vector<float>(), whole.batch(order).inputs.to_vector<float>());
        EXPECT_EQ(some.batch(order).targets.to_vector<int>(), whole.batch(order).targets.to_vector<int>());
      }
    }
  }
}

TEST_F(Folder, TheCacheSparesDecoding) {
  for (int i = 0; i < 4; ++i) put("a/" + std::to_string(i) + ".png", png_of(static_cast<std::uint8_t>(i)));
  const Dataset data = ImageFolder(folder_.path(), {.memory_limit = 4 * 36 - 1}).dataset();
  EXPECT_EQ(levels(data), (std::vector<int>{0, 1, 2, 3}));
  std::filesystem::remove_all(folder_.file("a"));
  // Shares of the limit are whole numbers of bytes for each picture: two are kept.
  EXPECT_EQ(data.stored(0, 1).inputs.data<std::uint8_t>()[0], 0);
  EXPECT_EQ(data.stored(1, 1).inputs.data<std::uint8_t>()[0], 1);
  EXPECT_THROW(data.stored(3, 1), IoError);
}

TEST_F(Folder, ErrorsNameTheFile) {
  put("a/1.png", png_of(1));
  put("a/2.png", {1, 2, 3});
  put("a/3.png", {4});
  const std::string expected =
      "[image] \"" + folder_.file("a/2.png") + "\" at byte 0: begins neither like a PNG nor like a JPEG";
  for (const int threads : {1, 4}) {
    EXPECT_ERROR(FormatError, ImageFolder(folder_.path(), {.threads = threads}).dataset(), expected);
  }
  put("a.tar", test::tar_file({{"x/c/1.png", {9}}}));
  EXPECT_ERROR(FormatError, ImageFolder(folder_.file("a.tar")).dataset(),
               "[image] \"" + folder_.file("a.tar") +
                   "/x/c/1.png\" at byte 0: begins neither like a PNG nor like a JPEG");
  put("b/x.txt", {1});
  EXPECT_ERROR(ValueError, ImageFolder(folder_.file("b")),
               "[ImageFolder] \"" + folder_.file("b") +
                   "\" holds no pictures: nothing in it ends in .png, .jpg or .jpeg");
  put("c/1.png", png_of(1));
  EXPECT_ERROR(ValueError, ImageFolder(folder_.file("c")),
               "[ImageFolder] \"" + folder_.file("c/1.png") + "\" is in no folder that could be its class");
  EXPECT_THROW(ImageFolder(folder_.file("nowhere")), IoError);
  EXPECT_ERROR(ValueError, ImageFolder(folder_.path(), {.channels = 2}),
               "[ImageFolder] channels must be 1 or 3, got 2");
  EXPECT_ERROR(ValueError, ImageFolder(folder_.path(), {.height = 3}),
               "[ImageFolder] the size 0 x 3 is not from 1 to 65535, nor 0 x 0: as the pictures are");
  EXPECT_ERROR(IndexError, ImageFolder(folder_.file("a.tar")).dataset(std::vector<Index>{3}),
               "[ImageFolder] there is no picture 3 of 1");
}

TEST_F(Folder, FoldersMayBeParts) {
  for (const char* name : {"set/train/a/1.png", "set/train/a/2.png", "set/train/a/3.png", "set/train/a/4.png",
                           "set/train/b/5.png", "set/test/b/6.png"}) {
    put(name, png_of(static_cast<std::uint8_t>(name[std::string(name).find(".png") - 1] - '0')));
  }
  const ImageFolder pictures(folder_.path());
  EXPECT_TRUE(pictures.has_parts());
  EXPECT_EQ(pictures.classes(), (std::vector<std::string>{"a", "b"}));
  const DataSplits parts = pictures.split({.validation = 0.25, .test = 0.2});
  EXPECT_EQ(parts.train.size(), 4);
  EXPECT_EQ(parts.validation.size(), 1);
  EXPECT_EQ(levels(parts.test), (std::vector<int>{6}));
  EXPECT_FALSE(ImageFolder(folder_.file("set/train")).has_parts());
  put("set/other/a/1.png", png_of(1));
  EXPECT_FALSE(ImageFolder(folder_.path()).has_parts()) << "three classes: other, test, train";
}

TEST_F(Folder, OrderIsNatural) {
  // Folders before files that begin alike; numbers as numbers; then 02 before 2.
  const std::vector<std::string> names = {"A/1.png",   "a/a/1.png", "a/a-b/1.png", "a/b.png",  "a/b2/z.png",
                                          "a/b02.png", "a/b2.png",  "a/b2x.png",   "a/b10.png"};
  std::vector<test::TarItem> items;
  for (const std::string& name : names) items.push_back({name, png_of(1)});
  std::reverse(items.begin(), items.end());
  put("a.tar", test::tar_file(items));
  EXPECT_EQ(ImageFolder(folder_.file("a.tar")).names(), names);
}

TEST(SplitIndices, KeepsTheSharesOfClasses) {
  std::vector<Index> labels;
  for (int i = 0; i < 1000; ++i) labels.push_back(i < 900 ? 0 : i < 990 ? 1 : 2);
  const SplitIndices parts = split_indices(labels, {.validation = 0.1, .test = 0.2, .seed = 3});
  const auto count = [&](const std::vector<Index>& part, Index label) {
    return std::count_if(part.begin(), part.end(),
                         [&](Index i) { return labels[static_cast<std::size_t>(i)] == label; });
  };
  EXPECT_EQ(count(parts.test, 0), 180);
  EXPECT_EQ(count(parts.test, 1), 18);
  EXPECT_EQ(count(parts.test, 2), 2);
  EXPECT_EQ(count(parts.validation, 0), 90);
  std::set<Index> all;
  for (const auto* part : {&parts.train, &parts.validation, &parts.test})
    all.insert(part->begin(), part->end());
  EXPECT_EQ(all.size(), 1000u);
  EXPECT_FALSE(std::is_sorted(parts.train.begin(), parts.train.end()));
  EXPECT_EQ(split_indices(labels, {.validation = 0.1, .test = 0.2, .seed = 3}).test, parts.test);
  EXPECT_NE(split_indices(labels, {.validation = 0.1, .test = 0.2, .seed = 4}).test, parts.test);
  const SplitIndices plain = split_indices(labels, {.test = 0.5, .stratified = false});
  EXPECT_EQ(plain.test.size(), 500u);
  EXPECT_EQ(split_indices(std::vector<Index>{0}, {.test = 0.9}).train.size(), 1u);
  EXPECT_ERROR(
      ValueError, split_indices(labels, {.validation = 0.5, .test = 0.5}),
      "[split_indices] the shares 0.5 for validation and 0.5 for testing leave nothing to learn from");
}

// Archives of sound and damaged pictures: the damage is in headers, names and pictures alike.
TEST(Hostile, ArchivesOfPictures) {
  Image picture{20, 14, 3, {}};
  for (int i = 0; i < 20 * 14 * 3; ++i) picture.pixels.push_back(static_cast<std::uint8_t>(i * 11));
  const std::vector<test::TarItem> items = {
      {"set/a/1.jpg", test::jpeg_file(picture, {.orientation = 8})},
      {"set/a/2.png", encode_png(picture)},
      {"set/b/3.jpg", test::jpeg_file(picture, {.progressive = true})},
      {"set/b/4.jpg", test::jpeg_file({14, 10, 4, Bytes(560, 90)}, {.orientation = 3})}};
  const Bytes plain = test::tar_file(items);
  const auto read = [](const std::string& path) {
    const ImageFolder pictures(path, {.height = 8, .width = 8, .threads = 2});
    const Dataset data = pictures.dataset();
    EXPECT_EQ(data.inputs().shape(), Shape({pictures.size(), 3, 8, 8}));
    for (const std::string& name : pictures.names()) EXPECT_EQ(("/" + name).find("/../"), std::string::npos);
  };
  const test::HostileResult result = test::try_hostile_files(
      {.name = "pictures in tar", .files = {plain}, .count = 600, .read = read, .repair = test::repair_tar},
      12);
  EXPECT_GT(result.refused, 200);
  EXPECT_GT(result.accepted, 10);
  const auto pack = [](Bytes& file) {
    test::repair_tar(file);
    file = test::gzip_bytes(file);
  };
  test::try_hostile_files(
      {.name = "pictures in tar.gz", .files = {plain}, .count = 300, .read = read, .repair = pack}, 13);
}

// Sound pictures, each large: decoded all at once they would need a gigabyte.
TEST(Hostile, LargePicturesAreDecodedOneAfterTheOther) {
  const Image large{3000, 3000, 3, Bytes(27'000'000, 128)};
  const Bytes jpeg = test::jpeg_file(large, {.progressive = true, .sampling = 1});
  std::vector<test::TarItem> items;
  for (int i = 0; i < 8; ++i) items.push_back({join("c/", i, ".jpg"), jpeg});
  const Bytes archive = test::tar_file(items);
  const Bytes one = test::tar_file({{"c/1.jpg", test::jpeg_file({4, 4, 3, Bytes(48, 1)})}});
  int decoded = 0;
  const auto read = [&](const std::string& path) {
    const ImageFolder pictures(path, {.height = 16, .width = 16, .threads = 8});
    if (pictures.size() == 1) return;
    EXPECT_EQ(pictures.dataset(std::vector<Index>{0, 1, 2, 3}).size(), 4);
    ++decoded;
  };
  // In place of damage: what try_hostile_files() measures is memory, and processor time for one picture.
  const auto enlarge = [&](Bytes& file) { file = archive; };
  test::try_hostile_files(
      {.name = "large pictures", .files = {one}, .count = 2, .read = read, .repair = enlarge}, 14);
  EXPECT_EQ(decoded, 1);
}

std::string data_path(const std::string& name) {
  const char* root = std::getenv("SPLOT_DATA");
  const std::string path = std::string(root == nullptr ? "" : root) + '/' + name;
  return root != nullptr && access(path.c_str(), R_OK) == 0 ? path : "";
}

TEST(RealPictures, Eurosat) {
  const std::string path = data_path("eurosat/eurosat-rgb-300-per-class.tar");
  if (path.empty()) GTEST_SKIP() << "eurosat is not in SPLOT_DATA";
  const ImageFolder pictures(path, {.height = 32, .width = 32});
  EXPECT_EQ(pictures.names()[1], "EuroSAT_RGB/AnnualCrop/AnnualCrop_2.jpg") << "not _10";
  const DataSplits parts = pictures.split();
  EXPECT_EQ(parts.train.inputs().shape(), Shape({2400, 3, 32, 32}));
  EXPECT_EQ(parts.test.size(), 600);
  EXPECT_EQ(parts.test.classes().size(), 10u);
}

}  // namespace
}  // namespace splot
