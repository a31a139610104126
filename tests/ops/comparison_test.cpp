#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/check_op.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

CHECK_OP(greater, {.run = [](In in) { return in[0] > in[1]; }, .orders = 0});

}  // namespace
}  // namespace splot
