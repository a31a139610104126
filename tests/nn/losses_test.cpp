#include "splot/nn/losses.h"

#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/ops/ops.h"

#include "tests/support/check_op.h"
#include "tests/support/expect_error.h"
#include "tests/support/golden.h"

namespace splot {
namespace {

using Inputs = std::span<const Tensor>;

// A loss with a reduction, given inputs and options made from them.
template <typename Loss>
test::OpCase loss_case(Reduction reduction, Loss loss) {
  return {.run = [=](Inputs in) { return loss(in, reduction); },
          .float32 = {4e-6, 1e-6, "sums cancel"},
          .float64 = {1e-14, 1e-15, "sums cancel"},
          .gradient32 = {2e-5, 2e-6, "PyTorch rounds in other places"},
          .gradient64 = {1e-12, 1e-13, "PyTorch rounds in other places"},
          .long_inputs = false};
}

#define CHECK_LOSS(name, ...)                                                   \
  CHECK_OP(name##_none, (loss_case(Reduction::none, SPLOT_LOSS(__VA_ARGS__)))); \
  CHECK_OP(name##_mean, (loss_case(Reduction::mean, SPLOT_LOSS(__VA_ARGS__)))); \
  CHECK_OP(name##_sum, (loss_case(Reduction::sum, SPLOT_LOSS(__VA_ARGS__))))
// in: the inputs of the golden sample; r: the reduction.
#define SPLOT_LOSS(...) [](Inputs in, Reduction r) { return __VA_ARGS__; }

CHECK_LOSS(mse_loss, mse_loss(in[0], in[1], {.reduction = r}));
CHECK_LOSS(mae_loss, mae_loss(in[0], in[1], {.reduction = r}));
CHECK_LOSS(huber_loss, huber_loss(in[0], in[1], {.delta = 0.5, .reduction = r}));
CHECK_LOSS(smooth_l1_loss, smooth_l1_loss(in[0], in[1], {.delta = 0.5, .reduction = r}));
CHECK_LOSS(bce, binary_cross_entropy_with_logits(in[0], in[1], {.reduction = r}));
CHECK_LOSS(binary_cross_entropy, binary_cross_entropy(in[0], in[1], {.reduction = r}));
CHECK_LOSS(cross_entropy, cross_entropy(in[0], in[1], {.reduction = r}));
CHECK_LOSS(cross_entropy_smoothed, cross_entropy(in[0], in[1], {.reduction = r, .label_smoothing = 0.25}));
CHECK_LOSS(cross_entropy_weighted, cross_entropy(in[0], in[1], {.reduction = r, .class_weights = in[2]}));
CHECK_LOSS(cross_entropy_both,
           cross_entropy(in[0], in[1], {.reduction = r, .class_weights = in[2], .label_smoothing = 0.25}));
CHECK_LOSS(nll_loss, nll_loss(in[0], in[1], {.reduction = r}));
CHECK_LOSS(nll_loss_weighted, nll_loss(in[0], in[1], {.reduction = r, .class_weights = in[2]}));
CHECK_LOSS(categorical_cross_entropy, categorical_cross_entropy(in[0], in[1], {.reduction = r}));
CHECK_LOSS(categorical_cross_entropy_from_sigmoid,
           categorical_cross_entropy_from_sigmoid(in[0], in[1], {.reduction = r}));
CHECK_OP(rmse_loss, {.run = [](Inputs in) { return rmse_loss(in[0], in[1]); }});
CHECK_OP(quadratic_cost, {.run = [](Inputs in) { return quadratic_cost(in[0], in[1]); }});
CHECK_OP(half_sum_squares, {.run = [](Inputs in) { return half_sum_squares(in[0], in[1]); }});

// (t - 0.5) x - log(2 cosh(x / 2)) is t log sigmoid(x) + (1 - t) log(1 - sigmoid(x)) written another way.
TEST(Losses, CrossEntropyCostSumsOverOutputsAndIsAMeanOverSamples) {
  const std::vector<double> x = {0.5, -1.0, 2.0, -3.0, 0.0, 1.5};
  const std::vector<double> t = {1.0, 0.0, 0.25, 0.0, 1.0, 0.5};
  double sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i)
    sum -= (t[i] - 0.5) * x[i] - std::log(2.0 * std::cosh(0.5 * x[i]));
  const Tensor logits = Tensor::from(x, {2, 3});
  const Tensor target = Tensor::from(t, {2, 3});
  EXPECT_NEAR(cross_entropy_cost(logits, target).item<double>(), sum / 2.0, 1e-14);
  EXPECT_ERROR(ShapeError, cross_entropy_cost(zeros({4, 1}), zeros({4})),
               "[cross_entropy_cost] logits[4, 1] and target[4] differ in shape");
  EXPECT_ERROR(ShapeError, cross_entropy_cost(zeros({}), zeros({})),
               "[cross_entropy_cost] needs an axis of samples, got []");
}

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

TEST(Losses, ClassLossesSayWhatTheyTake) {
  const Tensor one = tensor<std::int64_t>({1, 0});
  EXPECT_ERROR(ValueError, cross_entropy(zeros({2, 3}), one, {.label_smoothing = 1.5}),
               "[cross_entropy] label_smoothing must be from 0 to 1, got 1.5");
  EXPECT_ERROR(ShapeError, cross_entropy(zeros({2, 3}), one, {.class_weights = ones({2})}),
               "[cross_entropy] class_weights[2] must have shape [3]");
  EXPECT_ERROR(IndexError, cross_entropy(zeros({1, 3}), tensor({3}), {.label_smoothing = 0.5}),
               "[one_hot] index 3 is outside an axis of size 3");
  EXPECT_ERROR(ShapeError, nll_loss(zeros({2, 3}), zeros({3}, kInt64)),
               "[nll_loss] target[3] does not fit log_probabilities[2, 3]: class indices have shape [2]");
  EXPECT_ERROR(DTypeError, nll_loss(zeros({2, 3}), zeros({2, 3})),
               "[nll_loss] takes class indices, got a target of float32");
  EXPECT_ERROR(ValueError, nll_loss(zeros({2, 3}), one, {.label_smoothing = 0.5}),
               "[nll_loss] has no label smoothing: give cross_entropy() the logits");
  EXPECT_ERROR(IndexError, nll_loss(zeros({1, 3}), tensor({-1})),
               "[gather] index -1 is outside an axis of size 3");
}

TEST(Losses, ProbabilitiesOutsideTheirRangeAreRefused) {
  const Tensor t = ones({2});
  EXPECT_ERROR(ValueError, binary_cross_entropy(tensor({0.5f, 1.5f}), t),
               "[binary_cross_entropy] needs outputs of at least 0 and at most 1, got 1.5; are they logits?");
  EXPECT_ERROR(
      ValueError, binary_cross_entropy(tensor({-0.25f, 1.0f}), t),
      "[binary_cross_entropy] needs outputs of at least 0 and at most 1, got -0.25; are they logits?");
  EXPECT_ERROR(ShapeError, binary_cross_entropy(zeros({2, 1}), t),
               "[binary_cross_entropy] probabilities[2, 1] and target[2] differ in shape");
  const Tensor rows = tensor({{0.5f, -0.5f}});
  const Tensor label = tensor<std::int64_t>({0});
  EXPECT_ERROR(ValueError, categorical_cross_entropy(rows, label),
               "[categorical_cross_entropy] needs outputs of at least 0, got -0.5; are they logits?");
  EXPECT_ERROR(
      ValueError, categorical_cross_entropy_from_sigmoid(2.0f * abs(rows) + 0.5f, label),
      "[categorical_cross_entropy_from_sigmoid] needs outputs of at least 0 and at most 1, got 1.5; are "
      "they logits?");
  EXPECT_ERROR(
      ShapeError, categorical_cross_entropy(zeros({4, 3}), zeros({4})),
      "[categorical_cross_entropy] target[4] does not fit outputs[4, 3]: probabilities have shape [4, 3]");
  EXPECT_ERROR(ValueError, huber_loss(t, t, {.delta = 0.0}), "[huber_loss] delta must be positive, got 0");
}

TEST(Losses, NotANumberStaysVisible) {
  const Tensor nan = tensor({std::nanf(""), 0.5f});
  EXPECT_TRUE(std::isnan(binary_cross_entropy(nan, ones({2})).item<float>()));
  EXPECT_TRUE(std::isnan(categorical_cross_entropy(nan, scalar(std::int64_t{0})).item<float>()));
  EXPECT_TRUE(std::isnan(huber_loss(nan, ones({2})).item<float>()));
}

TEST(Losses, TheRootHasADerivativeWhereEverythingFits) {
  const Tensor x = tensor({1.0, 2.0}).variable();
  const Tensor loss = rmse_loss(x, tensor({1.0, 2.0}));
  EXPECT_EQ(loss.item<double>(), 0.0);
  backward(loss);
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{0.0, 0.0}));
}

// What a sigmoid in float32 still shows of its logit is enough: the loss of ten sigmoids is that of their
// logits.
TEST(Losses, FromSigmoidSeesTheLogits) {
  const Tensor logits = tensor({{-30.0f, -4.0f, 3.0f, 9.0f}, {2.0f, -60.0f, 0.0f, -1.0f}}).variable();
  const Tensor labels = tensor<std::int64_t>({2, 0});
  const Tensor expected = cross_entropy(logits, labels);
  const Tensor got = categorical_cross_entropy_from_sigmoid(sigmoid(logits), labels);
  EXPECT_NEAR(got.item<float>(), expected.item<float>(), 1e-3);
  const std::vector<float> a = grad(expected, {logits})[0].to_vector<float>();
  const std::vector<float> b = grad(got, {logits})[0].to_vector<float>();
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-3);
  // The other form is another function: it divides the sigmoids by their sum.
  EXPECT_GT(
      std::abs(categorical_cross_entropy(sigmoid(logits), labels).item<float>() - expected.item<float>()),
      0.1);
}

struct Net {
  Parameter weight{tensor({{1.0, -2.0}, {0.0, 4.0}}), "weight"};
  Parameter bias{tensor({3.0, -1.0}), "bias"};
  NamedParameters all() const { return {{"weight", weight}, {"bias", bias}}; }
};

TEST(Penalties, AreSumsWithTheirGradients) {
  Net net;
  EXPECT_EQ(l1_penalty(net.all()).item<double>(), 11.0);
  EXPECT_EQ(l2_penalty(net.all()).item<double>(), 0.5 * 31.0);
  const NamedParameters weights = weights_of(net.all());
  ASSERT_EQ(weights.size(), 1u);
  EXPECT_EQ(weights[0].name, "weight");
  ASSERT_EQ(biases_of(net.all()).size(), 1u);
  EXPECT_EQ(biases_of(net.all())[0].name, "bias");
  backward(l1_penalty(weights) + 3.0 * l2_penalty(weights));
  EXPECT_EQ(net.weight.grad().to_vector<double>(), (std::vector<double>{4.0, -7.0, 0.0, 13.0}));
  EXPECT_FALSE(net.bias.grad().defined());
  EXPECT_ERROR(ValueError, l2_penalty({}), "[l2_penalty] needs at least one parameter");
}

TEST(Losses, TakesClassesOfAnyIntegerType) {
  const Tensor logits = tensor({{1.0f, 2.0f, 3.0f}, {0.0f, 0.5f, -1.0f}});
  const float expected = cross_entropy(logits, tensor<std::int64_t>({2, 0})).item<float>();
  EXPECT_EQ(cross_entropy(logits, tensor<std::int32_t>({2, 0})).item<float>(), expected);
  EXPECT_EQ(cross_entropy(logits, tensor<std::uint8_t>({2, 0})).item<float>(), expected);
}

}  // namespace
}  // namespace splot
