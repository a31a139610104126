#include "splot/io/checkpoint.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "splot/core/file.h"
#include "splot/core/sha256.h"

#include "tests/io/damage.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

using Bytes = std::vector<std::uint8_t>;

class Checkpoint : public ::testing::Test {
 protected:
  std::string says(const std::string& text) const { return "[checkpoint] \"" + path_ + "\": " + text; }

  test::TempFolder folder_;
  std::string path_ = folder_.file("x.safetensors");
  const TensorMap tensors_ = {{"w", tensor({{1.0f, 2.0f}, {3.0f, 4.0f}})}, {"step", scalar(std::int64_t{7})}};
  const Metadata metadata_ = {{"epoch", "3"}, {"text", "\"żółw\"\n"}};
};

TEST_F(Checkpoint, ComesBackAsSaved) {
  save_checkpoint(path_, tensors_, metadata_);
  const TensorFile back = load_checkpoint(path_);
  EXPECT_EQ(back.metadata, metadata_);
  EXPECT_EQ(weights_sha256(back.tensors), weights_sha256(tensors_));
  const Bytes bytes = read_file(path_, 10000);
  EXPECT_EQ(load_checkpoint(bytes, "memory").metadata, metadata_);
  save_checkpoint(path_, back.tensors, back.metadata);
  EXPECT_EQ(read_file(path_, 10000), bytes) << "the same content gives the same bytes";
  save_checkpoint(path_, {});
  EXPECT_TRUE(load_checkpoint(path_).tensors.empty());
}

TEST_F(Checkpoint, IsSafetensorsWithTheHashOfAllItsBytes) {
  save_checkpoint(path_, tensors_, metadata_);
  const TensorFile plain = load_safetensors(path_);
  EXPECT_EQ(weights_sha256(plain.tensors), weights_sha256(tensors_));
  const std::string hash = plain.metadata.at(kCheckpointHash);
  Bytes bytes = read_file(path_, 10000);
  const auto digits = std::search(bytes.begin(), bytes.end(), hash.begin(), hash.end());
  ASSERT_NE(digits, bytes.end());
  std::fill_n(digits, 64, '0');
  Sha256 expected;
  expected.add(bytes.data(), bytes.size());
  EXPECT_EQ(hash, expected.hex());
}

TEST_F(Checkpoint, EveryTruncationIsFound) {
  const Bytes whole = test::sample_checkpoint(64 << 10);
  ASSERT_GE(whole.size(), 65536u);
  EXPECT_NO_THROW(load_checkpoint(whole, "whole"));
  for (Bytes cut = whole; !cut.empty();) {
    cut.pop_back();
    ASSERT_TRUE(test::refuses_checkpoint(cut)) << cut.size() << " of " << whole.size() << " bytes";
  }
}

// checkpoint_slow_test.cpp tries every bit of a 64 KiB one.
TEST_F(Checkpoint, EveryFlippedBitIsFound) {
  const Bytes small = test::sample_checkpoint(1500);
  EXPECT_EQ(test::flips_not_noticed(small, 0, 1), std::vector<std::size_t>());
  const Bytes large = test::sample_checkpoint(64 << 10);
  EXPECT_EQ(test::flips_not_noticed(large, 5, 499), std::vector<std::size_t>());
}

TEST_F(Checkpoint, EveryByteAddedIsFound) {
  Bytes bytes = test::sample_checkpoint(0);
  for (const std::uint8_t added : {0, 32, 255}) {
    bytes.push_back(added);
    EXPECT_TRUE(test::refuses_checkpoint(bytes));
    bytes.pop_back();
  }
}

// What a careless hash over the parsed content would let pass: another file with the same content.
TEST_F(Checkpoint, RefusesTheSameContentWrittenDifferently) {
  save_checkpoint(path_, {}, {{"a", "\x1f"}});
  Bytes bytes = read_file(path_, 10000);
  const std::string escaped = "\\u001f";
  const auto at = std::search(bytes.begin(), bytes.end(), escaped.begin(), escaped.end());
  ASSERT_NE(at, bytes.end());
  at[5] = 'F';
  EXPECT_EQ(load_safetensors(bytes, "x").metadata.at("a"), "\x1f");
  EXPECT_TRUE(test::refuses_checkpoint(bytes));
}

TEST_F(Checkpoint, SaysWhatIsWrong) {
  save_safetensors(path_, tensors_, metadata_);
  EXPECT_ERROR(FormatError, load_checkpoint(path_),
               says("has no checkpoint_sha256 in its metadata: no checkpoint, or a damaged one"));
  save_safetensors(path_, {}, {{kCheckpointHash, "short"}});
  EXPECT_ERROR(FormatError, load_checkpoint(path_),
               says("is damaged: its checkpoint_sha256 is not written as Splot writes it"));
  const std::string wrong(64, 'a');
  save_safetensors(path_, {}, {{kCheckpointHash, wrong}});
  Bytes zeros = read_file(path_, 1000);
  std::replace(zeros.begin(), zeros.end(), std::uint8_t{'a'}, std::uint8_t{'0'});
  // The name of the format's own key holds an "a" as well.
  const std::string meta = "__met0d0t0__";
  const auto name = std::search(zeros.begin(), zeros.end(), meta.begin(), meta.end());
  ASSERT_NE(name, zeros.end());
  name[5] = name[7] = name[9] = 'a';
  const std::string key = "sh0256";
  std::search(zeros.begin(), zeros.end(), key.begin(), key.end())[2] = 'a';
  Sha256 found;
  found.add(zeros.data(), zeros.size());
  EXPECT_ERROR(FormatError, load_checkpoint(path_),
               says("is damaged: its SHA-256 is " + found.hex() + ", it should be \"" + wrong + "\""));
  write_file(path_, "no such thing");
  EXPECT_THROW(load_checkpoint(path_), FormatError);
  EXPECT_THROW(load_checkpoint(folder_.file("missing")), IoError);
  EXPECT_ERROR(
      ValueError, save_checkpoint(path_, {}, {{kCheckpointHash, ""}}),
      "[checkpoint] the metadata cannot hold \"checkpoint_sha256\": the hash of the file goes there");
}

}  // namespace
}  // namespace splot
