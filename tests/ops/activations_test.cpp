#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/check_op.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

CHECK_OP(relu, {.run = [](In in) { return relu(in[0]); }, .exact = true});
CHECK_OP(relu_grad, {.run = [](In in) { return relu_grad(in[0], in[1]); },
                     .inputs = {{tensor({1.0, -2.0, 3.0}), tensor({0.5, -0.5, 1.0})}}});

}  // namespace
}  // namespace splot
