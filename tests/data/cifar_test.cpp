#include "splot/data/cifar.h"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "splot/core/file.h"

#include "tests/support/expect_error.h"
#include "tests/support/gzip_bytes.h"
#include "tests/support/mutate.h"
#include "tests/support/tar_bytes.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Records of these classes; the pixels of record i are all i.
Bytes records(const Bytes& classes) {
  Bytes out;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    out.push_back(classes[i]);
    out.insert(out.end(), 3072, static_cast<std::uint8_t>(i));
  }
  return out;
}

std::vector<test::TarItem> batches() {
  return {{"cifar/batches.meta.txt", test::bytes_of("cat\ndog\n\n")},
          {"cifar/data_batch_1.bin", records({0, 1})},
          {"cifar/data_batch_2.bin", records({1})},
          {"cifar/test_batch.bin", records({1, 0, 1})}};
}

TEST(Cifar, ReadsFolderAndArchive) {
  const test::TempFolder folder;
  for (const test::TarItem& item : batches()) {
    write_file(folder.file(item.name.substr(6)), item.body);
  }
  write_file(folder.file("c.tar.gz"), test::gzip_bytes(test::tar_file(batches())));
  for (const std::string& path : {folder.path(), folder.file("c.tar.gz")}) {
    const DataSplits cifar = load_cifar10_binary(path);
    EXPECT_EQ(cifar.train.inputs().shape(), Shape({3, 3, 32, 32}));
    EXPECT_EQ(cifar.train.targets().to_vector<int>(), (std::vector<int>{0, 1, 1}));
    EXPECT_EQ(cifar.validation.size(), 0);
    EXPECT_EQ(cifar.test.targets().to_vector<int>(), (std::vector<int>{1, 0, 1}));
    EXPECT_EQ(cifar.test.stored(2, 1).inputs.data<std::uint8_t>()[3071], 2);
    EXPECT_EQ(cifar.test.classes(), (std::vector<std::string>{"cat", "dog"}));
    EXPECT_EQ(cifar.test.preprocessing().divisor, 255.0);
  }
}

