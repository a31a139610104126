#include "splot/data/idx.h"

#include <cstring>

#include <gtest/gtest.h>

#include "splot/core/file.h"
#include "splot/data/gzip.h"

#include "tests/support/expect_error.h"
#include "tests/support/gzip_bytes.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

using Bytes = std::vector<std::uint8_t>;

class Idx : public ::testing::Test {
 protected:
  Tensor read(const Bytes& bytes) {
    write_file(path_, bytes);
    return read_idx(path_);
  }
  std::string at(int byte, const std::string& text) const {
    return "[idx] \"" + path_ + "\" at byte " + std::to_string(byte) + ": " + text;
  }

  test::TempFolder folder_;
  std::string path_ = folder_.file("x.idx");
};

const Bytes kSmall = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255};

TEST_F(Idx, ReadsBytes) {
  const Tensor x = read(kSmall);
  EXPECT_EQ(x.shape(), Shape({2, 3}));
  EXPECT_EQ(x.dtype(), kUInt8);
  EXPECT_EQ(x.to_vector<std::uint8_t>(), (Bytes{1, 2, 3, 4, 5, 255}));
}

TEST_F(Idx, ReadsGzipWhateverTheNameAndInSeveralMembers) {
  EXPECT_EQ(read(test::gzip_bytes(kSmall)).to_vector<int>(), (std::vector<int>{1, 2, 3, 4, 5, 255}));
  Bytes two = test::gzip_bytes(std::span(kSmall).first(7));
  const Bytes rest = test::gzip_bytes(std::span(kSmall).subspan(7));
  two.insert(two.end(), rest.begin(), rest.end());
  EXPECT_EQ(read(two).to_vector<int>(), (std::vector<int>{1, 2, 3, 4, 5, 255}));
}

TEST_F(Idx, ReadsBigEndianNumbers) {
  EXPECT_EQ(read({0, 0, 0x0c, 1, 0, 0, 0, 2, 0, 0, 1, 2, 255, 255, 255, 254}).to_vector<std::int32_t>(),
            (std::vector<std::int32_t>{258, -2}));
  EXPECT_EQ(read({0, 0, 0x0d, 1, 0, 0, 0, 1, 0x3f, 0xc0, 0, 0}).item<float>(), 1.5f);
  EXPECT_EQ(read({0, 0, 0x0e, 1, 0, 0, 0, 1, 0xc0, 0x04, 0, 0, 0, 0, 0, 0}).item<double>(), -2.5);
}

TEST_F(Idx, ReadsNothingWhereASizeIsZero) {
  const Tensor x = read({0, 0, 8, 3, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255});
  EXPECT_EQ(x.shape(), Shape({0, 4294967295, 4294967295}));
}

TEST_F(Idx, WritesWhatItReads) {
  const auto check = [&](const Tensor& x) {
    write_idx(path_, x);
    const Tensor back = read_idx(path_);
    EXPECT_EQ(back.dtype(), x.dtype());
    EXPECT_EQ(back.shape(), x.shape());
    EXPECT_EQ(back.to_vector<double>(), x.to_vector<double>());
  };
  check(tensor<std::uint8_t>({1, 2, 255}));
  check(tensor({{1, -2}, {3, 1 << 30}}));
  check(tensor({{1.5f, -2.25f}}));
  check(tensor({1e300, -0.1}));
  EXPECT_ERROR(DTypeError, write_idx(path_, tensor<std::int64_t>({1})),
               "[write_idx] IDX holds uint8, int32, float32 and float64, got int64");
  EXPECT_ERROR(ShapeError, write_idx(path_, scalar(1.0f)), "[write_idx] IDX needs at least one axis, got []");
}

