#include "splot/core/random.h"

#include <cmath>
#include <set>

#include <gtest/gtest.h>

namespace splot {
namespace {

// The known answers that Random123, the paper's own implementation, publishes for philox4x32-10.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomKey, SeedStreamCounterAndIndexAllMatter) {
  const RandomKey key{1, 2, 3};
  std::set<PhiloxBlock> blocks = {random_block(key, 0),
                                  random_block(key, 1),
                                  random_block({2, 2, 3}, 0),
                                  random_block(key.with_stream(3), 0),
                                  random_block(key.with_counter(4), 0),
                                  random_block({1, 2, 3}, std::uint64_t{1} << 32)};
  EXPECT_EQ(blocks.size(), 6u);
  EXPECT_EQ(random_block(key, 5), random_block({1, 2, 3}, 5));
  EXPECT_NE(stream_of("0.weight"), stream_of("1.weight"));
}

TEST(RandomStream, MomentsAreThoseOfTheDistributions) {
  RandomStream random({.seed = 3});
  constexpr int kDraws = 200'000;
  double uniform = 0, normal = 0, squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    ASSERT_TRUE(u >= 0 && u < 1);
    uniform += u;
    const double x = random.normal();
    ASSERT_TRUE(std::isfinite(x));
    normal += x;
    squares += x * x;
  }
  // Five standard deviations of each mean.
  EXPECT_NEAR(uniform / kDraws, 0.5, 5 * std::sqrt(1.0 / 12 / kDraws));
  EXPECT_NEAR(normal / kDraws, 0.0, 5 * std::sqrt(1.0 / kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0, 5 * std::sqrt(2.0 / kDraws));
}

TEST(RandomStream, BelowIsEven) {
  RandomStream random({.seed = 4});
  int counts[7] = {};
  for (int i = 0; i < 70'000; ++i) ++counts[random.below(7)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 5 * std::sqrt(70'000.0 * 6 / 49));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(random.below(1), 0u);
}

}  // namespace
}  // namespace splot
