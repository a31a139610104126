#include "splot/data/cifar.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <unistd.h>

#include "splot/core/file.h"

#include "tests/support/expect_error.h"
#include "tests/support/gzip_bytes.h"
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
