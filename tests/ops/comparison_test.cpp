#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

CHECK_OP(greater, {.run = [](In in) { return in[0] > in[1]; }, .orders = 0});
CHECK_OP(greater_equal, {.run = [](In in) { return in[0] >= in[1]; }, .orders = 0});
CHECK_OP(less, {.run = [](In in) { return in[0] < in[1]; }, .orders = 0});
CHECK_OP(less_equal, {.run = [](In in) { return in[0] <= in[1]; }, .orders = 0});
CHECK_OP(equal, {.run = [](In in) { return in[0] == in[1]; }, .orders = 0});
CHECK_OP(not_equal, {.run = [](In in) { return in[0] != in[1]; }, .orders = 0});
CHECK_OP(logical_and, {.run = [](In in) { return logical_and(in[0], in[1]); }, .orders = 0});
CHECK_OP(logical_or, {.run = [](In in) { return logical_or(in[0], in[1]); }, .orders = 0});
CHECK_OP(logical_not, {.run = [](In in) { return logical_not(in[0]); }, .orders = 0});
CHECK_OP(isnan, {.run = [](In in) { return isnan(in[0]); }, .orders = 0});
CHECK_OP(isfinite, {.run = [](In in) { return isfinite(in[0]); }, .orders = 0});
CHECK_OP(where, {.run = [](In in) { return where(in[0], in[1], in[2]); }, .exact = true});

TEST(Where, TheConditionMustBeBool) {
  EXPECT_ERROR(DTypeError, where(tensor({1, 0}), 1.0, 2.0), "[where] the condition must be bool, got int32");
}

TEST(Where, NumbersTakeTheOthersType) {
  const Tensor y = where(tensor({true, false}), tensor({1.0f, 2.0f}), 0.0);
  EXPECT_EQ(y.dtype(), kFloat32);
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{1.0f, 0.0f}));
}

// A long condition is widened in blocks, a view of one too.
TEST(Where, LongAndStridedConditions) {
  const Index n = 40'000;
  const Tensor condition = Tensor::build<bool>({n}, [](std::span<bool> out) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = i % 3 == 0;
  });
  for (const Tensor& c : {condition, test::with_odd_strides(condition)}) {
    const std::vector<double> y = where(c, scalar(2.0), scalar(5.0)).to_vector<double>();
    for (std::size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], i % 3 == 0 ? 2.0 : 5.0) << i;
  }
}

}  // namespace
}  // namespace splot
