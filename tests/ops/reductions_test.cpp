#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/check_op.h"

namespace splot {
namespace {

CHECK_OP(sum, {.run =
                   [](std::span<const Tensor> in) {
                     return sum(in[0], {0, -1});
                   },
               .float32 = {1e-6, 1e-6, "sums cancel"},
               .float64 = {1e-15, 1e-15, "sums cancel"}});

}  // namespace
}  // namespace splot
