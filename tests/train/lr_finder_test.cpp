#include "splot/train/lr_finder.h"

#include <cmath>

#include <gtest/gtest.h>

#include "splot/nn/activation_layers.h"
#include "splot/nn/dropout.h"
#include "splot/nn/linear.h"
#include "splot/nn/losses.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/optim/lbfgs.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

Tensor mean_squares(const Tensor& y, const Tensor& t) { return mse_loss(y, t); }

// y = x a for a known a: SGD converges for rates below 2 / (2 lambda), lambda the largest eigenvalue of x^T x
// / n, which is about 1, and diverges above.
Dataset line() {
  const Tensor x = normal({512, 4}, RandomKey{.seed = 1});
  return {"line", x, matmul(x, tensor({{1.0f}, {-2.0f}, {0.5f}, {3.0f}}))};
}

Sequential net() {
  return Sequential(Linear(4, 1, {.weight_init = init::zeros(), .bias_init = init::zeros()}));
}

TEST(LrFinder, TheRatesGrowByAFactorAndTheLossFallsThenRises) {
  Sequential model = net();
  SGD optimizer(named_parameters(model));
  const LrFinderResult r = find_lr(model, mean_squares, optimizer, line(), {.first = 1e-4, .last = 10.0});
  ASSERT_GT(r.points.size(), 50u);
  EXPECT_TRUE(r.diverged);
  EXPECT_LT(r.points.size(), 100u);
  EXPECT_EQ(r.points[0].lr, 1e-4);
  EXPECT_EQ(r.points[0].smoothed, r.points[0].loss);
  for (std::size_t i = 1; i < r.points.size(); ++i) {
    EXPECT_NEAR(r.points[i].lr / r.points[i - 1].lr, std::pow(1e5, 1.0 / 99.0), 1e-12);
  }
  // It learns from about 1 / 100 on, and 1 is too much.
  EXPECT_GT(r.steepest, 0.003);
  EXPECT_LT(r.steepest, 0.5);
  EXPECT_GT(r.minimum_tenth, 0.003);
  EXPECT_LT(r.minimum_tenth, 1.0);
  EXPECT_EQ(r.suggestion, r.steepest);
}

TEST(LrFinder, TheSuggestedRateLearns) {
  Sequential model = net();
  SGD optimizer(named_parameters(model));
  const Dataset data = line();
  optimizer.set_lr(find_lr(model, mean_squares, optimizer, data, {.first = 1e-4}).suggestion);
  const TrainingResult result = Trainer(model, mean_squares, optimizer, {.epochs = 30}).fit(data);
  EXPECT_LT(metric(result.history.back().metrics, "loss"), 1e-3);
}

TEST(LrFinder, LeavesEverythingAsItWas) {
  Sequential model(Linear(4, 8), Tanh(), Dropout(), Linear(8, 1));
  Adam optimizer(named_parameters(model), {.lr = 0.01});
  const Dataset data = line();
  Trainer(model, mean_squares, optimizer, {.epochs = 1}).fit(data);
  const auto snapshot = [&] {
    std::vector<double> out;
    for (const NamedTensors& part : {state_dict(model), optimizer.state_dict()}) {
      for (const NamedTensor& entry : part) {
        for (const double x : entry.value.to_vector<double>()) out.push_back(x);
      }
    }
    return out;
  };
  const std::vector<double> before = snapshot();
  const LrFinderResult first = find_lr(model, mean_squares, optimizer, data);
  EXPECT_EQ(snapshot(), before);
  // And it is a function of the seed.
  const LrFinderResult second = find_lr(model, mean_squares, optimizer, data);
  ASSERT_EQ(first.points.size(), second.points.size());
  for (std::size_t i = 0; i < first.points.size(); ++i)
    EXPECT_EQ(first.points[i].loss, second.points[i].loss);
  EXPECT_NE(find_lr(model, mean_squares, optimizer, data, {.seed = 2}).points[3].loss, first.points[3].loss);
  int calls = 0;
  EXPECT_THROW(find_lr(
                   model,
                   [&](const Tensor& y, const Tensor& t) {
                     if (++calls == 5) throw ValueError("enough");
                     return mse_loss(y, t);
                   },
                   optimizer, data),
               ValueError);
  EXPECT_EQ(snapshot(), before);
}

TEST(LrFinder, RefusesWhatMakesNoSense) {
  Sequential model = net();
  SGD optimizer(named_parameters(model));
  const Dataset data = line();
  const auto with = [&](const LrFinderOptions& options) {
    find_lr(model, mean_squares, optimizer, data, options);
  };
  EXPECT_ERROR(ValueError, with({.first = 1.0, .last = 0.5}),
               "[find_lr] the rates must grow from a positive first to last, got 1 and 0.5");
  EXPECT_ERROR(ValueError, with({.steps = 9}), "[find_lr] needs at least 10 steps, got 9");
  EXPECT_ERROR(ValueError, with({.batch_size = 0}), "[find_lr] batch_size must be positive, got 0");
  EXPECT_ERROR(ValueError, with({.smoothing = 1.0}), "[find_lr] smoothing must be in [0, 1), got 1");
  EXPECT_ERROR(ValueError, with({.stop_factor = 1.0}), "[find_lr] stop_factor must be above 1, got 1");
  LBFGS whole(named_parameters(model));
  EXPECT_ERROR(ValueError, find_lr(model, mean_squares, whole, data),
               "[find_lr] cannot sweep an optimiser that needs a closure");
  const auto lost = [](const Tensor& y, const Tensor&) { return sum(y) * std::nan(""); };
  EXPECT_ERROR(DivergenceError, find_lr(model, lost, optimizer, data),
               "[find_lr] the loss is nan before the first step");
}

}  // namespace
}  // namespace splot
