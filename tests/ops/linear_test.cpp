#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

CHECK_OP(linear, {.run =
                      [](std::span<const Tensor> in) {
                        return linear(in[0], in[1], in.size() == 3 ? in[2] : Tensor());
                      },
                  .float32 = {1e-6, 4e-6, "sums of products cancel"},
                  .float64 = {1e-15, 1e-14, "sums of products cancel"},
                  .gradient32 = {1e-6, 4e-6, "sums of products cancel"}});

TEST(Linear, NamesTheSizesThatDoNotFit) {
  EXPECT_ERROR(ShapeError, linear(zeros({2, 3}), zeros({5, 4}), zeros({5})),
               "[linear] x[2, 3] has 3 columns, w[5, 4] takes 4");
  EXPECT_ERROR(ShapeError, linear(zeros({2, 4}), zeros({5, 4}), zeros({4})),
               "[linear] the bias b[4] does not fit the 5 rows of w[5, 4]");
  EXPECT_ERROR(ShapeError, linear(zeros({2, 4}), zeros({4}), zeros({4})),
               "[linear] the weight must be [out, in], got [4]");
  EXPECT_ERROR(ShapeError, linear(zeros({}), zeros({5, 4})),
               "[linear] x must have at least one axis, w[5, 4] takes x[..., 4]");
}

TEST(Linear, NeedsOneFloatingDtype) {
  EXPECT_ERROR(DTypeError, linear(zeros({2, 4}), zeros({5, 4}, kFloat64), zeros({5})),
               "[linear] needs all float32 or all float64, got x float32, w float64, b float32");
  EXPECT_ERROR(DTypeError, linear(zeros({2, 4}, kInt64), zeros({5, 4}, kInt64)),
               "[linear] needs all float32 or all float64, got x int64, w int64");
}

}  // namespace
}  // namespace splot
