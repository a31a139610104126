#include "splot/io/npz.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "splot/core/file.h"
#include "splot/io/npy.h"

#include "tests/support/expect_error.h"
#include "tests/support/python.h"
#include "tests/support/temp_folder.h"
#include "tests/support/zip_bytes.h"

namespace splot {
namespace {

using Bytes = std::vector<std::uint8_t>;
using test::ZipMember;

std::string golden(const std::string& name) { return SPLOT_TESTS_DIR "/golden/npy/" + name + ".npz"; }

// One array as .npy.
Bytes npy_bytes(const Tensor& x) {
  const test::TempFolder folder;
  save_npy(folder.file("x"), x);
  return read_file(folder.file("x"), std::uint64_t{1} << 30);
}

TensorMap load(const std::vector<ZipMember>& members, std::uint64_t limit = kNpzLimit) {
  return load_npz(test::zip_bytes(members), "x", limit);
}

std::string says(const std::string& text) { return "[npz] \"x\": " + text; }

const Bytes kThree = npy_bytes(tensor({1.0f, 2.0f, 3.0f}));

TEST(Npz, ReadsWhatNumPyWrote) {
  for (const char* name : {"arrays", "packed"}) {
    const TensorMap arrays = load_npz(golden(name));
    EXPECT_EQ(arrays.size(), 3u);
    EXPECT_EQ(arrays.at("x").shape(), Shape({2, 3, 4}));
    EXPECT_EQ(arrays.at("x").to_vector<int>()[23], 23);
    EXPECT_EQ(arrays.at("nested/żółw").to_vector<int>(), (std::vector<int>{1, 2, 3}));
    EXPECT_EQ(arrays.at("mask").dtype(), kBool);
  }
  EXPECT_TRUE(load_npz(golden("none")).empty());
  const Bytes bytes = read_file(golden("packed"), 10000);
  EXPECT_EQ(load_npz(bytes, "memory").size(), 3u);
}

TEST(Npz, ComesBackAsSaved) {
  const test::TempFolder folder;
  const std::string path = folder.file("x.npz");
  const TensorMap arrays = {{"w", Tensor::from(std::vector<float>(5000, 0.5f), {50, 100})},
                            {"żółw/b", scalar(std::int64_t{3})},
                            {"none", Tensor::empty({0, 2}, kUInt8)}};
  for (const NpzPacking packing : {NpzPacking::stored, NpzPacking::deflated}) {
    save_npz(path, arrays, packing);
    const Bytes first = read_file(path, 1 << 20);
    EXPECT_EQ(first.size() > 20000, packing == NpzPacking::stored);
    EXPECT_EQ(weights_sha256(load_npz(path)), weights_sha256(arrays));
    save_npz(path, arrays, packing);
    EXPECT_EQ(read_file(path, 1 << 20), first) << "the same arrays give the same bytes";
  }
  save_npz(path, {});
  EXPECT_TRUE(load_npz(path).empty());
  EXPECT_EQ(read_file(path, 100), read_file(golden("none"), 100));
}

TEST(Npz, NumPyReadsWhatItWrites) {
  const std::string python = test::python_with("numpy");
  if (python.empty()) GTEST_SKIP() << "there is no NumPy";
  const test::TempFolder folder;
  save_npz(folder.file("stored.npz"), {{"żółw", tensor({1.5f, 2.5f})}, {"i", scalar(std::int64_t{7})}});
  save_npz(folder.file("deflated.npz"), {{"żółw", tensor({1.5f, 2.5f})}, {"i", scalar(std::int64_t{7})}},
           NpzPacking::deflated);
  const std::string script = "import numpy as np\nfor n in ('stored', 'deflated'):\n  z = np.load('" +
                             folder.path() +
                             "/' + n + '.npz')\n  assert sorted(z.files) == ['i', 'żółw'], z.files\n"
                             "  assert z['żółw'].tolist() == [1.5, 2.5] and z['i'] == 7\n";
  EXPECT_EQ(std::system((python + " -c \"" + script + "\"").c_str()), 0);
}

TEST(Npz, RefusesToWriteWhatCannotBeHeld) {
  const test::TempFolder folder;
  const std::string path = folder.file("x");
  EXPECT_ERROR(DTypeError, save_npz(path, {{"h", Tensor::empty({1}, kBFloat16)}}),
               "[npy] NumPy has no bfloat16; cast to float32 first");
  EXPECT_ERROR(ValueError, save_npz(path, {{"\xff", tensor({1})}}),
               "[npz] the name \"\xff\" cannot be used; is it UTF-8?");
  EXPECT_ERROR(ValueError, save_npz(path, {{std::string("a\0b", 3), tensor({1})}}),
               "[npz] the name \"a\\x00b\" holds a zero byte");
}

TEST(Npz, RefusesMembersOfAnotherKind) {
  EXPECT_EQ(load({{"a.npy", kThree}, {"b.npy", kThree, true}}).size(), 2u);
  EXPECT_ERROR(FormatError, load({{"a.txt", {1}}}), says("member \"a.txt\" is no .npy"));
  EXPECT_THROW(load({{"a.npy", kThree}, {"a.npy", kThree}}), FormatError) << "twice";
  EXPECT_ERROR(FormatError, load({{.name = "a.npy", .data = kThree, .method = 12}}),
               says("member \"a.npy\" is packed with method 12; Splot reads stored (0) and deflated (8)"));
  EXPECT_ERROR(FormatError, load({{.name = "a.npy", .data = kThree, .flags = 1}}),
               says("member \"a.npy\" is encrypted"));
  EXPECT_ERROR(FormatError, load({{"a.npy", {1, 2, 3}}}),
               "[npy] \"x/a.npy\": has 3 bytes; the shortest beginning takes 10");
}

TEST(Npz, RefusesWhatIsNoZip) {
  const test::TempFolder folder;
  EXPECT_ERROR(FormatError, load_npz(Bytes{}, "x"), says("has 0 bytes; the end of a zip alone takes 22"));
  EXPECT_ERROR(FormatError, load_npz(kThree, "x"), says("is no sound zip: Not a zip archive"));
  Bytes cut = test::zip_bytes({{"a.npy", kThree}});
  cut.resize(cut.size() - 30);
  EXPECT_THROW(load_npz(cut, "x"), FormatError);
  EXPECT_THROW(load_npz(folder.file("missing")), IoError);
  EXPECT_THROW(load_npz(folder.path()), IoError);
}

TEST(Npz, FindsWrongCheckSumsAndSizes) {
  EXPECT_ERROR(FormatError, load({{.name = "a.npy", .data = kThree, .crc = 7}}),
               says("member \"a.npy\": CRC error"));
  EXPECT_ERROR(FormatError, load({{.name = "a.npy", .data = kThree, .deflate = true, .crc = 7}}),
               says("member \"a.npy\": CRC error"));
  EXPECT_THROW(load({{.name = "a.npy", .data = kThree, .size = 12}}), FormatError);
  EXPECT_THROW(load({{.name = "a.npy", .data = kThree, .deflate = true, .size = 12}}), FormatError);
  EXPECT_THROW(load({{.name = "a.npy", .data = kThree, .deflate = true, .size = 500}}), FormatError);
}

TEST(Npz, BoundsWhatUnpacks) {
  const Bytes zeros = npy_bytes(Tensor::from(std::vector<float>(250000, 0.0f), {250000}));
  EXPECT_EQ(load({{"a.npy", zeros, true}}).at("a").numel(), 250000) << "a thousand to one, and honest";
  EXPECT_ERROR(FormatError, load({{"a.npy", zeros, true}}, 1000000),
               says("its members unpack to more than the limit of 1000000 bytes"));
  EXPECT_ERROR(FormatError, load({{"a.npy", zeros, true}, {"b.npy", zeros, true}}, 1500000),
               says("its members unpack to more than the limit of 1500000 bytes"));
  EXPECT_ERROR(
      FormatError, load({{.name = "a.npy", .data = Bytes(100), .size = 4000000000}}),
      says("member \"a.npy\" claims 4000000000 bytes; packed it has 100, which can hold at most 100"));
  const Bytes liar =
      test::zip_bytes({{.name = "a.npy", .data = kThree, .deflate = true, .size = 4000000000}});
  EXPECT_THROW(load_npz(liar, "x"), FormatError);
}

}  // namespace
}  // namespace splot
