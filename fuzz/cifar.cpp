// CIFAR-10: the bytes as an archive, that archive with every check sum made right, and the bytes as names of
// classes and, behind the first zero, records of a sound archive, or hardly any damage would get so far.
#include "splot/data/cifar.h"

#include <algorithm>

#include "fuzz/fuzz.h"
#include "tests/support/tar_bytes.h"

namespace {

void check(const splot::Dataset& part) {
  using splot::fuzz::expect;
  expect(part.inputs().shape() == splot::Shape({part.size(), 3, 32, 32}), "pictures of another size");
  const auto classes = static_cast<std::int64_t>(part.classes().size());
  for (const std::int64_t label : part.targets().to_vector<std::int64_t>()) {
    expect(label >= 0 && label < classes, "a class without a name");
  }
}

void read(splot::fuzz::Bytes bytes) {
  splot::fuzz::accept_errors([&] {
    const splot::DataSplits cifar = splot::load_cifar10_binary(splot::fuzz::as_file(bytes));
    check(cifar.train);
    check(cifar.test);
    splot::fuzz::expect(splot::fuzz::byte_count(cifar.train.inputs()) <= 1032 * bytes.size(),
                        "more pictures than the file holds");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read({data, size});
  std::vector<std::uint8_t> bytes(data, data + size);
  const auto zero = std::find(bytes.begin(), bytes.end(), 0);
  const std::vector<std::uint8_t> names(bytes.begin(), zero);
  const std::vector<std::uint8_t> records(zero == bytes.end() ? zero : zero + 1, bytes.end());
  read(splot::test::tar_file(
      {{"batches.meta.txt", names}, {"data_batch_1.bin", records}, {"test_batch.bin", records}}));
  splot::test::repair_tar(bytes);
  read(bytes);
  return 0;
}
