// Which plans are kept, and when one is made anew.
#include "splot/compiler/compile.h"

#include <stdexcept>

#include <gtest/gtest.h>

#include "splot/autodiff/autodiff.h"
#include "splot/core/node.h"
#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

using In = std::span<const Tensor>;

TensorList squared(In in, std::uint64_t) { return {in[0] * in[0]}; }

TEST(Compiled, MakesAPlanForEachSetOfShapesAndKeepsSome) {
  Compiled square(squared, {.plans = 2});
  const auto run = [&](Index size) { return square({full({size}, 3.0)})[0].to_vector<double>(); };
  EXPECT_EQ(run(2), (std::vector<double>{9, 9}));
  EXPECT_EQ(run(3), (std::vector<double>{9, 9, 9}));
  run(2);
  EXPECT_EQ(square.made(), 2u);
  run(4);  // 3 was not used for longest
  run(2);
  EXPECT_EQ(square.made(), 3u);
  run(3);
  EXPECT_EQ(square.made(), 4u);
  EXPECT_ERROR(ValueError, Compiled(squared, {.plans = 0}), "[compile] needs room for one plan");
}

TEST(Compiled, TypesAndOrdersCountAsWell) {
  Compiled square(squared);
  const Tensor x = tensor({{1.0f, 2.0f}, {3.0f, 4.0f}});
  EXPECT_EQ(square({x})[0].to_vector<float>(), (std::vector<float>{1, 4, 9, 16}));
  EXPECT_EQ(square({transpose(x, 0, 1)})[0].to_vector<float>(), (std::vector<float>{1, 9, 4, 16}));
  EXPECT_EQ(square({cast(x, kFloat64)})[0].to_vector<float>(), (std::vector<float>{1, 4, 9, 16}));
  EXPECT_EQ(square.made(), 3u);
}

TEST(Compiled, FreezingAParameterMakesAnother) {
  std::vector<Parameter> weights = {Parameter(ones({2}), "w"), Parameter(ones({2}), "v")};
  Compiled step(
      [&](In in, std::uint64_t) {
        for (Parameter& weight : weights) weight.zero_grad();
        backward(sum(weights[0] * in[0] + weights[1]));
        const NoGrad off;
        for (Parameter& weight : weights) {
          if (weight.grad().defined()) weight.assign(weight.value() - weight.grad());
        }
        return TensorList();
      },
      {.slots = {Slot("w", weights[0]), Slot("v", weights[1])}});
  const Tensor x = full({2}, 0.25, kFloat32);
  const auto now = [&](int i) { return weights[static_cast<std::size_t>(i)].value().to_vector<float>(); };
  step({x});
  EXPECT_EQ(now(0), (std::vector<float>{0.75, 0.75}));
  EXPECT_EQ(now(1), (std::vector<float>{0, 0}));
  weights[1].set_frozen(true);
  step({x});
  EXPECT_EQ(now(0), (std::vector<float>{0.5, 0.5}));
  EXPECT_EQ(now(1), (std::vector<float>{0, 0}));
  EXPECT_EQ(step.made(), 2u);
}

// Parameters that have had as many steps hold one number of steps, until a checkpoint says otherwise.
TEST(Compiled, SlotsThatNoLongerHoldTheSameMakeAnother) {
  Tensor a = full({}, 1.0), b = a;
  Compiled step(
      [&](In, std::uint64_t) {
        const bool same = a.impl() == b.impl();
        a = a + 1.0;
        b = same ? a : b + 1.0;
        return TensorList();
      },
      {.slots = {Slot("a", &a), Slot("b", &b)}});
  step({});
  EXPECT_EQ(a.item<double>(), 2.0);
  EXPECT_EQ(b.item<double>(), 2.0);
  Plan& of_one = step.plan_for(In());
  b = full({}, 10.0);
  EXPECT_ERROR(ValueError, of_one.run(In()),
               "[plan] since this plan was made it has changed whether b holds anything, or the tensor of an "
               "earlier slot; make another plan");
  step({});
  EXPECT_EQ(a.item<double>(), 3.0);
  EXPECT_EQ(b.item<double>(), 11.0);
  EXPECT_EQ(step.made(), 2u);
}

// As the moments of an optimiser before its first step.
TEST(Compiled, ASlotThatHeldNothingMakesAnother) {
  Tensor total;
  Compiled add_up(
      [&](In in, std::uint64_t) {
        total = total.defined() ? total + in[0] : in[0] * 1.0;
        return TensorList{total};
      },
      {.slots = {Slot("total", &total)}});
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(add_up({full({}, 2.0)})[0].item<double>(), 2.0 * i);
  EXPECT_EQ(add_up.made(), 2u);
}

// The counter of a call reaches the random numbers; other keys stay.
TEST(Compiled, RandomNumbersFollowTheCounter) {
  const auto draw = [](In, std::uint64_t counter) {
    return TensorList{uniform({3}, RandomKey{.seed = 7, .counter = counter}),
                      uniform({3}, RandomKey{.seed = 7, .counter = 5})};
  };
  Compiled planned(draw);
  for (const std::uint64_t counter : {0u, 5u, 9u}) {
    const TensorList expected = draw({}, counter);
    const TensorList got = planned(In(), counter);
    for (std::size_t i = 0; i < 2; ++i)
      EXPECT_EQ(got[i].to_vector<double>(), expected[i].to_vector<double>()) << counter;
  }
  EXPECT_EQ(planned.made(), 1u);
}

// What batch norm in use computes of its parameters is part of the plan, also without history.
TEST(Compiled, BatchNormInUseFollowsItsParameters) {
  const NoGrad off;
  Tensor weight = full({2}, 2.0, kFloat32), bias = zeros({2}), mean = zeros({2}), var = ones({2});
  Compiled norm(
      [&](In in, std::uint64_t) { return TensorList{batch_norm(in[0], weight, bias, mean, var, 0.0)}; },
      {.slots = {Slot("weight", &weight), Slot("bias", &bias), Slot("mean", &mean), Slot("var", &var)}});
  const Tensor x = tensor({{1.0f, 3.0f}});
  EXPECT_EQ(norm({x})[0].to_vector<float>(), (std::vector<float>{2, 6}));
  weight = full({2}, 4.0, kFloat32);
  mean = ones({2});
  EXPECT_EQ(norm({x})[0].to_vector<float>(), (std::vector<float>{0, 8}));
  EXPECT_EQ(norm.made(), 1u);
}

TEST(Compiled, AFunctionThatThrowsLeavesNothingBehind) {
  bool fails = true;
  Compiled square([&](In in, std::uint64_t) -> TensorList {
    if (fails) throw std::runtime_error("not today");
    return squared(in, 0);
  });
  EXPECT_THROW(square({full({1}, 2.0)}), std::runtime_error);
  fails = false;
  EXPECT_EQ(square({full({1}, 2.0)})[0].item<double>(), 4.0);
  EXPECT_EQ((full({1}, 2.0) + 1.0).item<double>(), 3.0);  // ops compute again
}

}  // namespace
}  // namespace splot
