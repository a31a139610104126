// What a profile of a training says of its plans.
#include "splot/train/profile.h"

#include <algorithm>
#include <memory>

#include <gtest/gtest.h>

#include "splot/nn/activation_layers.h"
#include "splot/nn/linear.h"
#include "splot/nn/losses.h"
#include "splot/nn/parameters.h"
#include "splot/nn/sequential.h"
#include "splot/ops/ops.h"
#include "splot/train/norms.h"
#include "splot/train/trainer.h"

namespace splot {
namespace {

// Two epochs of 7 steps, the last of each smaller.
TrainingProfile profile_of(TrainerOptions options) {
  Sequential net(Linear(5, 20), ReLU(), Linear(20, 3));
  initialize(net, 1);
  Adam optimizer(named_parameters(net), {.lr = 0.01});
  const auto profile = std::make_shared<TrainingProfile>();
  options.epochs = 2;
  options.batch_size = 8;
  options.profile = profile;
  const Dataset data("data", uniform({50, 5}, RandomKey{.seed = 1}), uniform({50, 3}, RandomKey{.seed = 2}));
  Trainer(
      net, [](const Tensor& y, const Tensor& t) { return mse_loss(y, t); }, optimizer, options)
      .fit(data);
  return *profile;
}

const PlanProfile* find(const TrainingProfile& profile, const std::string& why) {
  const auto found = std::find_if(profile.plans.begin(), profile.plans.end(),
                                  [&](const PlanProfile& plan) { return plan.why == why; });
  return found == profile.plans.end() ? nullptr : &*found;
}

TEST(Profile, NamesPlansAndOps) {
  const TrainingProfile profile = profile_of({});
  ASSERT_EQ(profile.plans.size(), 2u);
  EXPECT_EQ(profile.plans[0].why, "steps of 8 examples");
  EXPECT_EQ(profile.plans[0].runs, 11u) << "of 12, the first is made call by call";
  EXPECT_EQ(profile.plans[1].why, "steps of 2 examples");
  EXPECT_EQ(profile.plans[1].runs, 2u);
  for (const PlanProfile& plan : profile.plans) {
    EXPECT_GT(plan.seconds, 0.0);
    EXPECT_GT(plan.floor, 0.0);
    EXPECT_GE(plan.memory.planned, plan.memory.lower_bound);
    EXPECT_GE(plan.memory.separate, plan.memory.planned);
  }
  EXPECT_GT(profile.flops, 1e8);
  EXPECT_GT(profile.bandwidth, 1e8);
  const std::size_t parameters = 5 * 20 + 20 + 20 * 3 + 3;
  EXPECT_EQ(profile.state, 3 * parameters * sizeof(float) + 5 * sizeof(double))
      << "weights, two moments, the rate, and for each parameter its number of steps";
  std::uint64_t calls = 0;
  double seconds = 0.0, of_plans = 0.0;
  for (std::size_t i = 0; i < profile.ops.size(); ++i) {
    calls += profile.ops[i].calls;
    seconds += profile.ops[i].seconds;
    if (i > 0) {
      EXPECT_LE(profile.ops[i].seconds, profile.ops[i - 1].seconds);
    }
  }
  for (const PlanProfile& plan : profile.plans) of_plans += plan.seconds;
  EXPECT_NEAR(seconds, of_plans, 1e-9);
  EXPECT_GE(calls, 13u * 8u);
}

TEST(Profile, SaysWhyAPlanWasMade) {
  const TrainingProfile watched =
      profile_of({.callbacks = {std::make_shared<NormRecorder>(NormOptions{.samples = 1})}});
  const PlanProfile* const looked = find(watched, "loss and derivatives of 8 examples");
  ASSERT_NE(looked, nullptr);
  EXPECT_EQ(looked->runs, 1u) << "the first of the second epoch; that of the first is made call by call";
  EXPECT_EQ(find(watched, "steps of 8 examples")->runs, 10u);

  class Frees final : public Callback {
    bool needs_gradients(const TrainingView&) const override { return false; }
    void on_step_end(TrainingView& view, const StepRecord&) override {
      if (view.total_steps == 5) named_parameters(view.model)[0].parameter.set_frozen(true);
    }
  };
  const TrainingProfile freed = profile_of({.callbacks = {std::make_shared<Frees>()}});
  ASSERT_EQ(freed.plans.size(), 3u);
  EXPECT_EQ(freed.plans[0].runs, 4u);
  EXPECT_EQ(freed.plans[1].why, "steps of 8 examples, made anew");
}

TEST(Profile, OfStepsCallByCallIsEmpty) {
  const TrainingProfile profile = profile_of({.compiled = false});
  EXPECT_TRUE(profile.plans.empty());
  EXPECT_TRUE(profile.ops.empty());
}

}  // namespace
}  // namespace splot