TEST_F(Idx, NamesTheRuleThatIsBroken) {
  EXPECT_ERROR(FormatError, read({}), at(0, "the file ends inside the first four bytes"));
  EXPECT_ERROR(FormatError, read({0, 0, 8}), at(3, "the file ends inside the first four bytes"));
  EXPECT_ERROR(FormatError, read({0x89, 'P', 8, 1}),
               at(0, "an IDX file begins with two zero bytes, got 0x89 0x50"));
  EXPECT_ERROR(
      FormatError, read({0, 0, 7, 1}),
      at(2, "0x07 is no element type; there are 0x08 uint8, 0x0c int32, 0x0d float32 and 0x0e float64"));
  EXPECT_ERROR(
      FormatError, read({0, 0, 9, 1}),
      at(2,
         "the elements are int8; Splot reads uint8 (0x08), int32 (0x0c), float32 (0x0d) and float64 (0x0e)"));
  EXPECT_ERROR(FormatError, read({0, 0, 8, 0, 1}), at(3, "needs 1 to 8 axes, got 0"));
  EXPECT_ERROR(FormatError, read({0, 0, 8, 9}), at(3, "needs 1 to 8 axes, got 9"));
  EXPECT_ERROR(FormatError, read({0, 0, 8, 2, 0, 0, 0, 1, 0}),
               at(9, "the file ends inside the sizes of its 2 axes"));
  EXPECT_ERROR(FormatError, read({0, 0, 8, 1, 0, 0, 0, 3, 1, 2}),
               at(10, "sizes [3] of uint8 need 3 bytes of elements, the file has 2"));
  EXPECT_ERROR(FormatError, read({0, 0, 8, 1, 0, 0, 0, 1, 1, 2}),
               at(9, "sizes [1] of uint8 need 1 bytes of elements, the file has more"));
  EXPECT_ERROR(FormatError, read({0, 0, 14, 2, 255, 255, 255, 255, 255, 255, 255, 255}),
               at(4, "sizes [4294967295, 4294967295] are more elements than 64 bits can count"));
  EXPECT_ERROR(FormatError, read({0, 0, 8, 1, 255, 255, 255, 255, 1}),
               at(8 + 1, "sizes [4294967295] of uint8 need 4294967295 bytes of elements, the file has 1"));
}

TEST_F(Idx, NamesTheRuleThatIsBrokenInsideGzip) {
  const auto packed = [&](Bytes bytes) { return read(test::gzip_bytes(bytes)); };
  EXPECT_ERROR(FormatError, packed({0, 0, 8, 1, 0, 0, 0, 3, 1, 2}),
               at(10, "sizes [3] of uint8 need 3 bytes of elements, the file has 2"));
  EXPECT_ERROR(FormatError, packed({0, 0, 8, 1, 0, 0, 0, 1, 1, 2}),
               at(9, "sizes [1] of uint8 need 1 bytes of elements, the file has more"));
  const Bytes lying = {0, 0, 8, 1, 255, 255, 255, 255, 1};
  const std::size_t most = test::gzip_bytes(lying).size() * 1032 - 8;
  EXPECT_ERROR(
      FormatError, packed(lying),
      at(4,
         "sizes [4294967295] of uint8 need 4294967295 bytes of elements, the packed file can hold at most " +
             std::to_string(most)));
  Bytes cut = test::gzip_bytes(kSmall);
  cut.resize(cut.size() - 3);
  EXPECT_ERROR(
      FormatError, read(cut),
      "[gzip] \"" + path_ + "\" at byte " + std::to_string(cut.size()) + ": the gzip stream is cut short");
  Bytes followed = test::gzip_bytes(kSmall);
  followed.push_back('x');
  EXPECT_ERROR(FormatError, read(followed),
               "[gzip] \"" + path_ + "\" at byte " + std::to_string(followed.size() - 1) +
                   ": something other than gzip follows the gzip stream");
  Bytes wrong_sum = test::gzip_bytes(kSmall);
  wrong_sum[wrong_sum.size() - 8] ^= 1;
  EXPECT_ERROR(
      FormatError, read(wrong_sum),
      "[gzip] \"" + path_ + "\" at byte " + std::to_string(wrong_sum.size() - 4) + ": incorrect data check");
}

// A claim too large to be taken on trust is tried by unpacking before memory is asked for.
TEST_F(Idx, AsksForNoMemoryOnALargeLie) {
  Bytes bytes = {0, 0, 8, 1, 8, 0, 0, 0};  // 128 MiB
  bytes.resize(bytes.size() + (8 << 20));
  const Bytes packed = test::gzip_bytes(bytes);
  reset_peak_memory();
  const std::size_t before = memory_use().peak;
  Bytes padded = packed;  // empty members make the file long enough for the claim
  const Bytes nothing = test::gzip_bytes({});
  while (padded.size() * 1032 < (std::size_t{128} << 20) + 1032) {
    padded.insert(padded.end(), nothing.begin(), nothing.end());
  }
  EXPECT_ERROR(
      FormatError, read(padded),
      at(8 + (8 << 20), "sizes [134217728] of uint8 need 134217728 bytes of elements, the file has 8388608"));
  EXPECT_EQ(memory_use().peak, before);
}

TEST_F(Idx, ReadUnpackedKeepsToItsLimit) {
  const Bytes zeros(50 << 20);
  write_file(path_, test::gzip_bytes(zeros));
  EXPECT_ERROR(IoError, read_unpacked(path_, 1000),
               "[read] \"" + path_ + "\" unpacks to more than the limit of 1000 bytes");
  write_file(path_, "plain");
  EXPECT_EQ(read_unpacked(path_, 5).size(), 5u);
  EXPECT_ERROR(IoError, read_unpacked(path_, 4),
               "[read] \"" + path_ + "\" has more than the limit of 4 bytes");
}

}  // namespace
}  // namespace splot
