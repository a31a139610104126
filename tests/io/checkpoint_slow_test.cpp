// Every single bit of a 64 KiB checkpoint. Some minutes: half a million hashes of 64 KiB.
#include <gtest/gtest.h>

#include "tests/io/damage.h"

namespace splot {
namespace {

// Dealt to eight cases, so that they run side by side.
class CheckpointBits : public ::testing::TestWithParam<std::size_t> {};

TEST_P(CheckpointBits, EveryFlipIsFound) {
  const std::vector<std::uint8_t> bytes = test::sample_checkpoint(64 << 10);
  ASSERT_GE(bytes.size(), 65536u);
  EXPECT_EQ(test::flips_not_noticed(bytes, GetParam(), 8), std::vector<std::size_t>());
}

INSTANTIATE_TEST_SUITE_P(Bit, CheckpointBits, ::testing::Range(std::size_t{0}, std::size_t{8}));

}  // namespace
}  // namespace splot
