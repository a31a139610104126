// Damaged safetensors files: a typed error or an answer that fits the file, within 256 MiB.
#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>

#include "splot/core/file.h"
#include "splot/io/safetensors.h"

#include "tests/support/mutate.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

TEST(Hostile, Safetensors) {
  const test::TempFolder folder;
  const std::string path = folder.file("small");
  save_safetensors(path, {{"w", tensor({{1.0f, 2.0f}, {3.0f, 4.0f}})}, {"b", tensor({1, 2})}},
                   {{"format", "pt"}});
  const std::vector<std::uint8_t> small = read_file(path, 10000);
  save_safetensors(path, {});
  const std::vector<std::uint8_t> empty = read_file(path, 10000);
  const std::vector<std::uint8_t> golden = read_file(SPLOT_TESTS_DIR "/golden/every_type.safetensors", 10000);
  const auto read = [](const std::string& file_path) {
    const TensorFile file = load_safetensors(file_path);
    Index bytes = 0;
    for (const auto& [name, x] : file.tensors) bytes += x.numel() * static_cast<Index>(x.dtype().size());
    std::ifstream raw(file_path, std::ios::binary | std::ios::ate);
    EXPECT_LE(bytes + 8, static_cast<Index>(raw.tellg()));
    EXPECT_EQ(weights_sha256(file.tensors).size(), 64u);
  };
  // Damage to the header alone leaves a length that does not fit; make it fit again in every second file.
  const auto repair = [](std::vector<std::uint8_t>& file) {
    const auto end = std::find(file.rbegin(), file.rend(), std::uint8_t{'}'});
    if (end == file.rend() || file.size() < 8) return;
    std::size_t length = static_cast<std::size_t>(file.rend() - end) - 8;
    while (8 + length < file.size() && file[8 + length] == ' ') ++length;
    for (std::size_t i = 0; i < 8; ++i) file[i] = static_cast<std::uint8_t>(std::uint64_t{length} >> (8 * i));
  };
  const test::HostileResult result = test::try_hostile_files(
      {.name = "safetensors", .files = {golden, small, empty}, .count = 1500, .read = read, .repair = repair},
      7);
  EXPECT_GT(result.refused, 1000);
  EXPECT_GT(result.accepted, 10);
}

}  // namespace
}  // namespace splot
