#include "splot/nn/losses.h"

#include <set>

#include <gtest/gtest.h>

#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"
#include "tests/support/golden.h"

namespace splot {
namespace {

using Inputs = std::span<const Tensor>;

test::OpCase loss_case(Tensor (*loss)(const Tensor&, const Tensor&, const LossOptions&),
                       Reduction reduction) {
  return {.run = [=](Inputs in) { return loss(in[0], in[1], {.reduction = reduction}); },
          .float32 = {4e-6, 1e-6, "sums cancel"},
          .float64 = {1e-14, 1e-15, "sums cancel"},
          .gradient64 = {1e-12, 1e-13, "PyTorch rounds in other places"},
          .long_inputs = false};
}

CHECK_OP(mse_loss_none, (loss_case(mse_loss, Reduction::none)));
CHECK_OP(mse_loss_mean, (loss_case(mse_loss, Reduction::mean)));
CHECK_OP(mse_loss_sum, (loss_case(mse_loss, Reduction::sum)));
CHECK_OP(bce_none, (loss_case(binary_cross_entropy_with_logits, Reduction::none)));
CHECK_OP(bce_mean, (loss_case(binary_cross_entropy_with_logits, Reduction::mean)));
CHECK_OP(bce_sum, (loss_case(binary_cross_entropy_with_logits, Reduction::sum)));
CHECK_OP(cross_entropy_none, (loss_case(cross_entropy, Reduction::none)));
CHECK_OP(cross_entropy_mean, (loss_case(cross_entropy, Reduction::mean)));
CHECK_OP(cross_entropy_sum, (loss_case(cross_entropy, Reduction::sum)));
CHECK_OP(quadratic_cost, {.run = [](Inputs in) { return quadratic_cost(in[0], in[1]); }});
CHECK_OP(half_sum_squares, {.run = [](Inputs in) { return half_sum_squares(in[0], in[1]); }});

TEST(Losses, EveryGoldenCaseIsUsed) {
  std::set<std::string> used;
  for (const test::RegisteredCase& c : test::op_cases()) used.insert(c.op_case.golden);
  for (const std::string& name : test::golden_names("nn")) EXPECT_TRUE(used.contains(name)) << name;
}

TEST(Losses, NothingIsStretched) {
  EXPECT_ERROR(ShapeError, mse_loss(zeros({4, 1}), zeros({4})),
               "[mse_loss] prediction[4, 1] and target[4] differ in shape");
  EXPECT_ERROR(ShapeError, quadratic_cost(zeros({4, 1}), zeros({4})),
               "[quadratic_cost] prediction[4, 1] and target[4] differ in shape");
  EXPECT_ERROR(ShapeError, half_sum_squares(zeros({4, 1}), zeros({4})),
               "[half_sum_squares] prediction[4, 1] and target[4] differ in shape");
  EXPECT_ERROR(ShapeError, binary_cross_entropy_with_logits(zeros({4, 1}), zeros({4})),
               "[binary_cross_entropy_with_logits] logits[4, 1] and target[4] differ in shape");
  EXPECT_ERROR(ShapeError, quadratic_cost(zeros({}), zeros({})),
               "[quadratic_cost] needs an axis of samples, got []");
}

TEST(Losses, CrossEntropySaysWhatTargetItTakes) {
  EXPECT_ERROR(ShapeError, cross_entropy(zeros({4, 3}), zeros({4, 1}, kInt64)),
               "[cross_entropy] target[4, 1] does not fit logits[4, 3]: class indices have shape [4]");
  EXPECT_ERROR(ShapeError, cross_entropy(zeros({4, 3}), zeros({4})),
               "[cross_entropy] target[4] does not fit logits[4, 3]: probabilities have shape [4, 3]");
  EXPECT_THROW(cross_entropy(zeros({2, 3}), tensor<std::int64_t>({0, 3})), IndexError);
  EXPECT_THROW(cross_entropy(zeros({2, 3}), tensor<std::int64_t>({-1, 0})), IndexError);
}

TEST(Losses, TakesClassesOfAnyIntegerType) {
  const Tensor logits = tensor({{1.0f, 2.0f, 3.0f}, {0.0f, 0.5f, -1.0f}});
  const float expected = cross_entropy(logits, tensor<std::int64_t>({2, 0})).item<float>();
  EXPECT_EQ(cross_entropy(logits, tensor<std::int32_t>({2, 0})).item<float>(), expected);
  EXPECT_EQ(cross_entropy(logits, tensor<std::uint8_t>({2, 0})).item<float>(), expected);
}

}  // namespace
}  // namespace splot
