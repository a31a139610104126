#include "splot/core/sum.h"

#include <vector>

#include <gtest/gtest.h>

namespace splot {
namespace {

TEST(Sum, TakesEveryTermOnce) {
  for (Index n = 0; n < 40; ++n) {
    std::vector<int> asked(static_cast<std::size_t>(n), 0);
    const double sum = sum_of(n, [&](Index i) {
      ++asked[static_cast<std::size_t>(i)];
      return static_cast<double>(i);
    });
    EXPECT_EQ(sum, static_cast<double>(n * (n - 1) / 2));
    EXPECT_EQ(asked, std::vector<int>(static_cast<std::size_t>(n), 1));
  }
}

// Where the additions stand in another order, they come to something else.
TEST(Sum, AddsInTheOrderItPromises) {
  const std::vector<double> terms = {1e16, 1.0, -1e16, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0};
  const auto sum_of_first = [&](Index n) {
    return sum_of(n, [&](Index i) { return terms[static_cast<std::size_t>(i)]; });
  };
  // 1e16 takes up a 1 without a trace: the second term, the first being there before it.
  EXPECT_EQ(sum_of_first(8), 5.0);
  // Of three left over the total is 3 when 1e16 comes: 1e16 + 3 is rounded to 1e16 + 4, and the 1 is lost.
  EXPECT_EQ(sum_of_first(11), 9.0);
}

}  // namespace
}  // namespace splot