TEST(Cifar, SaysWhatIsWrong) {
  const test::TempFolder folder;
  const std::string path = folder.file("c.tar");
  const auto load = [&](const std::vector<test::TarItem>& items) {
    write_file(path, test::tar_file(items));
    return load_cifar10_binary(path);
  };
  std::vector<test::TarItem> items = batches();
  items[2].body.pop_back();
  EXPECT_ERROR(
      FormatError, load(items),
      "[cifar-10] \"" + path +
          "/cifar/data_batch_2.bin\" has 3072 bytes, which is no multiple of 3073, the size of a record");
  items = batches();
  items[3].body[3073] = 2;
  EXPECT_ERROR(FormatError, load(items),
               "[cifar-10] \"" + path + "/cifar/test_batch.bin\" at byte 3073: class 2, the largest is 1");
  items = batches();
  items.erase(items.begin() + 1);
  EXPECT_ERROR(IoError, load(items), "[cifar-10] there is no data_batch_1.bin in \"" + path + '"');
  EXPECT_ERROR(IoError, load({}), "[cifar-10] there is no batches.meta.txt in \"" + path + '"');
  items = batches();
  items[0].body.clear();
  EXPECT_ERROR(FormatError, load(items),
               "[cifar-10] \"" + path + "/cifar/batches.meta.txt\" has 0 names of classes");
  items = batches();
  items[0].body.assign(65'537, '\n');
  EXPECT_ERROR(FormatError, load(items),
               "[cifar-10] \"" + path + "/cifar/batches.meta.txt\" has 65537 bytes; the limit is 65536");
  items = batches();
  for (std::size_t i : {1, 2}) items[i].body.clear();
  EXPECT_EQ(load(items).train.size(), 0) << "no records are whole records";
}

TEST(Cifar, SaysWhatIsWrongInAFolder) {
  const test::TempFolder folder;
  const std::string names = folder.file("batches.meta.txt");
  const std::string batch = folder.file("data_batch_1.bin");
  const auto load = [&] { return load_cifar10_binary(folder.path()); };
  write_file(names, "cat\ndog\n");
  EXPECT_ERROR(IoError, load(), "[cifar-10] there is no data_batch_1.bin in \"" + folder.path() + '"');
  std::filesystem::create_symlink("data_batch_1.bin", batch);
  EXPECT_ERROR(IoError, load(), "[cifar-10] there is no data_batch_1.bin in \"" + folder.path() + '"');
  std::filesystem::remove(batch);
  std::filesystem::create_directory(batch);
  EXPECT_ERROR(IoError, load(), "[read] \"" + batch + "\" is a directory");
  std::filesystem::remove(batch);
  write_file(batch, "");
  std::filesystem::resize_file(batch, std::uint64_t{1} << 40);  // of holes: it takes no room on the disk
  EXPECT_ERROR(IoError, load(), "[read] \"" + batch + "\" has 1099511627776 bytes; the limit is 1073741824");
  write_file(names, Bytes(65'537, '\n'));
  EXPECT_ERROR(IoError, load(), "[read] \"" + names + "\" has 65537 bytes; the limit is 65536");
  const std::string loop = folder.file("loop");
  std::filesystem::create_symlink("loop", loop);
  EXPECT_ERROR(IoError, load_cifar10_binary(loop),
               "[read] \"" + loop + "\" cannot be opened: Too many levels of symbolic links");
}

// What was read must fit its own sizes.
void check(const DataSplits& cifar) {
  for (const Dataset* part : {&cifar.train, &cifar.test}) {
    EXPECT_EQ(part->inputs().shape(), Shape({part->size(), 3, 32, 32}));
    for (const int label : part->targets().to_vector<int>()) {
      EXPECT_TRUE(label >= 0 && label < static_cast<int>(part->classes().size())) << label;
    }
  }
}

// The damaged file is one of a folder.
TEST(Hostile, CifarFolder) {
  int refused = 0, accepted = 0;
  for (const test::TarItem& item : batches()) {
    const test::TempFolder folder;
    for (const test::TarItem& other : batches()) {
      if (other.name != item.name) write_file(folder.file(other.name.substr(6)), other.body);
    }
    const auto read = [&](const std::string& path) {
      const std::string place = folder.file(item.name.substr(6));
      if (!std::filesystem::is_symlink(place)) std::filesystem::create_symlink(path, place);
      check(load_cifar10_binary(folder.path()));
    };
    const test::HostileResult result =
        test::try_hostile_files({.name = item.name, .files = {item.body}, .count = 200, .read = read}, 14);
    refused += result.refused;
    accepted += result.accepted;
  }
  EXPECT_GT(refused, 300);
  EXPECT_GT(accepted, 100) << "some damage, as to a pixel, cannot be seen";
}

TEST(Hostile, CifarArchive) {
  const Bytes plain = test::tar_file(batches());
  const auto read = [](const std::string& path) { check(load_cifar10_binary(path)); };
  const test::HostileResult result = test::try_hostile_files(
      {.name = "cifar.tar", .files = {plain}, .count = 600, .read = read, .repair = test::repair_tar}, 15);
  EXPECT_GT(result.refused, 200);
  EXPECT_GT(result.accepted, 20);
  const auto pack = [](Bytes& file) {
    test::repair_tar(file);
    file = test::gzip_bytes(file);
  };
  const test::HostileResult packed = test::try_hostile_files(
      {.name = "cifar.tar.gz", .files = {plain}, .count = 300, .read = read, .repair = pack}, 16);
  EXPECT_GT(packed.refused, 100);
}

// A hundred million names, of no letters, in an archive of a hundred kilobytes.
TEST(Hostile, CifarNamesBomb) {
  std::vector<test::TarItem> items = batches();
  constexpr int kMegabytes = 96;
  Bytes bomb = test::gzip_bytes(test::tar_file({{items[0].name, {}, '0', "00600000000"}}, 0));
  const Bytes lines = test::gzip_bytes(Bytes(std::size_t{1} << 20, '\n'));
  for (int i = 0; i < kMegabytes; ++i) bomb.insert(bomb.end(), lines.begin(), lines.end());
  items.erase(items.begin());
  const Bytes rest = test::gzip_bytes(test::tar_file(items));
  bomb.insert(bomb.end(), rest.begin(), rest.end());
  EXPECT_LT(bomb.size(), 200'000u);
  const auto read = [](const std::string& path) { check(load_cifar10_binary(path)); };
  const auto explode = [&](Bytes& file) { file = bomb; };
  const test::HostileResult result = test::try_hostile_files({.name = "cifar with a bomb",
                                                              .files = {test::tar_file(batches())},
                                                              .count = 2,
                                                              .read = read,
                                                              .repair = explode},
                                                             17);
  EXPECT_GE(result.refused, 1);
}

TEST(Cifar, Subset) {
  const char* root = std::getenv("SPLOT_DATA");
  const std::string path =
      std::string(root == nullptr ? "" : root) + "/cifar-10/cifar-10-binary-subset.tar.gz";
  if (root == nullptr || access(path.c_str(), R_OK) != 0) GTEST_SKIP() << "cifar-10 is not in SPLOT_DATA";
  const DataSplits cifar = load_cifar10_binary(path);
  EXPECT_EQ(cifar.train.size(), 2000);
  EXPECT_EQ(cifar.test.size(), 1000);
  EXPECT_EQ(cifar.train.classes()[9], "truck");
  const Preprocessing p = standardised_by_channel(cifar.train);
  EXPECT_NEAR(p.means[0] * 255, 125.3, 3.0);
  EXPECT_NEAR(p.deviations[2] * 255, 66.5, 3.0);
}

}  // namespace
}  // namespace splot
