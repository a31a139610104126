// Steps as plans beside steps call by call, of whole recipes.
#include "splot/recipe/compare_steps.h"

#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "splot/recipe/internal/step_difference.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

Recipe table(const std::string& rest) {
  return parse_recipe(
      "[data]\nname = \"table\"\ninputs = [[0.1, 0.9], [0.8, 0.2], [0.3, 0.4], [0.7, 0.6], [0.2, 0.5]]\n"
      "targets = [[0.0], [1.0], [1.0], [0.0], [1.0]]\n[train]\nbatch = 2\n" +
          rest,
      "table.toml");
}

TEST(CompareSteps, FindsTheSameBitsOverBatchesOfTwoSizes) {
  const StepComparison found = compare_steps(table(
      "clip_norm = 0.1\n[model]\ndense = [2, 6, 1]\ndropout = 0.3\noutput = \"sigmoid\"\n"
      "[loss]\nname = \"binary_cross_entropy_of_probabilities\"\n[optimizer]\nname = \"adam\"\nlr = 0.05\n"
      "[schedule]\nname = \"cosine\"\n"));
  EXPECT_EQ(found.no_plan, "");
  EXPECT_EQ(found.states, 100);
  EXPECT_EQ(found.equal, 100);
  EXPECT_EQ(found.loss, 0.0);
  EXPECT_EQ(found.tensors, 0.0);
  EXPECT_TRUE(found.is_within_bounds());
}

// 2,000 units: weights, their gradients and a few columns of the batch are what counts.
TEST(CompareSteps, MeasuresTheMemoryOfAStep) {
  const StepComparison found = compare_steps(
      table("[model]\ndense = [2, 2000, 1]\n[loss]\nname = \"mse\"\n[optimizer]\nname = \"sgd\"\nlr = 0.1\n"),
      {.states = 4});
  const std::size_t gradients = (2 * 2000 + 2000 + 2000 + 1) * sizeof(float);
  EXPECT_GT(found.eager_bytes, gradients);
  EXPECT_LT(found.eager_bytes, 4 * gradients);
  EXPECT_GT(found.plan_bytes, gradients);
  EXPECT_LE(found.plan_bytes, found.eager_bytes);
}

TEST(CompareSteps, DifferencesAreByTheLargestEntry) {
  using recipe_detail::difference;
  const Tensor wanted = tensor({1.0f, -4.0f, 0.0f});
  EXPECT_EQ(difference(wanted, wanted), 0.0);
  EXPECT_EQ(difference(tensor({1.0f, -4.0f, 0.5f}), wanted), 0.125);
  EXPECT_EQ(difference(tensor({1.0f, -4.0f, -0.0f}), wanted), 0.0)
      << "a zero of another sign is no difference";
  EXPECT_FALSE(recipe_detail::same_bits(tensor({1.0f, -4.0f, -0.0f}), wanted)) << "but another bit";
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isinf(difference(tensor({1.0f, -4.0f, nan}), wanted)));
  EXPECT_TRUE(std::isinf(difference(wanted, tensor({1.0f, nan, 0.0f}))));
  EXPECT_TRUE(std::isinf(difference(tensor({1e-30f}), tensor({0.0f}))));
  EXPECT_EQ(difference(tensor({nan}), tensor({nan})), 0.0) << "the same bits";
}

TEST(CompareSteps, SaysWhyThereIsNoPlan) {
  const StepComparison found = compare_steps(
      table("[model]\ndense = [2, 3, 1]\n[loss]\nname = \"mse\"\n[optimizer]\nname = \"lbfgs\"\n"));
  EXPECT_EQ(found.no_plan, "the optimiser looks at the loss several times in a step");
  EXPECT_EQ(found.states, 0);
}

TEST(CompareSteps, RefusesWhatMakesNoSense) {
  const Recipe recipe = table("[model]\ndense = [2, 1]\n[loss]\nname = \"mse\"\n");
  EXPECT_ERROR(ValueError, compare_steps(recipe, {.states = -1}),
               "[compare_steps] states must be 0 or more, got -1");
  EXPECT_ERROR(ValueError, compare_steps(recipe, {.batch = 0}),
               "[compare_steps] batch must be positive, got 0");
}

TEST(CompareSteps, BoundsAreBounds) {
  EXPECT_TRUE((StepComparison{.loss = 1e-6, .tensors = 1e-5}).is_within_bounds());
  EXPECT_FALSE((StepComparison{.loss = 1.1e-6, .tensors = 0.0}).is_within_bounds());
  EXPECT_FALSE((StepComparison{.loss = 0.0, .tensors = 1.1e-5}).is_within_bounds());
}

}  // namespace
}  // namespace splot
