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

TEST(Arithmetic, NamesBothShapesWhenTheyDoNotBroadcast) {
  EXPECT_ERROR(ShapeError, zeros({2, 3}) + zeros({4}),
               "[add] cannot broadcast [2, 3] with [4]: axis -1 has sizes 3 and 4");
}

}  // namespace
}  // namespace splot
