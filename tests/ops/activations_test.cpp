#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;
using test::Tolerance;

// 1 + erf and exp - 1 cancel for negative x, in PyTorch too.
constexpr Tolerance kCancels32 = {2e-6, 3e-7, "a sum that cancels for negative x"};
constexpr Tolerance kCancels64 = {4e-15, 1e-15, "a sum that cancels for negative x"};

CHECK_OP(identity, {.run = [](In in) { return identity(in[0]); }, .exact = true});
CHECK_OP(binary_step, {.run = [](In in) { return binary_step(in[0]); }, .exact = true});
CHECK_OP(sigmoid, {.run = [](In in) { return sigmoid(in[0]); }});
CHECK_OP(tanh, {.run = [](In in) { return tanh(in[0]); }});
CHECK_OP(arctan, {.run = [](In in) { return arctan(in[0]); }, .op = "atan"});
CHECK_OP(relu, {.run = [](In in) { return relu(in[0]); }, .exact = true});
CHECK_OP(leaky_relu, {.run = [](In in) { return leaky_relu(in[0], 0.125); }, .exact = true});
CHECK_OP(prelu, {.run = [](In in) { return prelu(in[0], in[1]); }, .exact = true});
CHECK_OP(elu, {.run = [](In in) { return elu(in[0]); }, .float32 = kCancels32, .float64 = kCancels64});
CHECK_OP(elu_half, {.run = [](In in) { return elu(in[0], 0.5); },
                    .op = "elu",
                    .float32 = kCancels32,
                    .float64 = kCancels64});
CHECK_OP(softplus, {.run = [](In in) { return softplus(in[0]); }});
CHECK_OP(softsign, {.run = [](In in) { return softsign(in[0]); }, .op = "div"});
CHECK_OP(silu, {.run = [](In in) { return silu(in[0]); }});
CHECK_OP(gelu, {.run = [](In in) { return gelu(in[0]); }, .float32 = kCancels32, .float64 = kCancels64});
CHECK_OP(gelu_tanh, {.run = [](In in) { return gelu(in[0], Gelu::tanh); },
                     .op = "gelu",
                     .float32 = kCancels32,
                     .float64 = kCancels64});

// What PyTorch computes inside its own derivatives has no golden values; the formulas are checked by
// differences.
const TensorList kCotangentAndX = {tensor({1.0, -2.0, 3.0, 0.5}), tensor({0.5, -0.75, 1.25, -2.0})};

CHECK_OP(relu_grad, {.run = [](In in) { return relu_grad(in[0], in[1]); }, .inputs = {kCotangentAndX}});
CHECK_OP(sigmoid_grad, {.run = [](In in) { return sigmoid_grad(in[0], in[1]); }, .inputs = {kCotangentAndX}});
CHECK_OP(tanh_grad, {.run = [](In in) { return tanh_grad(in[0], in[1]); }, .inputs = {kCotangentAndX}});
CHECK_OP(leaky_relu_grad,
         {.run = [](In in) { return leaky_relu_grad(in[0], in[1], 0.125); }, .inputs = {kCotangentAndX}});
CHECK_OP(elu_grad, {.run = [](In in) { return elu_grad(in[0], in[1], 0.5); }, .inputs = {kCotangentAndX}});
CHECK_OP(softplus_grad,
         {.run = [](In in) { return softplus_grad(in[0], in[1]); }, .inputs = {kCotangentAndX}});
CHECK_OP(silu_grad, {.run = [](In in) { return silu_grad(in[0], in[1]); },
                     .inputs = {kCotangentAndX},
                     .float32 = kCancels32,
                     .float64 = kCancels64});
CHECK_OP(gelu_grad, {.run = [](In in) { return gelu_grad(in[0], in[1], Gelu::erf); },
                     .inputs = {kCotangentAndX},
                     .float32 = kCancels32,
                     .float64 = kCancels64});
CHECK_OP(gelu_tanh_grad, {.run = [](In in) { return gelu_grad(in[0], in[1], Gelu::tanh); },
                          .op = "gelu_grad",
                          .inputs = {kCotangentAndX},
                          .float32 = kCancels32,
                          .float64 = kCancels64});

TEST(Prelu, TheSlopeBelongsToAllOrToChannels) {
  EXPECT_ERROR(
      ShapeError, prelu(zeros({2, 3, 4}), zeros({4})),
      "[prelu] the slope[4] must have one element, or one for each channel of x[2, 3, 4], which is axis 1");
}

}  // namespace
}  // namespace splot
