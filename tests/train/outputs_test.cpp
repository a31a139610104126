#include "splot/train/outputs.h"

#include <cmath>

#include <gtest/gtest.h>

#include "splot/nn/losses.h"
#include "splot/ops/ops.h"

namespace splot {
namespace {

// Where the loss of class c is -log of the confidence in c, the confidences are what the loss takes them for.
TEST(Confidences, AreWhatTheLossTakesOutputsFor) {
  const Tensor logits = tensor({{0.5, -1.0, 2.0}, {3.0, 0.0, 0.25}});
  const Tensor shares = sigmoid(logits);
  const Tensor target = tensor<std::int64_t>({2, 1});
  const auto expect_loss = [&](const std::string& name, const Tensor& outputs, const Tensor& loss) {
    const Tensor p = confidences(outputs, name);
    const std::vector<double> values = p.to_vector<double>();
    EXPECT_NEAR(-0.5 * (std::log(values[2]) + std::log(values[4])), loss.item<double>(), 1e-9) << name;
    for (const double row : sum(p, {-1}).to_vector<double>()) EXPECT_NEAR(row, 1.0, 1e-12) << name;
  };
  expect_loss("cross_entropy", logits, cross_entropy(logits, target));
  expect_loss("nll", log_softmax(logits, -1), nll_loss(log_softmax(logits, -1), target));
  expect_loss("categorical_cross_entropy", shares, categorical_cross_entropy(shares, target));
  expect_loss("categorical_cross_entropy_from_sigmoid", shares,
              categorical_cross_entropy_from_sigmoid(shares, target));
  const std::vector<double> expected = sigmoid(logits).to_vector<double>();
  EXPECT_EQ(confidences(logits, "binary_cross_entropy").to_vector<double>(), expected);
  for (const char* name :
       {"binary_cross_entropy_of_probabilities", "mse", "quadratic_cost", "cross_entropy_cost", ""}) {
    EXPECT_EQ(confidences(logits, name).to_vector<double>(), logits.to_vector<double>()) << name;
  }
}

TEST(Confidences, OfSaturatedSigmoidsAreNumbers) {
  const Tensor p = confidences(tensor({{1.0f, 0.0f, 0.5f}}), "categorical_cross_entropy_from_sigmoid");
  const std::vector<float> values = p.to_vector<float>();
  EXPECT_NEAR(values[0], 1.0f, 1e-6f);
  EXPECT_EQ(values[1], 0.0f);
}

}  // namespace
}  // namespace splot
