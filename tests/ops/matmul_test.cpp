#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

CHECK_OP(matmul, {.run = [](std::span<const Tensor> in) { return matmul(in[0], in[1]); },
                  .float32 = {1e-6, 4e-6, "sums of products cancel"},
                  .float64 = {1e-15, 1e-14, "sums of products cancel"},
                  .gradient32 = {1e-6, 4e-6, "sums of products cancel"}});

TEST(Matmul, NamesBothOperandsWhenTheInnerSizesDiffer) {
  EXPECT_ERROR(ShapeError, matmul(zeros({2, 3}), zeros({4, 5})),
               "[matmul] inner sizes differ: a[2, 3] has 3 columns, b[4, 5] has 4 rows");
}

}  // namespace
}  // namespace splot
