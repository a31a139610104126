#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

CHECK_OP(add, {.run = [](In in) { return in[0] + in[1]; }, .exact = true});
CHECK_OP(sub, {.run = [](In in) { return in[0] - in[1]; }, .exact = true});
CHECK_OP(mul, {.run = [](In in) { return in[0] * in[1]; }, .exact = true});
CHECK_OP(div, {.run = [](In in) { return in[0] / in[1]; }, .exact = true});
CHECK_OP(neg, {.run = [](In in) { return -in[0]; }, .exact = true});
CHECK_OP(pow, {.run = [](In in) { return pow(in[0], in[1]); }});
CHECK_OP(pow_number, {.run = [](In in) { return pow(in[0], 2.5); }, .op = "pow"});
CHECK_OP(pow_two, {.run = [](In in) { return pow(in[0], 2.0); }, .op = "mul"});
CHECK_OP(pow_three, {.run = [](In in) { return pow(in[0], 3); }, .op = "mul"});
CHECK_OP(pow_half, {.run = [](In in) { return pow(in[0], 0.5); }, .op = "sqrt"});
CHECK_OP(pow_of_number, {.run = [](In in) { return pow(2.0, in[0]); }, .op = "pow"});
CHECK_OP(maximum, {.run = [](In in) { return maximum(in[0], in[1]); }, .exact = true});
CHECK_OP(minimum, {.run = [](In in) { return minimum(in[0], in[1]); }, .exact = true});
CHECK_OP(square, {.run = [](In in) { return square(in[0]); }, .op = "mul", .exact = true});
CHECK_OP(reciprocal, {.run = [](In in) { return reciprocal(in[0]); }, .op = "div", .exact = true});

TEST(Arithmetic, NamesBothShapesWhenTheyDoNotBroadcast) {
  EXPECT_ERROR(ShapeError, zeros({2, 3}) + zeros({4}),
               "[add] cannot broadcast [2, 3] with [4]: axis -1 has sizes 3 and 4");
}

TEST(Arithmetic, DifferencesOfBoolsAreRefused) {
  const Tensor mask = tensor({true, false});
  EXPECT_ERROR(DTypeError, mask - mask,
               "[sub] is not defined for bool; for masks use logical_not or not_equal");
  EXPECT_ERROR(DTypeError, -mask, "[neg] is not defined for bool; for masks use logical_not");
}

TEST(Arithmetic, BFloat16OnlyCasts) {
  const Tensor half = cast(tensor({1.0f}), kBFloat16);
  EXPECT_ERROR(DTypeError, half + half,
               "[add] bfloat16 can only be cast, copied and stored; cast to float32 first");
  EXPECT_ERROR(DTypeError, exp(half),
               "[exp] bfloat16 can only be cast, copied and stored; cast to float32 first");
}

TEST(Arithmetic, IntegersHaveNoNegativePowers) {
  EXPECT_ERROR(ValueError, pow(tensor({1, 2}), -1),
               "[pow] integers have no negative powers among integers; cast to float32 first");
  EXPECT_EQ(pow(tensor({1, -1, 2}), tensor({-2, -3, -1})).to_vector<int>(), (std::vector<int>{1, -1, 0}));
  EXPECT_EQ(pow(tensor({4, 2}), 0.5).dtype(), kFloat32);
}

}  // namespace
}  // namespace splot
