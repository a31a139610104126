// Damaged safetensors, checkpoints, npy and npz files: a typed error or an answer that fits the file, within
// 256 MiB.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "splot/core/file.h"
#include "splot/core/random.h"
#include "splot/core/storage.h"
#include "splot/io/npy.h"
#include "splot/io/npz.h"
#include "splot/io/safetensors.h"

#include "tests/io/damage.h"
#include "tests/support/mutate.h"
#include "tests/support/temp_folder.h"
#include "tests/support/zip_bytes.h"

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

TEST(Hostile, Checkpoint) {
  const auto read = [](const std::string& path) { load_checkpoint(path); };
  const test::HostileResult result =
      test::try_hostile_files({.name = "checkpoint",
                               .files = {test::sample_checkpoint(0), test::sample_checkpoint(2000)},
                               .count = 1000,
                               .read = read},
                              8);
  EXPECT_GE(result.refused, 990) << "damage that changes nothing, as a piece put where it was, is none";
}

// The golden files of NumPy that Splot reads.
std::vector<std::vector<std::uint8_t>> npy_files() {
  std::vector<std::vector<std::uint8_t>> out;
  for (const char* name :
       {"little_f4", "big_i8", "fortran_v1", "fortran_v2", "fortran_v3", "bool", "empty", "scalar"}) {
    out.push_back(read_file(SPLOT_TESTS_DIR "/golden/npy/" + std::string(name) + ".npy", 10000));
  }
  return out;
}

void expect_no_more_than_the_file(const Tensor& x, std::uint64_t file) {
  EXPECT_LE(static_cast<std::uint64_t>(x.numel()) * x.dtype().size(), file);
}

TEST(Hostile, Npy) {
  const auto read = [](const std::string& path) {
    expect_no_more_than_the_file(load_npy(path), std::filesystem::file_size(path));
  };
  const test::HostileResult result =
      test::try_hostile_files({.name = "npy", .files = npy_files(), .count = 1600, .read = read}, 9);
  EXPECT_GT(result.refused, 900);
  EXPECT_GT(result.accepted, 5) << "some damage, as to an element, cannot be seen";
}

TEST(Hostile, Npz) {
  const auto read = [](const std::string& path) {
    for (const auto& [name, x] : load_npz(path)) {
      expect_no_more_than_the_file(x, 1032 * std::filesystem::file_size(path));
    }
  };
  std::vector<std::vector<std::uint8_t>> files;
  for (const char* name : {"arrays", "packed", "none"}) {
    files.push_back(read_file(SPLOT_TESTS_DIR "/golden/npy/" + std::string(name) + ".npz", 10000));
  }
  const test::HostileResult outside =
      test::try_hostile_files({.name = "npz", .files = files, .count = 1200, .read = read}, 10);
  EXPECT_GT(outside.refused, 700);
  // Damage to an array inside a sound zip; the sound files are read as .npy.
  const auto pack = [](std::vector<std::uint8_t>& file) {
    file = test::zip_bytes({{"a.npy", file, file.size() % 2 == 0}});
  };
  const auto read_either = [&](const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (file.get() == 'P') {
      read(path);
    } else {
      load_npy(path);
    }
  };
  const test::HostileResult inside = test::try_hostile_files(
      {.name = "npy in npz", .files = npy_files(), .count = 1200, .read = read_either, .repair = pack}, 11);
  EXPECT_GT(inside.refused, 600);
}

// Zips that claim much, or hold much that no array asks for: refused before memory is asked for.
TEST(Hostile, NpzThatClaimsToBeHuge) {
  std::vector<std::uint8_t> array = read_file(SPLOT_TESTS_DIR "/golden/npy/little_f4.npy", 1000);
  const std::string six = "(2, 3), }          ";
  const auto shape = std::search(array.begin(), array.end(), six.begin(), six.end());
  ASSERT_NE(shape, array.end());
  std::copy_n("(25000000,), }     ", six.size(), shape);
  // What cannot be packed well, so that 100 MB do not look impossible.
  RandomStream random({.seed = 1, .stream = stream_of("test.npz"), .counter = 0});
  for (int i = 0; i < 120000; ++i) array.push_back(static_cast<std::uint8_t>(random.bits()));
  std::vector<std::uint8_t> zeros = array;
  zeros.resize(20 << 20);
  const std::vector<std::uint8_t> files[] = {
      test::zip_bytes({{.name = "a.npy", .data = array, .deflate = true, .size = 100000128}}),
      test::zip_bytes({{.name = "a.npy", .data = array, .deflate = true, .size = 0xfffffff0}}),
      test::zip_bytes({{.name = "a.npy", .data = {1, 2, 3}, .size = 0xfffffff0}}),
      test::zip_bytes({{"a.npy", zeros, true}})};
  for (const auto& file : files) {
    empty_memory_cache();
    reset_peak_memory();
    const std::size_t before = memory_use().peak;
    EXPECT_THROW(load_npz(file, "x"), FormatError);
    EXPECT_LT(memory_use().peak - before, std::size_t{1} << 20);
  }
}

}  // namespace
}  // namespace splot
